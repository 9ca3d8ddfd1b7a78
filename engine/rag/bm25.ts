/**
 * Passages of one language: BM25 (Robertson and Zaragoza 2009) over terms, over adjacent pairs of terms as a second
 * field, and over German compounds as groups of terms; a look-up of the places that a question names; and, where
 * passages have embeddings, how near in meaning they are. k1 0.9 and b 0.7 were the best on ObliQA.
 */
import type { Passage, PassageQuery } from '../ports.ts';
import { answeringVersions } from './answering.ts';
import { createBest } from './best.ts';
import { type Compounds, createCompounds } from './compounds.ts';
import { definitionKeys } from './definitions.ts';
import { saysFormer } from './editions.ts';
import type { Language } from './language.ts';
import { lawNames } from './law-names.ts';
import { createNamedPlaces, type NamedPlaces } from './named-places.ts';
import { createPairCounts, type PairCounts } from './pairs.ts';
import { createPostings, type Postings } from './postings.ts';
import { createPassageStore, GONE, type HeldVersion, type PassageStore } from './ranking-store.ts';
import { keysOfSection } from './references.ts';
import type { StoredRanking } from './stored-ranking.ts';
import { type Analyzer, createAnalyzer, type Term } from './terms.ts';
import { createVectors, type Vectors } from './vectors.ts';
import { createWordScores } from './word-scores.ts';

/** A passage with the work on its text done, ready to be put in at once. */
export type Prepared = { passage: Passage; bytes: Uint8Array; terms: Term[]; vector: Float32Array | null };

/** What is known of a version besides its passages. */
export type VersionNotes = { names?: readonly string[]; fingerprint?: string };

/** A passage that comes near a question in one way or another; scores are 0 and more. */
export type Candidate = {
  slot: number;
  /** BM25 of its words. */
  words: number;
  /** Cosine with the question, null without embeddings. */
  meaning: number | null;
  /** 0, or how exactly the question names its place: 4 law, section and paragraph … 1 section only. */
  named: number;
};

export type Ranking = ReturnType<typeof createRanking>;

/** Passages of a law that the question calls by name. */
const NAMED_LAW = 1.3;
const COMPACT_FROM = 1000;
/** Nearest by the upper bits, which are then compared by all bits. */
const CANDIDATES = 100;

/** Times that the words of the innermost heading count on top: it says what the section is about. */
const HEADING_WEIGHT = 2;

function headingOf(passage: Passage): string {
  const section = sectionOf(passage);
  return section.slice(section.lastIndexOf(' > ') + 1);
}

/** Without the paragraph: `§ 14a Steuerbare Verbrauchseinrichtungen`. */
function sectionOf({ section }: Passage): string {
  return section.replace(/(?: \(\w{1,5}\)(?:\(\w{1,5}\))*)$/, '');
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** @param stored as `stored()` gave it, whose arrays are then this ranking's */
export function createRanking(language: Language, stored?: StoredRanking) {
  const analyzer: Analyzer = createAnalyzer(language);
  const compounds: Compounds | null = language === 'de' ? createCompounds() : null;
  const ids = new Map<string, number>(stored?.stems.map((stem, id) => [stem, id]));
  const postings: Postings = createPostings(stored?.postings);
  const store: PassageStore = createPassageStore(stored?.passages);
  const places: NamedPlaces = createNamedPlaces(store, analyzer, passageAt);
  let pairs: PairCounts = createPairCounts(0, stored?.pairs);
  let recount: { pairs: PairCounts; at: number } | null = null;
  /** Versions that are hidden and taken out piece by piece. */
  const leaving = new Set<number>();
  let vectors: Vectors | null = stored?.vectors ? createVectors(stored.vectors.dimensions, stored.vectors) : null;
  /** Passages that hold each term, the removed ones not counted. */
  const df: number[] = stored ? [...stored.df] : [];
  let alive = store.versions.reduce((sum, { passages }) => sum + passages, 0);
  let total_terms = 0;
  for (let slot = 0; slot < store.slots; slot += 1) if (isHeld(slot)) total_terms += store.counts.get(slot);
  for (const [word, stem] of stored?.words ?? []) compounds?.note(word, stem);
  if (stored) places.restore(stored);

  const words = createWordScores({
    ...{ analyzer, compounds, ids, postings, store, df },
    ...{ pairs: () => pairs, alive: () => alive, total_terms: () => total_terms },
  });

  return {
    language,
    analyzer,
    /** Passages that can be found. */
    get size() {
      return store.versions.reduce((sum, { passages, hidden }) => sum + (hidden ? 0 : passages), 0);
    },
    /** Slots, the empty ones included. */
    get slots() {
      return store.slots;
    },
    get dimensions() {
      return vectors?.dimensions ?? null;
    },
    /** Whether so much was removed that it should be built anew. */
    get wasteful() {
      return store.slots > COMPACT_FROM && alive < store.slots / 2;
    },
    versions: (): readonly HeldVersion[] => store.versions.filter(({ passages, hidden }) => passages > 0 && !hidden),
    prepare,
    /** The number under which the passages of a version are put in; none is found before `publish`. */
    open: store.open,
    insert,
    publish,
    /** Call after changes until it is true; does a bounded piece of work each time. */
    settle,
    remove,
    candidates,
    recall,
    isHeld,
    passageAt,
    rarity,
    /** Puts the passages of slots [from, to) into another ranking, their embeddings included. */
    copyTo,
    adopt,
    /** For a file; void after the next change. */
    stored: storedNow,
  };

  function isHeld(slot: number): boolean {
    return store.owners.get(slot) !== GONE;
  }

  function passageAt(slot: number): Passage {
    return JSON.parse(DECODER.decode(store.bytesOf(slot))) as Passage;
  }

  function prepare(passage: Passage, vector: Float32Array | null = null): Prepared {
    const head = analyzer.terms(`${passage.document_title} ${passage.section}`);
    const heading = analyzer.terms(headingOf(passage));
    const repeated = Array.from({ length: HEADING_WEIGHT }, () => heading).flat();
    const terms = [...head, ...repeated, ...analyzer.terms(passage.text)];
    return { passage, bytes: ENCODER.encode(JSON.stringify(passage)), terms, vector };
  }

  function insert({ passage, bytes, terms, vector }: Prepared, owner: number): void {
    const sequence = Int32Array.from(terms, ({ stem, word }) => {
      compounds?.note(word, stem);
      return idOf(stem);
    });
    const slot = store.push(owner, sectionOf(passage), bytes, sequence);
    const counts = new Map<number, number>();
    for (const id of sequence) counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const [id, count] of counts) {
      postings.append(id, slot, count);
      df[id] = (df[id] ?? 0) + 1;
    }
    places.add(slot, [...keysOfSection(passage.section), ...definitionKeys(passage, analyzer)]);
    pushVector(vector);
    alive += 1;
    total_terms += sequence.length;
    countPairs(pairs, sequence, 1);
  }

  function idOf(stem: string): number {
    const known = ids.get(stem);
    if (known !== undefined) return known;
    const id = postings.open();
    ids.set(stem, id);
    df.push(0);
    return id;
  }

  /** Rows of embeddings are slots. */
  function pushVector(vector: Float32Array | null): void {
    if (!vector && !vectors) return;
    vectors ??= createVectors(vector?.length ?? 0);
    while (vectors.rows < store.slots - 1) vectors.push(null);
    vectors.push(vector);
  }

  function countPairs(into: PairCounts, sequence: Int32Array, by: number): void {
    const seen = new Set<number>();
    for (let i = 1; i < sequence.length; i += 1) {
      const [a, b] = [sequence[i - 1] ?? 0, sequence[i] ?? 0];
      const key = a * 2 ** 26 + b;
      if (seen.has(key)) continue;
      seen.add(key);
      into.add(a, b, by);
    }
  }

  /** In a larger sketch, some passages at a time; what comes and goes meanwhile is counted in both. */
  function countAgain(most: number): boolean {
    if (!recount && !pairs.full) return true;
    recount ??= { pairs: createPairCounts(4 * pairs.width), at: 0 };
    const until = Math.min(store.slots, recount.at + most);
    for (; recount.at < until; recount.at += 1)
      if (isHeld(recount.at)) countPairs(recount.pairs, store.sequenceOf(recount.at), 1);
    if (recount.at < store.slots) return false;
    pairs = recount.pairs;
    recount = null;
    return !pairs.full;
  }

  function settle(most = Number.POSITIVE_INFINITY): boolean {
    if (!sweep(most) || !countAgain(most)) return false;
    return compounds?.settle(most) ?? true;
  }

  /** The passages of a version are complete: they take the place of those that were there under its name. */
  function publish(owner: number, title: string, notes: VersionNotes): void {
    const held = store.versions[owner];
    if (!held) return;
    const { document, version } = held;
    remove(document, version);
    for (const other of store.versions) if (other.document === document) other.current = false;
    held.hidden = false;
    held.current = true;
    held.former = saysFormer(title);
    held.names = lawNames(title, notes.names ?? [], analyzer);
    held.fingerprint = notes.fingerprint ?? '';
  }

  /** From now on not found; `settle` takes them out. @param version left out: all of the document */
  function remove(document: string, version?: string): void {
    store.versions.forEach((held, owner) => {
      if (held.hidden || held.document !== document || (version !== undefined && held.version !== version)) return;
      held.hidden = true;
      leaving.add(owner);
      if (held.current) makeNewestCurrent(document);
    });
  }

  function makeNewestCurrent(document: string): void {
    const left = store.versions.filter((one) => one.document === document && !one.hidden && one.passages > 0);
    if (left.every((one) => !one.current) && left.length > 0) (left.at(-1) as HeldVersion).current = true;
  }

  function sweep(most: number): boolean {
    let left = most;
    for (const owner of leaving) {
      const gone = store.empty(owner, left);
      for (const slot of gone) forget(slot);
      left -= gone.length;
      const held = store.versions[owner];
      if (held && held.passages > 0) return false;
      if (held) Object.assign(held, { hidden: false, current: false, names: [] });
      leaving.delete(owner);
    }
    return true;
  }

  function forget(slot: number): void {
    const sequence = store.sequenceOf(slot);
    for (const id of new Set(sequence)) df[id] = (df[id] ?? 1) - 1;
    countPairs(pairs, sequence, -1);
    if (recount && slot < recount.at) countPairs(recount.pairs, sequence, -1);
    alive -= 1;
    total_terms -= sequence.length;
  }

  /** @param owners numbers of the versions there by their numbers here, filled as they are met */
  function copyTo(other: Ranking, from: number, to: number, owners: Map<number, number>): void {
    for (let slot = from; slot < Math.min(to, store.slots); slot += 1) {
      const owner = store.owners.get(slot);
      const held = store.versions[owner];
      if (!held || held.hidden) continue;
      const there = owners.get(owner) ?? other.open(held);
      owners.set(owner, there);
      other.insert(prepare(passageAt(slot), vectors?.vectorAt(slot) ?? null), there);
    }
    if (to < store.slots) return;
    for (const [owner, there] of owners) other.adopt(there, store.versions[owner]);
  }

  /** What a copy takes over besides the passages. */
  function adopt(owner: number, from: HeldVersion | undefined): void {
    const held = store.versions[owner];
    if (held && from) Object.assign(held, { ...from, passages: held.passages });
  }

  function rarity(asked: readonly string[]): number[] {
    return asked.map((word) => {
      const id = ids.get(analyzer.stem(word.toLowerCase()));
      return words.idf(id === undefined ? 0 : (df[id] ?? 0));
    });
  }

  /** The best by words and the nearest in meaning, at most `limit` of each, and all places that the question names. */
  function candidates({ text, expansions = [], vector, versions }: PassageQuery, limit: number): Candidate[] {
    if (alive === 0 || limit <= 0) return [];
    const answering = answeringVersions(store.versions, text, versions);
    const answers = (owner: number) => owner !== GONE && answering[owner] === true;
    const { values, touched } = words.of(text, expansions);
    const found = new Map(places.in(text, answers));
    const laws = places.lawsIn(text, answers);
    if (laws.size > 0)
      for (const slot of touched) if (laws.has(store.owners.get(slot))) values[slot] = (values[slot] ?? 0) * NAMED_LAW;
    const byWords = createBest(limit);
    const owners = store.owners.view();
    for (const slot of touched) if (answering[owners[slot] ?? GONE] === true) byWords.offer(slot, values[slot] ?? 0);
    for (const slot of byWords.list()) if (!found.has(slot)) found.set(slot, 0);
    const near = vector && vectors ? nearest(vector, answers, limit) : [];
    for (const slot of near) if (!found.has(slot)) found.set(slot, 0);
    return [...found].map(([slot, named]) => ({
      ...{ slot, named, words: values[slot] ?? 0 },
      meaning: vector && vectors ? vectors.exact(vector, slot) : null,
    }));
  }

  function nearest(query: Float32Array, answers: (owner: number) => boolean, limit: number): number[] {
    if (!vectors || query.length !== vectors.dimensions) return [];
    const cosines = vectors.nearness(query);
    const best = createBest(limit);
    const owners = store.owners.view();
    for (let slot = 0; slot < cosines.length; slot += 1)
      if (answers(owners[slot] ?? GONE)) best.offer(slot, cosines[slot] ?? 0);
    return best.list();
  }

  /** Per question the share of the truly nearest that are found; null without embeddings. */
  function recall(questions: readonly Float32Array[], limit: number): number[] | null {
    if (!vectors || alive === 0) return null;
    return questions.map((query) => {
      const [exact, found] = [createBest(limit), createBest(limit)];
      for (let slot = 0; slot < store.slots; slot += 1) if (isHeld(slot)) exact.offer(slot, cosine(query, slot));
      for (const slot of nearest(query, (owner) => owner !== GONE, CANDIDATES)) found.offer(slot, cosine(query, slot));
      const truth = exact.list();
      const kept = new Set(found.list());
      return truth.filter((slot) => kept.has(slot)).length / Math.max(1, truth.length);
    });
  }

  function cosine(query: Float32Array, slot: number): number {
    return vectors?.exact(query, slot) ?? -1;
  }

  function storedNow(): StoredRanking {
    const passages = store.stored();
    return {
      stems: [...ids.keys()],
      df: Int32Array.from(df),
      words: compounds?.words() ?? [],
      ...places.stored(),
      postings: postings.stored(),
      passages,
      pairs: pairs.stored(),
      vectors: vectors?.stored() ?? null,
    };
  }
}
