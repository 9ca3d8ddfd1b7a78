/** The passage index in process: BM25 in memory, one ranking per tenant and language. Gone with the process; the passages live in Postgres. */

import type { Passage, PassageHit, PassageIndex } from '../../../engine/ports.ts';
import { createRanking, type Prepared, type Ranking } from '../../../engine/rag/bm25.ts';
import { detectLanguage, FUNCTION_WORDS, type Language } from '../../../engine/rag/language.ts';

/** Passages prepared between two breaks, so that meters and browsers are answered meanwhile: some milliseconds. */
const PASSAGES_PER_TURN = 25;
const WORDS_PER_TURN = 500;
/** A question in one language finds passages of the other only by names and numbers. */
const OTHER_LANGUAGE_WEIGHT = 0.5;
const LANGUAGES = Object.keys(FUNCTION_WORDS) as Language[];

type Rankings = Record<Language, Ranking>;

export function createEmbeddedPassages(): PassageIndex {
  const tenants = new Map<string, Rankings>();

  function rankingsOf(tenant: string): Rankings {
    const known = tenants.get(tenant);
    if (known) return known;
    const made = { en: createRanking('en'), de: createRanking('de') };
    tenants.set(tenant, made);
    return made;
  }

  return {
    async add(tenant, passages) {
      const prepared = await prepare(rankingsOf(tenant), passages);
      // Removed and put in without a break, so that no question falls in between.
      const rankings = rankingsOf(tenant);
      removeReplaced(rankings, passages);
      for (const entry of prepared) rankings[entry.passage.language].insert(entry);
      for (const language of LANGUAGES) while (!rankings[language].settle(WORDS_PER_TURN)) await turn();
    },
    async remove(tenant, document) {
      const rankings = tenants.get(tenant);
      if (!rankings) return;
      for (const language of LANGUAGES) rankings[language].remove(document);
      if (LANGUAGES.every((language) => rankings[language].size === 0)) tenants.delete(tenant);
    },
    async search(tenant, question, limit) {
      const rankings = tenants.get(tenant);
      if (!rankings) return [];
      const asked = detectLanguage(question);
      const hits = LANGUAGES.flatMap((language) =>
        rankings[language]
          .search(question, limit)
          .map((hit) => weighed(hit, language === asked ? 1 : OTHER_LANGUAGE_WEIGHT)),
      );
      return hits.sort((a, b) => b.score - a.score).slice(0, limit);
    },
    async rarity(tenant, words, language) {
      return rankingsOf(tenant)[language].rarity(words);
    },
    async close() {
      tenants.clear();
    },
  };
}

async function prepare(rankings: Rankings, passages: readonly Passage[]): Promise<Prepared[]> {
  const prepared: Prepared[] = [];
  for (const passage of new Map(passages.map((one) => [one.id, one])).values()) {
    prepared.push(rankings[passage.language].prepare(passage));
    if (prepared.length % PASSAGES_PER_TURN === 0) await turn();
  }
  return prepared;
}

function turn(): Promise<void> {
  return new Promise((next) => setImmediate(next));
}

function removeReplaced(rankings: Rankings, passages: readonly Passage[]): void {
  const ids = new Set(passages.map(({ id }) => id));
  const versions = new Map(passages.map(({ document, version }) => [document, version]));
  for (const [document, version] of versions) {
    for (const language of LANGUAGES)
      rankings[language].remove(document, (passage) => passage.version !== version || ids.has(passage.id));
  }
}

function weighed({ passage, score }: PassageHit, weight: number): PassageHit {
  return { passage, score: score * weight };
}
