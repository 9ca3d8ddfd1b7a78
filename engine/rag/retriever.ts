/** From a question to the passages that come nearest, by the places it names, its words, its meaning and the glossary. */
import type { Embedder, PassageHit, PassageIndex, PassageQuery } from '../ports.ts';
import { createGlossaryReader, type Glossary, type GlossaryEntry } from './glossary.ts';
import type { Language } from './language.ts';
import { byCoverage, LOOKED_INTO, type Weights } from './order.ts';
import { readQuestion } from './question.ts';
import { type Analyzers, createAnalyzers } from './terms.ts';

export type Retrieval = {
  /** Best first. */
  hits: PassageHit[];
  /** What the glossary added to the question. */
  expansions: string[];
  /** Whether meanings took part; false without a model, or where it did not answer in time. */
  by_meaning: boolean;
  /** Whether the language model's order was taken; false without one, or where it came late. */
  reranked: boolean;
};

export type RetrievalOptions = {
  limit: number;
  /** Which version of a document may answer, null for none; left out: the one that came last. */
  versions?: ReadonlyMap<string, string | null>;
  /** Neither meaning nor re-ranking: no model is waited for. */
  by_words?: boolean;
  signal?: AbortSignal;
};

/** The seam between retrieval and whatever answers, in the gateway and in benches. */
export type Retriever = (tenant: string, question: string, options: RetrievalOptions) => Promise<Retrieval>;

/** Puts the best hits in another order; must give back the same ones. */
export type Rerank = (
  tenant: string,
  question: string,
  hits: readonly PassageHit[],
  signal: AbortSignal,
) => Promise<PassageHit[]>;

export type RetrieverParts = {
  index: Pick<PassageIndex, 'search' | 'rarity'>;
  /** Entries of a tenant. The same array for as long as nothing changed. */
  glossary?: (tenant: string) => Promise<readonly GlossaryEntry[]>;
  /** Null where there is no model. */
  embedder?: () => Pick<Embedder, 'embed'> | null;
  /** Share of the meaning for a tenant, 0 where it does not help (fusion-weight.ts). */
  weight?: (tenant: string) => Promise<number>;
  rerank?: { order: Rerank; hits: number; within_ms: number };
  /** What went wrong without keeping the question from being answered. */
  onFault?: (error: Error) => void;
};

const LANGUAGES: readonly Language[] = ['en', 'de'];
const EMBED_WITHIN_MS = 3000;

export function createRetriever(parts: RetrieverParts): Retriever {
  const { index, glossary, embedder, weight, rerank, onFault = () => {} } = parts;
  const analyzers: Analyzers = createAnalyzers();
  const glossaries = createGlossaryReader(analyzers);

  async function glossaryOf(tenant: string): Promise<Glossary | null> {
    return glossary ? glossaries(await glossary(tenant)) : null;
  }

  /** Without it the words decide. */
  async function meaningOf(tenant: string, question: string, signal: AbortSignal | undefined) {
    const model = embedder?.() ?? null;
    const share = model && weight ? await weight(tenant) : 0;
    if (!model || share <= 0) return null;
    const deadline = AbortSignal.timeout(EMBED_WITHIN_MS);
    const stop = signal ? AbortSignal.any([signal, deadline]) : deadline;
    const vectors = await model.embed([question], 'query', stop).catch((error: Error) => {
      onFault(error);
      return [];
    });
    return vectors[0] ? { vector: vectors[0], weight: share } : null;
  }

  /** By words alone the passages that hold most of the question come first; meanings know that better. */
  async function ordered(tenant: string, text: string, hits: PassageHit[], known: Glossary | null) {
    const question = readQuestion(text, analyzers);
    const weights: Weights = {};
    for (const language of new Set(hits.map(({ passage }) => passage.language))) {
      const words = question.terms[language].map(({ word }) => word);
      const rarity = await index.rarity?.(tenant, words, language);
      if (rarity) weights[language] = rarity;
      if (known) weights.otherwise = { ...weights.otherwise, [language]: known.otherwise(text, language) };
    }
    return byCoverage(question, hits, weights, analyzers);
  }

  return async (tenant, question, { limit, versions, by_words = false, signal }) => {
    const [known, meaning] = await Promise.all([
      glossaryOf(tenant),
      by_words ? null : meaningOf(tenant, question, signal),
    ]);
    // A single word tells no language.
    const expansions = known ? LANGUAGES.flatMap((language) => known.expansions(question, language)) : [];
    const query: PassageQuery = { text: question, expansions, ...meaning, ...(versions ? { versions } : {}) };
    const near = await index.search(tenant, query, Math.max(limit, LOOKED_INTO, rerank?.hits ?? 0));
    const found = meaning ? near : await ordered(tenant, question, near, known);
    const order = (hits: readonly PassageHit[], stop: AbortSignal) =>
      rerank ? rerank.order(tenant, question, hits, stop) : Promise.resolve([...hits]);
    const again = rerank && !by_words ? await reordered(found, { ...rerank, order }, onFault, signal) : null;
    const hits = (again ?? found).slice(0, limit);
    return { hits, expansions, by_meaning: meaning !== null, reranked: again !== null };
  };
}

type Order = (hits: readonly PassageHit[], signal: AbortSignal) => Promise<PassageHit[]>;

/** The model's order where it comes in time, else null; what the question names by its place stays in front. */
async function reordered(
  found: readonly PassageHit[],
  { order, hits, within_ms }: { order: Order; hits: number; within_ms: number },
  onFault: (error: Error) => void,
  signal: AbortSignal | undefined,
): Promise<PassageHit[] | null> {
  const named = found.filter((hit) => (hit.named ?? 0) > 0);
  const others = found.filter((hit) => (hit.named ?? 0) === 0);
  const looked = others.slice(0, hits);
  if (looked.length < 2) return null;
  const deadline = AbortSignal.timeout(within_ms);
  const stop = signal ? AbortSignal.any([signal, deadline]) : deadline;
  const late = new Promise<never>((_, reject) => stop.addEventListener('abort', () => reject(stop.reason as Error)));
  try {
    const ordered = await Promise.race([order(looked, stop), late]);
    const same = new Set(ordered);
    if (same.size !== looked.length || looked.some((hit) => !same.has(hit))) return null;
    return [...named, ...ordered, ...others.slice(hits)];
  } catch (error) {
    onFault(error as Error);
    return null;
  }
}
