/** How well the words of a question match each passage of a ranking: BM25 of terms, compounds and adjacent pairs. */
import { createBest } from './best.ts';
import type { Compounds } from './compounds.ts';
import type { PairCounts } from './pairs.ts';
import type { Postings } from './postings.ts';
import { isAsking } from './question.ts';
import { GONE, type PassageStore } from './ranking-store.ts';
import type { Analyzer, Term } from './terms.ts';

/** What scoring reads of a ranking. */
export type Scored = {
  analyzer: Analyzer;
  compounds: Compounds | null;
  ids: ReadonlyMap<string, number>;
  postings: Postings;
  store: PassageStore;
  /** Passages that hold each term. */
  df: readonly number[];
  pairs(): PairCounts;
  alive(): number;
  total_terms(): number;
};

export type WordScores = {
  /** Scores by slot, and the slots that have one; valid until the next question. */
  of(question: string, expansions: readonly string[]): { values: Float64Array; touched: Int32Array };
  idf(count: number): number;
};

const K1 = 0.9;
const B = 0.7;
const PAIR_WEIGHT = 0.4;
/** A part found inside a compound counts less than the word itself. */
const INSIDE_WEIGHT = 0.6;
/** Parts of the question's own compounds, when the compound is known and when it is not. */
const PART_WEIGHT = { known: 0.35, unknown: 1 };
/** What the glossary says instead of the question's words. */
const EXPANSION_WEIGHT = 0.4;
/** Parts of parts. */
const INNER = 0.5;
/** Words that only ask. */
const ASKING_WEIGHT = 0.2;
/** Share of what a whole section says, and how fast it falls with the section's length. */
const SECTION_WEIGHT = 1;
const SECTION_LENGTH = 0.3;
/** Pairs can lift a passage only so far: those that rank lower without them are not looked into. */
const LOOKED_INTO = 400;

export function createWordScores(ranking: Scored): WordScores {
  const { analyzer, compounds, ids, postings, store, df } = ranking;
  let values = new Float64Array(0);
  let touched = new Int32Array(0);
  let size = 0;
  /** Per section what its passages say together of the question: of each term the best, summed over the terms. */
  let together = new Float64Array(0);
  let ofTerm = new Float64Array(0);
  const seen: number[] = [];
  let marks = new Uint8Array(0);

  function reset(): void {
    for (let i = 0; i < size; i += 1) {
      together[store.sections.get(touched[i] ?? 0)] = 0;
      values[touched[i] ?? 0] = 0;
    }
    size = 0;
    if (together.length < store.sizes.length) {
      together = new Float64Array(Math.ceil(store.sizes.length * 1.2));
      ofTerm = new Float64Array(together.length);
    }
    if (values.length >= store.slots) return;
    values = new Float64Array(Math.ceil(store.slots * 1.2));
    touched = new Int32Array(values.length);
  }

  function add(slot: number, score: number): void {
    const before = values[slot] ?? 0;
    if (before === 0) {
      touched[size] = slot;
      size += 1;
    }
    values[slot] = before + score;
  }

  /** A term's score, which the whole section has a part in. */
  function addOfTerm(slot: number, score: number): void {
    add(slot, score);
    const section = store.sections.get(slot);
    if ((store.sizes[section] ?? 1) > 1) addToSection(section, score);
  }

  function addToSection(section: number, score: number): void {
    const before = ofTerm[section] ?? 0;
    if (score <= before) return;
    if (before === 0) seen.push(section);
    together[section] = (together[section] ?? 0) + score - before;
    ofTerm[section] = score;
  }

  function endTerm(): void {
    for (const section of seen) ofTerm[section] = 0;
    seen.length = 0;
  }

  /** What stands in the other paragraphs of a section says what it is about; long sections speak of everything. */
  function addSections(): void {
    for (let i = 0; i < size; i += 1) {
      const slot = touched[i] ?? 0;
      const section = store.sections.get(slot);
      if ((store.sizes[section] ?? 1) === 1) continue;
      const share = SECTION_WEIGHT / (1 + SECTION_LENGTH * Math.log2(store.sizes[section] ?? 1));
      values[slot] = ((values[slot] ?? 0) + share * (together[section] ?? 0)) / (1 + share);
    }
  }

  function idf(count: number): number {
    const alive = ranking.alive();
    return Math.log(1 + (alive - count + 0.5) / (count + 0.5));
  }

  /** The term, the compounds that hold it, and for a compound its parts. */
  function addTerm({ stem, word }: Term, weight: number): void {
    addGroup([stem, ...(compounds?.holding(stem) ?? [])], weight);
    const share = weight * (ids.has(stem) ? PART_WEIGHT.known : PART_WEIGHT.unknown);
    for (const part of new Set(compounds?.split(word) ?? [])) if (part !== stem) addPart(part, share);
  }

  /** A part may be a compound itself: Messstellenbetreiberwechsel. */
  function addPart(part: string, weight: number): void {
    addGroup([part, ...(compounds?.holding(part) ?? [])], weight);
    for (const inner of new Set(compounds?.split(part) ?? []))
      if (inner !== part) addGroup([inner, ...(compounds?.holding(inner) ?? [])], weight * INNER);
  }

  /** Scores several stems as if they were one term; those after the first count less. */
  function addGroup(stems: readonly string[], weight: number): void {
    const held = stems.flatMap((stem, rank) => {
      const id = ids.get(stem);
      return id === undefined ? [] : [{ id, share: rank === 0 ? 1 : INSIDE_WEIGHT }];
    });
    const [only] = held;
    if (!only) return;
    if (held.length === 1) {
      addPosting(only.id, only.share, weight * idf(df[only.id] ?? 0));
      return;
    }
    const counts = new Map<number, number>();
    for (const { id, share } of held)
      for (const entry of postings.read(id)) {
        const slot = entry >>> 8;
        if (store.owners.get(slot) !== GONE) counts.set(slot, (counts.get(slot) ?? 0) + (entry & 255) * share);
      }
    const rare = weight * idf(counts.size);
    const saturated = saturation();
    for (const [slot, count] of counts) addOfTerm(slot, rare * saturated(slot, count));
    endTerm();
  }

  /** The loop that takes the time: no calls in it. */
  function addPosting(id: number, share: number, rare: number): void {
    const entries = postings.read(id);
    const [owners, counts, sections] = [store.owners.view(), store.counts.view(), store.sections.view()];
    const flat = K1 * (1 - B);
    const perTerm = perTermOfLength();
    const most = rare * (K1 + 1);
    for (let i = 0; i < entries.length; i += 1) {
      const entry = entries[i] as number;
      const slot = entry >>> 8;
      if (owners[slot] === GONE) continue;
      const count = (entry & 255) * share;
      const score = (most * count) / (count + flat + perTerm * (counts[slot] as number));
      const before = values[slot] as number;
      if (before === 0) {
        touched[size] = slot;
        size += 1;
      }
      values[slot] = before + score;
      const section = sections[slot] as number;
      if ((store.sizes[section] as number) > 1) addToSection(section, score);
    }
    endTerm();
  }

  function perTermOfLength(): number {
    return (K1 * B * ranking.alive()) / Math.max(1, ranking.total_terms());
  }

  /** Counts say less the more there are, and less in a long passage. */
  function saturation(): (slot: number, count: number) => number {
    const flat = K1 * (1 - B);
    const perTerm = perTermOfLength();
    return (slot, count) => (count * (K1 + 1)) / (count + flat + perTerm * store.counts.get(slot));
  }

  /** Two terms of the question that follow each other in a passage too: looked for in the best by single terms. */
  function addPairs(terms: readonly Term[], weight: number): void {
    const wanted = new Map<number, Map<number, number>>();
    terms.slice(1).forEach(({ stem }, i) => {
      const [a, b] = [ids.get(terms[i]?.stem ?? ''), ids.get(stem)];
      if (a === undefined || b === undefined) return;
      const rare = weight * idf(ranking.pairs().count(a, b));
      wanted.set(a, (wanted.get(a) ?? new Map<number, number>()).set(b, rare));
    });
    if (wanted.size === 0) return;
    if (marks.length < postings.terms) marks = new Uint8Array(Math.ceil(postings.terms * 1.2));
    for (const a of wanted.keys()) marks[a] = 1;
    const best = createBest(LOOKED_INTO);
    for (let i = 0; i < size; i += 1) best.offer(touched[i] ?? 0, values[touched[i] ?? 0] ?? 0);
    const saturated = saturation();
    for (const slot of best.items())
      for (const { count, rare } of pairsIn(slot, wanted)) add(slot, rare * saturated(slot, count));
    for (const a of wanted.keys()) marks[a] = 0;
  }

  function pairsIn(slot: number, wanted: Map<number, Map<number, number>>): Iterable<{ count: number; rare: number }> {
    const sequence = store.sequenceOf(slot);
    let found: Map<number, { count: number; rare: number }> | null = null;
    for (let i = 0; i + 1 < sequence.length; i += 1) {
      const a = sequence[i] ?? 0;
      if (marks[a] !== 1) continue;
      const b = sequence[i + 1] ?? 0;
      const rare = wanted.get(a)?.get(b);
      if (rare === undefined) continue;
      const key = a * 2 ** 26 + b;
      found ??= new Map();
      const known = found.get(key);
      if (known) known.count += 1;
      else found.set(key, { count: 1, rare });
    }
    return found?.values() ?? [];
  }

  return {
    idf,
    of(question, expansions) {
      reset();
      const terms = analyzer.terms(question);
      const distinct = new Map(terms.map((term) => [term.stem, term]));
      for (const term of distinct.values()) addTerm(term, isAsking(term.word) ? ASKING_WEIGHT : 1);
      const further = expansions.map((text) => analyzer.terms(text));
      for (const term of further.flat()) {
        if (distinct.has(term.stem)) continue;
        distinct.set(term.stem, term);
        addTerm(term, EXPANSION_WEIGHT);
      }
      addSections();
      addPairs(terms, PAIR_WEIGHT);
      for (const phrase of further) addPairs(phrase, PAIR_WEIGHT * EXPANSION_WEIGHT);
      return { values, touched: touched.subarray(0, size) };
    },
  };
}
