/** Golden sets: asking them, choosing the share of the meaning by them, their history, and the alert when it falls. */
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import { bestWeight, WEIGHTS } from '../../../engine/rag/retrieval-quality.ts';
import type { Retriever } from '../../../engine/rag/retriever.ts';
import type { Actor, AlertService, AuditService, Base } from '../../services.ts';
import type { GoldenQuestion, GoldenSet, RetrievalEvaluation } from '../retrieval.ts';
import { type Asked, classesOf, p95, rankOf, reciprocalRank, sharesOf } from './evaluation.ts';
import type { Meanings } from './meanings.ts';
import {
  documentNames,
  dropGoldenRow,
  evaluationRows,
  type GoldenRow,
  goldenRows,
  saveEvaluation,
  saveGoldenRow,
} from './store.ts';

export type GoldenSets = {
  list(tenant: string): Promise<GoldenSet[]>;
  save(actor: Actor, name: string, questions: readonly GoldenQuestion[]): Promise<void>;
  remove(actor: Actor, name: string): Promise<void>;
  evaluate(tenant: string, name: string): Promise<RetrievalEvaluation>;
};
export type GoldenDeps = Pick<Base, 'clock' | 'log' | 'metrics' | 'db'> & {
  audit: Pick<AuditService, 'record'>;
  alerts: Pick<AlertService, 'raise' | 'clear'>;
  meanings: Pick<Meanings, 'model' | 'embed' | 'index'>;
  /** Without re-ranking; with this share of the meaning. */
  retrieveWith(weight: number): Retriever;
  /** With re-ranking by the language model; null where it is off. */
  reranked: ((weight: number) => Retriever) | null;
  keepWeight(tenant: string, weight: number): Promise<void>;
};

/** A fall of the share of questions that find their section among five. */
const DROP = 0.05;
/** Evaluations whose best one is what the newest is held against, so that a fall does not become the rule overnight. */
const LOOK_BACK = 7;
const HITS = 10;
const RECALL_QUESTIONS = 20;
/** A language model takes seconds for each. */
const RERANK_QUESTIONS = 30;
const MOST_QUESTIONS = 5000;
type Documents = ReadonlyMap<string, ReadonlySet<string>>;

export function createGoldenSets(deps: GoldenDeps): GoldenSets {
  const { clock, db, audit, alerts, metrics, meanings } = deps;

  async function golden(tenant: string, name: string): Promise<GoldenRow> {
    const found = (await db.asTenant(tenant, goldenRows)).find((one) => one.name === name);
    if (!found) throw new NotFoundError(`There is no golden set "${name}".`, 'GET /api/v1/golden-sets lists them.');
    return found;
  }

  /** Documents that a golden set may mean, by every name of theirs. */
  async function documentsByName(tenant: string): Promise<Documents> {
    const byName = new Map<string, Set<string>>();
    const note = (name: string, document: string) =>
      byName.set(plainName(name), (byName.get(plainName(name)) ?? new Set()).add(document));
    for (const { document, names } of await db.asTenant(tenant, documentNames))
      for (const name of [document, ...names]) note(name, document);
    return byName;
  }

  /** On the development half where the questions have halves; 0 where meanings do not help. */
  async function chooseWeight(tenant: string, questions: readonly GoldenQuestion[], documents: Documents) {
    const half = questions.filter((one) => one.half === 'development');
    const tuned = half.length > 0 ? half : questions;
    const tried: { weight: number; quality: number }[] = [];
    for (const weight of WEIGHTS) {
      const asked = await ask(deps.retrieveWith(weight), tenant, tuned, documents);
      tried.push({ weight, quality: (sharesOf(asked).recall5 + reciprocalRank(asked)) / 2 });
    }
    return bestWeight(tried);
  }

  /** The same questions with and without the language model's order. */
  async function rerankOf(
    tenant: string,
    all: readonly GoldenQuestion[],
    weight: number,
    documents: Documents,
  ): Promise<RetrievalEvaluation['rerank']> {
    if (!deps.reranked) return null;
    const questions = spread(all, RERANK_QUESTIONS);
    const before = await ask(deps.retrieveWith(weight), tenant, questions, documents);
    const after = await ask(deps.reranked(weight), tenant, questions, documents);
    const figures = (asked: readonly Asked[]) => ({ ...sharesOf(asked), mrr10: reciprocalRank(asked) });
    return {
      questions: questions.length,
      ...{ without: figures(before), with: figures(after), p95_ms: p95(after) },
      late: after.filter(({ reranked }) => !reranked).length,
    };
  }

  async function annRecall(tenant: string, questions: readonly GoldenQuestion[]): Promise<number | null> {
    const texts = questions.slice(0, RECALL_QUESTIONS).map(({ question }) => question);
    if (texts.length === 0 || !meanings.index.recall) return null;
    const recall = await meanings.index.recall(tenant, await meanings.embed(texts, 'query'), HITS);
    if (recall !== null) metrics.ann_recall.set({ tenant }, recall);
    return recall;
  }

  async function tellOfDrop(tenant: string, now: RetrievalEvaluation, earlier: readonly RetrievalEvaluation[]) {
    const percent = (share: number) => Math.round(100 * share);
    const best = Math.max(0, ...earlier.map(({ recall5 }) => recall5));
    if (now.recall5 < best - DROP) {
      const detail = { before_percent: percent(best), now_percent: percent(now.recall5) };
      await alerts.raise(tenant, 'retrieval_worse', now.golden_set, 'warning', detail);
    } else if (now.recall5 >= best - DROP / 2) await alerts.clear(tenant, 'retrieval_worse', now.golden_set);
  }

  return {
    async list(tenant) {
      const rows = await db.asTenant(tenant, goldenRows);
      return rows.map(({ changed_at, ...row }) => ({ ...row, changed_ms: changed_at.getTime() }));
    },
    async save(actor, name, questions) {
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
    async remove(actor, name) {
      if (!(await db.asTenant(actor.tenant, (sql) => dropGoldenRow(sql, name))))
        throw new NotFoundError(`There is no golden set "${name}".`, 'GET /api/v1/golden-sets lists them.');
      await alerts.clear(actor.tenant, 'retrieval_worse', name);
      await audit.record(actor, 'golden set.remove', name);
    },
    async evaluate(tenant, name) {
      const { questions: all, changed_at } = await golden(tenant, name);
      const questions = all.filter(({ document }) => document !== null);
      const documents = await documentsByName(tenant);
      const model = await meanings.model();
      const weight = model ? await chooseWeight(tenant, questions, documents) : 0;
      if (model) await deps.keepWeight(tenant, weight);
      const asked = await ask(deps.retrieveWith(weight), tenant, questions, documents);
      const ann_recall = model ? await annRecall(tenant, questions) : null;
      const rerank = await rerankOf(tenant, questions, weight, documents);
      const earlier = await db.asTenant(tenant, (sql) => evaluationRows(sql, name, LOOK_BACK));
      const figures = {
        ...{ golden_set: name, at_ms: clock.now(), questions: asked.length, ...sharesOf(asked), rerank },
        ...{ mrr10: reciprocalRank(asked), p95_ms: p95(asked), weight, model, ann_recall, classes: classesOf(asked) },
      };
      const kept = await db.asTenant(tenant, (sql) => saveEvaluation(sql, tenant, figures));
      metrics.retrieval_recall.set({ tenant, golden_set: name }, kept.recall5);
      // Other questions than before say nothing about a fall.
      const same = earlier.filter(({ at_ms }) => at_ms >= changed_at.getTime());
      await tellOfDrop(tenant, kept, same);
      return kept;
    },
  };
}

async function ask(
  retrieve: Retriever,
  tenant: string,
  questions: readonly GoldenQuestion[],
  documents: Documents,
): Promise<Asked[]> {
  const asked: Asked[] = [];
  for (const question of questions) {
    const begun = performance.now();
    const { hits, reranked } = await retrieve(tenant, question.question, { limit: HITS });
    const gold = documents.get(plainName(question.document ?? '')) ?? new Set<string>();
    asked.push({ question, rank: rankOf(hits, question, gold), ms: performance.now() - begun, reranked });
  }
  return asked;
}

/** At most `count`, from all over the list. */
function spread<One>(list: readonly One[], count: number): One[] {
  const step = Math.max(1, list.length / count);
  return Array.from({ length: Math.min(count, list.length) }, (_, i) => list[Math.floor(i * step)] as One);
}

/** `EnWG.md.gz`, `enwg` and `EnWG` are one name. */
function plainName(name: string): string {
  return name
    .toLowerCase()
    .replace(/(?:\.(?:md|txt|html?|docx|pdf|gz))+$/, '')
    .replaceAll('_', ' ')
    .trim();
}
