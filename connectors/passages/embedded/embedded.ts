/**
 * The passage index in process: one ranking per tenant and language in memory. With a folder it keeps what it made of
 * the passages in one file a tenant, so that a start reads instead of counting; the passages live in Postgres.
 */
import type {
  HeldDocument,
  Passage,
  PassageHit,
  PassageIndex,
  PassageNotes,
  PassageQuery,
} from '../../../engine/ports.ts';
import { type Candidate, createRanking, type Ranking } from '../../../engine/rag/bm25.ts';
import { fuse } from '../../../engine/rag/fusion.ts';
import { detectLanguage, FUNCTION_WORDS, type Language } from '../../../engine/rag/language.ts';
import { createTenantFiles } from './tenant-files.ts';
import { turn, WORDS_PER_TURN } from './turns.ts';

/** Passages prepared between two breaks, so that questions are answered meanwhile: some milliseconds. */
const PASSAGES_PER_TURN = 10;
/** A question in one language finds passages of the other only by names and numbers. */
const OTHER_LANGUAGE_WEIGHT = 0.5;
/** Of each kind of nearness this many are compared. */
const CANDIDATES = 100;
const LANGUAGES = Object.keys(FUNCTION_WORDS) as Language[];

export type Rankings = Record<Language, Ranking>;

export type EmbeddedOptions = {
  /** Where what was made of the passages is kept; left out: nowhere. */
  dir?: string;
  /** Changes are written this long after the last one. */
  save_after_ms?: number;
  onFault?: (error: Error, tenant: string) => void;
};

export function createEmbeddedPassages(options: EmbeddedOptions = {}): PassageIndex {
  const tenants = new Map<string, Promise<Rankings>>();
  const files = options.dir === undefined ? null : createTenantFiles({ ...options, dir: options.dir });
  /** Changes of a tenant go one after another; questions do not wait for them. */
  const queues = new Map<string, Promise<unknown>>();

  function rankingsOf(tenant: string): Promise<Rankings> {
    const known = tenants.get(tenant);
    if (known) return known;
    const opened = (async () => (await files?.load(tenant)) ?? { en: createRanking('en'), de: createRanking('de') })();
    tenants.set(tenant, opened);
    opened.catch(() => tenants.delete(tenant));
    return opened;
  }

  function inTurn<Result>(tenant: string, work: () => Promise<Result>): Promise<Result> {
    const done = (queues.get(tenant) ?? Promise.resolve()).then(work, work);
    queues.set(
      tenant,
      done.catch(() => {}),
    );
    return done;
  }

  function changed(tenant: string): void {
    files?.later(tenant, () => inTurn(tenant, async () => files.save(tenant, await rankingsOf(tenant))));
  }

  async function isKnown(tenant: string): Promise<boolean> {
    return tenants.has(tenant) || ((await files?.has(tenant)) ?? false);
  }

  async function tidy(tenant: string, rankings: Rankings): Promise<void> {
    for (const language of LANGUAGES) {
      while (!rankings[language].settle(WORDS_PER_TURN)) await turn();
      if (rankings[language].wasteful) rankings[language] = await rebuilt(rankings[language]);
      while (!rankings[language].settle(WORDS_PER_TURN)) await turn();
    }
    changed(tenant);
  }

  return {
    add: (tenant, passages, notes = {}) =>
      inTurn(tenant, async () => {
        const rankings = await rankingsOf(tenant);
        await put(rankings, passages, notes);
        await tidy(tenant, rankings);
      }),
    remove: (tenant, document, version) =>
      inTurn(tenant, async () => {
        if (!(await isKnown(tenant))) return;
        const rankings = await rankingsOf(tenant);
        for (const language of LANGUAGES) rankings[language].remove(document, version);
        if (LANGUAGES.some((language) => rankings[language].size > 0)) return tidy(tenant, rankings);
        tenants.delete(tenant);
        await files?.remove(tenant);
      }),
    async search(tenant, question, limit) {
      if (limit <= 0 || !(await isKnown(tenant))) return [];
      const query = typeof question === 'string' ? { text: question } : question;
      return search(await rankingsOf(tenant), query, limit);
    },
    async rarity(tenant, words, language) {
      if (!(await isKnown(tenant))) return words.map(() => 0);
      return (await rankingsOf(tenant))[language].rarity(words);
    },
    async contents(tenant) {
      if (!(await isKnown(tenant))) return [];
      return contentsOf(await rankingsOf(tenant));
    },
    async recall(tenant, questions, limit) {
      if (!(await isKnown(tenant))) return null;
      return recallOf(await rankingsOf(tenant), questions, limit);
    },
    async close() {
      await Promise.allSettled([...queues.values()]);
      await files?.close(async (tenant) => files.save(tenant, await rankingsOf(tenant)));
      tenants.clear();
    },
  };
}

type Found = Candidate & { language: Language };

function search(rankings: Rankings, query: PassageQuery, limit: number): PassageHit[] {
  const asked = detectLanguage(query.text);
  const { vector, weight = 0, ...words } = query;
  const meant = weight > 0 && vector ? { ...words, vector } : words;
  const found: Found[] = LANGUAGES.flatMap((language) => {
    const share = language === asked ? 1 : OTHER_LANGUAGE_WEIGHT;
    return rankings[language]
      .candidates(meant, Math.max(CANDIDATES, limit))
      .map((one) => ({ ...one, language, words: one.words * share }));
  });
  const positive = fuse(found, weight).filter(({ score }) => score > 0);
  return positive.slice(0, limit).map(({ slot, language, score, words, meaning, named }) => ({
    ...{ passage: rankings[language].passageAt(slot), score, words, meaning, named },
  }));
}

/** Old passages answer until the new ones are complete, which then take their place at once. */
async function put(rankings: Rankings, passages: readonly Passage[], notes: PassageNotes): Promise<void> {
  const places = new Map(passages.map((passage, i) => [passage.id, i]));
  const owners = new Map<string, Opened>();
  let done = 0;
  for (const i of places.values()) {
    const passage = passages[i] as Passage;
    const ranking = rankings[passage.language];
    const { owner } = openedFor(owners, ranking, passage);
    ranking.insert(ranking.prepare(passage, notes.vectors?.[i] ?? null), owner);
    done += 1;
    if (done % PASSAGES_PER_TURN === 0) await turn();
  }
  for (const { passage, ranking, owner } of owners.values()) {
    // A version may have changed its language.
    for (const language of LANGUAGES)
      if (!owners.has(keyOf(language, passage))) rankings[language].remove(passage.document, passage.version);
    ranking.publish(owner, passage.document_title, notes);
  }
}

function keyOf(language: Language, { document, version }: Passage): string {
  return JSON.stringify([language, document, version]);
}

type Opened = { passage: Passage; ranking: Ranking; owner: number };

function openedFor(owners: Map<string, Opened>, ranking: Ranking, passage: Passage): Opened {
  const key = keyOf(ranking.language, passage);
  const known = owners.get(key) ?? { passage, ranking, owner: ranking.open(passage) };
  owners.set(key, known);
  return known;
}

async function rebuilt(ranking: Ranking): Promise<Ranking> {
  const made = createRanking(ranking.language);
  const owners = new Map<number, number>();
  for (let from = 0; from < ranking.slots; from += PASSAGES_PER_TURN) {
    ranking.copyTo(made, from, from + PASSAGES_PER_TURN, owners);
    await turn();
  }
  return made;
}

function contentsOf(rankings: Rankings): HeldDocument[] {
  const held = new Map<string, HeldDocument>();
  for (const language of LANGUAGES)
    for (const { document, version, fingerprint, passages } of rankings[language].versions()) {
      const key = `${document} ${version}`;
      const before = held.get(key)?.passages ?? 0;
      held.set(key, { document, version, fingerprint, passages: before + passages });
    }
  return [...held.values()];
}

function recallOf(rankings: Rankings, questions: readonly Float32Array[], limit: number): number | null {
  const shares = LANGUAGES.flatMap((language) => rankings[language].recall(questions, limit) ?? []);
  return shares.length === 0 ? null : shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
