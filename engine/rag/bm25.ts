/**
 * BM25 over passages of one language (Robertson and Zaragoza 2009), with adjacent pairs of terms as a second field,
 * German compounds as groups of terms, and a look-up for references. k1 0.9 and b 0.7 were the best on ObliQA.
 */
import type { Passage, PassageHit } from '../ports.ts';
import { createCompounds } from './compounds.ts';
import type { Language } from './language.ts';
import { holdsParagraph, keysOfSection, type Reference, referencesOf } from './references.ts';
import { type Analyzer, createAnalyzer, type Term } from './terms.ts';

/** A passage with the work on its text done, ready to be put in at once. */
export type Prepared = { passage: Passage; terms: Term[]; keys: string[] };

export type Ranking = {
  readonly size: number;
  prepare(passage: Passage): Prepared;
  insert(prepared: Prepared): void;
  /** Call after inserting until it is true; does a bounded piece of work each time. */
  settle(most?: number): boolean;
  /** Takes out the passages of a document, all or those that `which` accepts. */
  remove(document: string, which?: (passage: Passage) => boolean): void;
  /** Best first. */
  search(question: string, limit: number): PassageHit[];
  /** Inverse document frequency of each word: ln(1 + (N − df + ½)/(df + ½)). */
  rarity(words: readonly string[]): number[];
};

const K1 = 0.9;
const B = 0.7;
const PAIR_WEIGHT = 0.4;
/** A part found inside a compound counts less than the word itself. */
const INSIDE_WEIGHT = 0.6;
/** Parts of the question's own compounds, when the compound is known and when it is not. */
const PART_WEIGHT = { known: 0.35, unknown: 0.7 };
/** Above every score of words: what the question names comes first. */
const REFERENCE_BONUS = 1000;
const PARAGRAPH_BONUS = 500;
const GONE = -1;

type Slot = { passage: Passage; sequence: Int32Array; keys: string[] };
/** Pairs of slot and count. */
type Posting = number[];
type Scores = { values: Float64Array; touched: number[] };

export function createRanking(language: Language): Ranking {
  const analyzer: Analyzer = createAnalyzer(language);
  const compounds = language === 'de' ? createCompounds() : null;
  let ids = new Map<string, number>();
  let postings: Posting[] = [];
  let df: number[] = [];
  let slots: (Slot | null)[] = [];
  let byKey = new Map<string, number[]>();
  let byDocument = new Map<string, number[]>();
  let alive = 0;
  let total_terms = 0;

  return {
    get size() {
      return alive;
    },
    prepare,
    insert,
    settle: (most) => compounds?.settle(most) ?? true,
    remove,
    search,
    rarity,
  };

  function prepare(passage: Passage): Prepared {
    const head = analyzer.terms(`${passage.document_title} ${passage.section}`);
    return { passage, terms: [...head, ...analyzer.terms(passage.text)], keys: keysOfSection(passage.section) };
  }

  function insert({ passage, terms, keys }: Prepared): void {
    const slot = slots.length;
    const counts = new Map<number, number>();
    const sequence = Int32Array.from(terms, ({ stem, word }) => {
      const id = idOf(stem);
      counts.set(id, (counts.get(id) ?? 0) + 1);
      compounds?.note(word, stem);
      return id;
    });
    for (const [id, count] of counts) {
      postings[id]?.push(slot, count);
      df[id] = (df[id] ?? 0) + 1;
    }
    slots.push({ passage, sequence, keys });
    for (const key of keys) listIn(byKey, key).push(slot);
    listIn(byDocument, passage.document).push(slot);
    alive += 1;
    total_terms += sequence.length;
  }

  function idOf(stem: string): number {
    const known = ids.get(stem);
    if (known !== undefined) return known;
    const id = postings.length;
    ids.set(stem, id);
    postings.push([]);
    df.push(0);
    return id;
  }

  function remove(document: string, which: (passage: Passage) => boolean = () => true): void {
    const kept: number[] = [];
    for (const slot of byDocument.get(document) ?? []) {
      const found = slots[slot];
      if (!found) continue;
      if (!which(found.passage)) {
        kept.push(slot);
        continue;
      }
      for (const id of new Set(found.sequence)) df[id] = (df[id] ?? 1) - 1;
      slots[slot] = null;
      alive -= 1;
      total_terms -= found.sequence.length;
    }
    if (kept.length > 0) byDocument.set(document, kept);
    else byDocument.delete(document);
    if (slots.length > 1000 && alive < slots.length / 2) compact();
  }

  /** Builds the lists again from what is left, once half of the slots are empty. */
  function compact(): void {
    const left = slots.filter((slot) => slot !== null);
    slots = [];
    byKey = new Map();
    byDocument = new Map();
    const stems = [...ids.keys()];
    const words = (sequence: Int32Array) =>
      Array.from(sequence, (id) => ({ stem: stems[id] ?? '', word: stems[id] ?? '' }));
    ids = new Map();
    postings = [];
    df = [];
    [alive, total_terms] = [0, 0];
    for (const { passage, sequence, keys } of left) insert({ passage, terms: words(sequence), keys });
  }

  function idf(count: number): number {
    return Math.log(1 + (alive - count + 0.5) / (count + 0.5));
  }

  function rarity(words: readonly string[]): number[] {
    return words.map((word) => {
      const id = ids.get(analyzer.stem(word.toLowerCase()));
      return idf(id === undefined ? 0 : (df[id] ?? 0));
    });
  }

  function search(question: string, limit: number): PassageHit[] {
    if (alive === 0 || limit <= 0) return [];
    const terms = analyzer.terms(question);
    const scores: Scores = { values: new Float64Array(slots.length), touched: [] };
    const distinct = new Map(terms.map((term) => [term.stem, term]));
    for (const term of distinct.values()) addTerm(scores, term);
    addPairs(scores, terms);
    addReferences(scores, referencesOf(question));
    return best(scores, limit);
  }

  /** The term, the compounds that hold it, and for a compound its parts. */
  function addTerm(scores: Scores, { stem, word }: Term): void {
    const holding = compounds?.holding(stem) ?? [];
    addGroup(scores, [stem, ...holding], 1);
    const parts = compounds?.split(word) ?? [];
    const weight = ids.has(stem) ? PART_WEIGHT.known : PART_WEIGHT.unknown;
    for (const part of new Set(parts)) {
      if (part !== stem) addGroup(scores, [part, ...(compounds?.holding(part) ?? [])], weight);
    }
  }

  /** Scores several stems as if they were one term; those after the first count less. */
  function addGroup(scores: Scores, stems: readonly string[], weight: number): void {
    const held = stems.flatMap((stem, rank) => {
      const id = ids.get(stem);
      return id === undefined ? [] : [{ id, share: rank === 0 ? 1 : INSIDE_WEIGHT }];
    });
    const [only] = held;
    if (!only) return;
    if (held.length === 1) {
      addPosting(scores, only.id, only.share, weight * idf(df[only.id] ?? 0));
      return;
    }
    const counts = new Map<number, number>();
    for (const { id, share } of held) {
      const list = postings[id] ?? [];
      for (let i = 0; i < list.length; i += 2) {
        const slot = list[i] ?? GONE;
        if (slots[slot]) counts.set(slot, (counts.get(slot) ?? 0) + (list[i + 1] ?? 0) * share);
      }
    }
    addCounts(scores, counts, weight);
  }

  function addPosting(scores: Scores, id: number, share: number, rare: number): void {
    const list = postings[id] ?? [];
    for (let i = 0; i < list.length; i += 2) {
      const slot = list[i] ?? GONE;
      if (slots[slot]) addScore(scores, slot, rare * saturated(slot, (list[i + 1] ?? 0) * share));
    }
  }

  function saturated(slot: number, count: number): number {
    const length = slots[slot]?.sequence.length ?? 0;
    return (count * (K1 + 1)) / (count + K1 * (1 - B + (B * length * alive) / total_terms));
  }

  function addCounts(scores: Scores, counts: Map<number, number>, weight: number): void {
    const rare = weight * idf(counts.size);
    for (const [slot, count] of counts) addScore(scores, slot, rare * saturated(slot, count));
  }

  function addScore({ values, touched }: Scores, slot: number, score: number): void {
    if (values[slot] === 0) touched.push(slot);
    values[slot] = (values[slot] ?? 0) + score;
  }

  /** Two terms of the question that follow each other in a passage too: found in the order of its terms. */
  function addPairs(scores: Scores, terms: readonly Term[]): void {
    const seen = new Set<string>();
    terms.slice(1).forEach(({ stem }, i) => {
      const [a, b] = [ids.get(terms[i]?.stem ?? ''), ids.get(stem)];
      if (a === undefined || b === undefined || seen.has(`${a} ${b}`)) return;
      seen.add(`${a} ${b}`);
      addCounts(scores, countPair(a, b), PAIR_WEIGHT);
    });
  }

  /** Walks both lists, which ascend, and looks only into passages that hold both terms. */
  function countPair(a: number, b: number): Map<number, number> {
    const counts = new Map<number, number>();
    const [left, right] = [postings[a] ?? [], postings[b] ?? []];
    for (let i = 0, j = 0; i < left.length && j < right.length; ) {
      const [x, y] = [left[i] ?? 0, right[j] ?? 0];
      if (x <= y) i += 2;
      if (y <= x) j += 2;
      const sequence = x === y ? slots[x]?.sequence : undefined;
      if (!sequence) continue;
      const count = countAdjacent(sequence, a, b);
      if (count > 0) counts.set(x, count);
    }
    return counts;
  }

  function addReferences(scores: Scores, references: readonly Reference[]): void {
    for (const { key, paragraph } of references) {
      for (const slot of byKey.get(key) ?? []) {
        const found = slots[slot]?.passage;
        if (!found) continue;
        const exact = paragraph !== null && holdsParagraph(found.section, found.text, paragraph);
        addScore(scores, slot, REFERENCE_BONUS + (exact ? PARAGRAPH_BONUS : 0));
      }
    }
  }

  function best({ values, touched }: Scores, limit: number): PassageHit[] {
    // Equal scores keep the order of the documents.
    touched.sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
    return touched.slice(0, limit).flatMap((slot) => {
      const passage = slots[slot]?.passage;
      return passage ? [{ passage, score: values[slot] ?? 0 }] : [];
    });
  }
}

function countAdjacent(sequence: Int32Array, a: number, b: number): number {
  let count = 0;
  for (let at = sequence.indexOf(a); at !== -1; at = sequence.indexOf(a, at + 1))
    if (sequence[at + 1] === b) count += 1;
  return count;
}

function listIn(map: Map<string, number[]>, key: string): number[] {
  const known = map.get(key);
  if (known) return known;
  const made: number[] = [];
  map.set(key, made);
  return made;
}
