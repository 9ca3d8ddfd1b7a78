/** Finds passages: by words, meaning, glossary and the places a question names; and says how well it does so. */
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import type { EmbeddedAs, Embedder, PassageIndex, PassageQuery } from '../../engine/ports.ts';
import { asksForFormer } from '../../engine/rag/editions.ts';
import type { GlossaryEntry } from '../../engine/rag/glossary.ts';
import { GLOSSARY } from '../../engine/rag/glossary-entries.ts';
import type { Language } from '../../engine/rag/language.ts';
import { bestWeight, WEIGHTS } from '../../engine/rag/retrieval-quality.ts';
import { createRetriever, type Rerank, type Retrieval, type Retriever } from '../../engine/rag/retriever.ts';
import { inForce } from '../../engine/rag/versions.ts';
import type { Actor, AlertService, AuditService, Base, JobService, SiteService } from '../services.ts';
import { type ReadyVersion, readyVersions } from './regulation/store.ts';
import { type Asked, classesOf, p95, rankOf, reciprocalRank, type Shares, sharesOf } from './retrieval/evaluation.ts';
import { createMeanings } from './retrieval/meanings.ts';
import {
  documentNames,
  dropGlossaryRow,
  dropGoldenRow,
  evaluationRows,
  glossaryRows,
  goldenRows,
  saveEvaluation,
  saveGlossaryRow,
  saveGoldenRow,
} from './retrieval/store.ts';

export type GoldenQuestion = {
  question: string;
  /** Title, short name or file name without extensions; null: the documents do not say. */
  document: string | null;
  /** null: any section counts. */
  section: string | null;
  class?: string | undefined;
  half?: 'development' | 'test' | undefined;
};
export type GoldenSet = { name: string; questions: readonly GoldenQuestion[]; changed_by: string; changed_ms: number };
export type GlossaryItem = GlossaryEntry & { own: boolean; changed_by: string | null };
export type RetrievalEvaluation = {
  id: string;
  golden_set: string;
  at_ms: number;
  questions: number;
  recall5: number;
  recall1: number;
  mrr10: number;
  p95_ms: number;
  weight: number;
  model: string | null;
  ann_recall: number | null;
  classes: Record<string, Shares>;
};

export interface RetrievalService {
  search(tenant: string, question: string, limit: number): Promise<Retrieval>;
  /** Rejects InvalidDataError where there is no embedding model. */
  embed(texts: readonly string[], as: EmbeddedAs): Promise<{ model: string; vectors: Float32Array[] }>;
  /** What holds for the organisation: the box's own entries and its changes. */
  glossary(tenant: string): Promise<readonly GlossaryItem[]>;
  saveGlossaryEntry(actor: Actor, entry: GlossaryEntry): Promise<void>;
  /** Takes an entry away, also one that the box came with. */
  removeGlossaryEntry(actor: Actor, language: Language, lay: string): Promise<void>;
  goldenSets(tenant: string): Promise<GoldenSet[]>;
  saveGoldenSet(actor: Actor, name: string, questions: readonly GoldenQuestion[]): Promise<void>;
  /** Rejects NotFoundError. */
  removeGoldenSet(actor: Actor, name: string): Promise<void>;
  /** Asks the golden set, chooses the share of the meaning on its development half, keeps the figures, and raises an
   * alert where they fell. Rejects NotFoundError. */
  evaluate(tenant: string, name: string): Promise<RetrievalEvaluation>;
  /** Newest first. */
  evaluations(tenant: string, name: string | null, limit?: number): Promise<RetrievalEvaluation[]>;
}

export type RetrievalDeps = Pick<Base, 'clock' | 'log' | 'metrics' | 'bus' | 'db'> & {
  index: PassageIndex;
  embedder: Embedder | null;
  jobs: Pick<JobService, 'define' | 'schedule'>;
  audit: Pick<AuditService, 'record'>;
  alerts: Pick<AlertService, 'raise' | 'clear'>;
  tenants: SiteService['tenants'];
  rerank?: { order: Rerank; hits: number; within_ms: number };
};

export type RetrievalParts = RetrievalService & {
  /** For whoever puts passages in and asks for them in words alone: the same retrieval behind the port of an index. */
  passages: PassageIndex;
  retrieve: Retriever;
  start(): void;
  stop(): Promise<void>;
};

const JOB = 'evaluate-retrieval';
const NIGHTLY = '40 2 * * *';
const JOB_TIMEOUT_S = 3600;
const SETTING = 'fusion_weight';
/** Until a golden set says otherwise: measured on ObliQA with all-MiniLM-L6-v2. */
const USUAL_WEIGHT = 0.4;
/** A fall of the share of questions that find their section among five. */
const DROP = 0.05;
const HITS = 10;
const RECALL_QUESTIONS = 20;
const MOST_QUESTIONS = 5000;
const HISTORY = 100;

/** Defines its job at once: create it before the jobs start. */
export function createRetrievalService(deps: RetrievalDeps): RetrievalParts {
  const { clock, db, log, bus, jobs, audit, alerts, metrics } = deps;
  const meanings = createMeanings({ ...deps, index: deps.index });
  const glossaries = new Map<string, readonly GlossaryItem[]>();
  const weights = new Map<string, number>();
  const versions = new Map<string, Promise<ReadyVersion[]>>();
  const unsubscribe = bus.subscribe((event) => {
    if (event.type === 'documents') versions.delete(event.tenant);
  });
  const today = () => new Date(clock.now()).toISOString().slice(0, 10);

  jobs.define(JOB, evaluateAll, { timeout_s: JOB_TIMEOUT_S, retries: 1 });

  async function glossary(tenant: string): Promise<readonly GlossaryItem[]> {
    const known = glossaries.get(tenant);
    if (known) return known;
    const rows = await db.asTenant(tenant, glossaryRows);
    const changed = new Set(rows.map(({ language, lay }) => `${language} ${lay.toLowerCase()}`));
    const items = [
      ...rows.filter(({ legal }) => legal.length > 0).map(({ changed_at: _, ...row }) => ({ ...row, own: true })),
      ...GLOSSARY.filter(({ language, lay }) => !changed.has(`${language} ${lay.toLowerCase()}`)).map((entry) => ({
        ...entry,
        own: false,
        changed_by: null,
      })),
    ];
    glossaries.set(tenant, items);
    return items;
  }

  async function weightOf(tenant: string): Promise<number> {
    const known = weights.get(tenant);
    if (known !== undefined) return known;
    const [row] = await db.asTenant(tenant, (sql) =>
      sql<{ value: number }>('select value from setting where name = $1', [SETTING]),
    );
    const weight = typeof row?.value === 'number' ? row.value : USUAL_WEIGHT;
    weights.set(tenant, weight);
    return weight;
  }

  /** In force today, or the newest former one where the question asks for it. */
  async function answering(tenant: string, question: string): Promise<Map<string, string | null>> {
    const reading = versions.get(tenant) ?? db.asTenant(tenant, readyVersions);
    versions.set(tenant, reading);
    reading.catch(() => versions.delete(tenant));
    const day = today();
    const former = asksForFormer(question);
    const groups = Map.groupBy(await reading, ({ document }) => document);
    return new Map(
      [...groups].map(([document, group]) => {
        const current = inForce(group, day);
        const earlier = former ? group.filter((one) => one !== current).at(-1) : undefined;
        return [document, (earlier ?? current)?.version ?? null];
      }),
    );
  }

  const retrieverWith = (weight: (tenant: string) => Promise<number>) =>
    createRetriever({
      index: meanings.index,
      glossary,
      weight,
      embedder: () => meanings.embedder(),
      ...(deps.rerank ? { rerank: deps.rerank } : {}),
      onFault: (error) => log.warn({ err: error }, 'a question was answered without its meaning'),
    });
  const retriever = retrieverWith(weightOf);

  const retrieve: Retriever = async (tenant, question, options) => {
    const end = metrics.retrieval_s.startTimer();
    try {
      return await retriever(tenant, question, { versions: await answering(tenant, question), ...options });
    } finally {
      end();
    }
  };

  const passages: PassageIndex = {
    ...meanings.index,
    async add(tenant, added, notes) {
      versions.delete(tenant);
      await meanings.index.add(tenant, added, notes);
    },
    async remove(tenant, document, version) {
      versions.delete(tenant);
      await meanings.index.remove(tenant, document, version);
    },
    async search(tenant, asked, limit) {
      const { text, versions: only }: PassageQuery = typeof asked === 'string' ? { text: asked } : asked;
      return (await retrieve(tenant, text, { limit, ...(only ? { versions: only } : {}) })).hits;
    },
  };

  async function golden(tenant: string, name: string) {
    const found = (await db.asTenant(tenant, goldenRows)).find((one) => one.name === name);
    if (!found) throw new NotFoundError(`There is no golden set "${name}".`, 'GET /api/v1/golden-sets lists them.');
    return found;
  }

  /** Documents that a golden set may mean, by every name of theirs. */
  async function documentsByName(tenant: string): Promise<Map<string, Set<string>>> {
    const byName = new Map<string, Set<string>>();
    const note = (name: string, document: string) =>
      byName.set(plainName(name), (byName.get(plainName(name)) ?? new Set()).add(document));
    for (const { document, names } of await db.asTenant(tenant, documentNames))
      for (const name of [document, ...names]) note(name, document);
    return byName;
  }

  async function ask(
    tenant: string,
    questions: readonly GoldenQuestion[],
    weight: number,
    documents: Map<string, Set<string>>,
  ): Promise<Asked[]> {
    const retrieveWith = retrieverWith(async () => weight);
    const asked: Asked[] = [];
    for (const question of questions) {
      const begun = performance.now();
      const { hits } = await retrieveWith(tenant, question.question, {
        limit: HITS,
        versions: await answering(tenant, question.question),
      });
      const gold = documents.get(plainName(question.document ?? '')) ?? new Set<string>();
      asked.push({ question, rank: rankOf(hits, question, gold), ms: performance.now() - begun });
    }
    return asked;
  }

  /** On the development half where the questions have halves; 0 where meanings do not help. */
  async function chooseWeight(
    tenant: string,
    questions: readonly GoldenQuestion[],
    documents: Map<string, Set<string>>,
  ): Promise<number> {
    const half = questions.filter((one) => one.half === 'development');
    const tuned = half.length > 0 ? half : questions;
    const tried: { weight: number; quality: number }[] = [];
    for (const weight of WEIGHTS) {
      const asked = await ask(tenant, tuned, weight, documents);
      tried.push({ weight, quality: (sharesOf(asked).recall5 + reciprocalRank(asked)) / 2 });
    }
    return bestWeight(tried);
  }

  async function evaluate(tenant: string, name: string): Promise<RetrievalEvaluation> {
    const { questions: all } = await golden(tenant, name);
    const questions = all.filter(({ document }) => document !== null);
    const documents = await documentsByName(tenant);
    const model = await meanings.model();
    const weight = model ? await chooseWeight(tenant, questions, documents) : 0;
    if (model) await keepWeight(tenant, weight);
    const asked = await ask(tenant, questions, weight, documents);
    const ann_recall = model ? await annRecall(tenant, questions) : null;
    const [before] = await db.asTenant(tenant, (sql) => evaluationRows(sql, name, 1));
    const figures = {
      ...{ golden_set: name, at_ms: clock.now(), questions: asked.length, ...sharesOf(asked) },
      ...{ mrr10: reciprocalRank(asked), p95_ms: p95(asked), weight, model, ann_recall, classes: classesOf(asked) },
    };
    const kept = await db.asTenant(tenant, (sql) => saveEvaluation(sql, tenant, figures));
    metrics.retrieval_recall.set({ tenant, golden_set: name }, kept.recall5);
    await tellOfDrop(tenant, name, before, kept);
    return kept;
  }

  async function tellOfDrop(
    tenant: string,
    name: string,
    before: RetrievalEvaluation | undefined,
    now: RetrievalEvaluation,
  ): Promise<void> {
    const percent = (share: number) => Math.round(100 * share);
    if (before && now.recall5 < before.recall5 - DROP) {
      const detail = { before_percent: percent(before.recall5), now_percent: percent(now.recall5) };
      await alerts.raise(tenant, 'retrieval_worse', name, 'warning', detail);
    } else if (!before || now.recall5 >= before.recall5) await alerts.clear(tenant, 'retrieval_worse', name);
  }

  async function keepWeight(tenant: string, weight: number): Promise<void> {
    await db.asTenant(tenant, (sql) =>
      sql(
        `insert into setting (tenant_id, name, value) values ($1, $2, $3)
          on conflict (tenant_id, name) do update set value = excluded.value`,
        [tenant, SETTING, JSON.stringify(weight)],
      ),
    );
    weights.set(tenant, weight);
  }

  async function annRecall(tenant: string, questions: readonly GoldenQuestion[]): Promise<number | null> {
    const texts = questions.slice(0, RECALL_QUESTIONS).map(({ question }) => question);
    if (texts.length === 0 || !meanings.index.recall) return null;
    const recall = await meanings.index.recall(tenant, await meanings.embed(texts, 'query'), HITS);
    if (recall !== null) metrics.ann_recall.set({ tenant }, recall);
    return recall;
  }

  async function evaluateAll(_: object, signal: AbortSignal): Promise<void> {
    await meanings.settled();
    for (const tenant of deps.tenants())
      for (const { name } of await db.asTenant(tenant, goldenRows)) {
        if (signal.aborted) return;
        await evaluate(tenant, name).catch((error: Error) =>
          log.warn({ err: error, tenant_id: tenant, golden_set: name }, 'a golden set could not be asked'),
        );
      }
  }

  return {
    passages,
    retrieve,
    search: (tenant, question, limit) => retrieve(tenant, question, { limit }),
    async embed(texts, as) {
      const model = await meanings.model();
      if (!model)
        throw new InvalidDataError(
          'The box has no embedding model.',
          'Pull one into Ollama, or put a sentence-transformers folder with ONNX into its home and set `embedding`.',
        );
      return { model, vectors: await meanings.embed(texts, as) };
    },
    glossary,
    async saveGlossaryEntry(actor, { lay, legal, language }) {
      const row = { lay, legal, language, changed_by: actor.person, changed_at: new Date(clock.now()) };
      await db.asTenant(actor.tenant, (sql) => saveGlossaryRow(sql, actor.tenant, row));
      glossaries.delete(actor.tenant);
      await audit.record(actor, 'glossary.save', lay, { language, legal });
    },
    async removeGlossaryEntry(actor, language, lay) {
      const isOfBox = GLOSSARY.some((one) => one.language === language && one.lay.toLowerCase() === lay.toLowerCase());
      const row = { lay, legal: [], language, changed_by: actor.person, changed_at: new Date(clock.now()) };
      await db.asTenant(actor.tenant, (sql) =>
        isOfBox ? saveGlossaryRow(sql, actor.tenant, row) : dropGlossaryRow(sql, language, lay),
      );
      glossaries.delete(actor.tenant);
      await audit.record(actor, 'glossary.remove', lay, { language });
    },
    async goldenSets(tenant) {
      const rows = await db.asTenant(tenant, goldenRows);
      return rows.map(({ changed_at, ...row }) => ({ ...row, changed_ms: changed_at.getTime() }));
    },
    async saveGoldenSet(actor, name, questions) {
      if (questions.length === 0 || questions.length > MOST_QUESTIONS)
        throw new InvalidDataError(
          `A golden set has 1 to ${MOST_QUESTIONS} questions; this one has ${questions.length}.`,
        );
      const changed = { changed_by: actor.person, changed_at: new Date(clock.now()) };
      await db.asTenant(actor.tenant, (sql) =>
        saveGoldenRow(sql, actor.tenant, { name, questions: [...questions], ...changed }),
      );
      await audit.record(actor, 'golden set.save', name, { questions: questions.length });
    },
    async removeGoldenSet(actor, name) {
      if (!(await db.asTenant(actor.tenant, (sql) => dropGoldenRow(sql, name))))
        throw new NotFoundError(`There is no golden set "${name}".`, 'GET /api/v1/golden-sets lists them.');
      await alerts.clear(actor.tenant, 'retrieval_worse', name);
      await audit.record(actor, 'golden set.remove', name);
    },
    evaluate,
    evaluations: (tenant, name, limit = HISTORY) =>
      db.asTenant(tenant, (sql) => evaluationRows(sql, name, Math.min(limit, 1000))),
    start: () => jobs.schedule(JOB, { cron: NIGHTLY }, {}),
    async stop() {
      unsubscribe();
      await meanings.stop();
    },
  };
}

/** `EnWG.md.gz`, `enwg` and `EnWG` are one name. */
function plainName(name: string): string {
  return name
    .toLowerCase()
    .replace(/(?:\.(?:md|txt|html?|docx|pdf|gz))+$/, '')
    .replaceAll('_', ' ')
    .trim();
}
