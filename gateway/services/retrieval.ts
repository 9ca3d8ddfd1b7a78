/** Finds passages: by words, meaning, glossary and the places a question names; and says how well it does so. */
import { InvalidDataError } from '../../engine/errors.ts';
import type { EmbeddedAs, Embedder, PassageIndex, PassageQuery } from '../../engine/ports.ts';
import { asksForFormer } from '../../engine/rag/editions.ts';
import { createGlossaryReader, type GlossaryEntry } from '../../engine/rag/glossary.ts';
import type { Language } from '../../engine/rag/language.ts';
import { createRetriever, type Rerank, type Retrieval, type Retriever } from '../../engine/rag/retriever.ts';
import { createAnalyzers } from '../../engine/rag/terms.ts';
import { inForce } from '../../engine/rag/versions.ts';
import type { Actor, AlertService, AuditService, Base, JobService, SiteService } from '../services.ts';
import { type ReadyVersion, readyVersions } from './regulation/store.ts';
import type { Shares } from './retrieval/evaluation.ts';
import { createGlossaries } from './retrieval/glossaries.ts';
import { createGoldenSets } from './retrieval/golden-sets.ts';
import { createMeanings } from './retrieval/meanings.ts';
import { evaluationRows } from './retrieval/store.ts';

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
  /** What the language model's order changes, on some of the questions; null where it is off. */
  rerank: {
    questions: number;
    without: Shares & { mrr10: number };
    with: Shares & { mrr10: number };
    p95_ms: number;
    /** Questions whose order did not come in time. */
    late: number;
  } | null;
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
  rerank?: { order: Rerank; hits: number; within_ms: number } | undefined;
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
const HISTORY = 100;

/** Defines its job at once: create it before the jobs start. */
export function createRetrievalService(deps: RetrievalDeps): RetrievalParts {
  const { clock, db, log, bus, jobs, metrics } = deps;
  const meanings = createMeanings({ ...deps, index: deps.index });
  const glossaries = createGlossaries(deps);
  const weights = new Map<string, number>();
  const versions = new Map<string, Promise<ReadyVersion[]>>();
  const unsubscribe = bus.subscribe((event) => {
    if (event.type === 'documents') versions.delete(event.tenant);
  });
  const today = () => new Date(clock.now()).toISOString().slice(0, 10);

  jobs.define(JOB, evaluateAll, { timeout_s: JOB_TIMEOUT_S, retries: 1 });

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

  function retrieverWith(weight: (tenant: string) => Promise<number>, rerank = deps.rerank): Retriever {
    const retriever = createRetriever({
      ...{ index: meanings.index, glossary: glossaries.of, weight, embedder: () => meanings.embedder() },
      ...(rerank ? { rerank } : {}),
      onFault: (error) => log.warn({ err: error }, 'a model was left out of a search'),
    });
    return async (tenant, question, options) =>
      retriever(tenant, question, { versions: await answering(tenant, question), ...options });
  }
  const retriever = retrieverWith(weightOf);
  const golden = createGoldenSets({
    ...{ ...deps, meanings, keepWeight },
    retrieveWith: (weight) => retrieverWith(async () => weight, undefined),
    reranked: deps.rerank ? (weight) => retrieverWith(async () => weight) : null,
  });

  const retrieve: Retriever = async (tenant, question, options) => {
    const end = metrics.retrieval_s.startTimer();
    try {
      return await retriever(tenant, question, options);
    } finally {
      end();
    }
  };

  const readGlossary = createGlossaryReader(createAnalyzers());
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
      const { text, versions: only, weight }: PassageQuery = typeof asked === 'string' ? { text: asked } : asked;
      const by_words = weight === 0;
      return (await retrieve(tenant, text, { limit, by_words, ...(only ? { versions: only } : {}) })).hits;
    },
    otherwise: async (tenant, question, language) =>
      readGlossary(await glossaries.of(tenant)).otherwise(question, language),
  };

  async function evaluateAll(_: object, signal: AbortSignal): Promise<void> {
    await meanings.settled();
    for (const tenant of deps.tenants())
      for (const { name } of await golden.list(tenant)) {
        if (signal.aborted) return;
        await golden
          .evaluate(tenant, name)
          .catch((error: Error) =>
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
    glossary: glossaries.of,
    saveGlossaryEntry: glossaries.save,
    removeGlossaryEntry: glossaries.remove,
    goldenSets: golden.list,
    saveGoldenSet: golden.save,
    removeGoldenSet: golden.remove,
    evaluate: golden.evaluate,
    evaluations: (tenant, name, limit = HISTORY) =>
      db.asTenant(tenant, (sql) => evaluationRows(sql, name, Math.min(limit, 1000))),
    start: () => jobs.schedule(JOB, { cron: NIGHTLY }, {}),
    async stop() {
      unsubscribe();
      await meanings.stop();
    },
  };
}
