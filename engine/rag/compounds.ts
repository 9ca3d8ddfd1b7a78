/**
 * German compounds, split with the words of the corpus itself (after Koehn and Knight 2003, "Empirical Methods for
 * Compound Splitting"): `Netzentgeltreduzierung` is `netzentgelt` + `reduzierung` where both occur on their own.
 * Splitting happens in the vocabulary, not in the texts, so that the order in which documents come does not matter.
 */
export type Compounds = {
  /** Makes a word of the corpus known. Cheap; nothing is split yet. */
  note(word: string, stem: string): void;
  /** Splits what is new, at most so many words; false while there are more. Until then they are found whole only. */
  settle(most?: number): boolean;
  /** Stems of the compounds that hold `stem` as a part. */
  holding(stem: string): readonly string[];
  /** Stems of the parts of any word, known or not; of an unknown one that does not split what it begins or ends with. */
  split(word: string): string[];
  /** Words of the corpus with their stems, to note them again. */
  words(): [string, string][];
};

const SHORTEST_PART = 4;
/** Nouns that are shorter and begin or end many compounds; other short words would be found everywhere. */
const SHORT_NOUNS = ['gas', 'tag', 'bau', 'see', 'amt', 'weg', 'ort', 'rad'];
const SHORTEST_COMPOUND = 9;
const LONGEST_WORD = 60;
/** Fugenelemente, and the vowel of a verb stem (Einspeise-vergütung). */
const LINKS = ['', 's', 'es', 'n', 'en', 'e', 'er', 'ens'];
/**
 * What a split costs: few parts are better than many, words as they are written better than stems (`steu`), and no
 * link better than one. A letter that no part covers costs less than a part that is no word.
 */
const COST = { part: 1, stem: 0.6, link: 0.15, short: 0.3, gap: 1.2, letter: 0.35 };
const NONE: readonly string[] = [];

type Way = { cost: number; from: number; stem: string | null };

function partsOn(ways: readonly (Way | undefined)[], end: number): string[] {
  const parts: string[] = [];
  for (let at = end; at > 0; ) {
    const way = ways[at];
    if (!way) return [];
    if (way.stem !== null) parts.unshift(way.stem);
    at = way.from;
  }
  return parts;
}

export function createCompounds(): Compounds {
  /** Surface forms and stems → stem. */
  const dictionary = new Map<string, string>();
  const words = new Map<string, string>();
  let inside = new Map<string, string[]>();
  let work: { left: [string, string][]; at: number; into: Map<string, string[]>; fully: boolean } | null = null;
  let settled = 0;
  let settledFully = 0;

  /** The cheapest way to cut a word into known parts; with gaps also those that cover only some of it. */
  function cheapest(word: string, whole: string, gaps: boolean): string[] {
    if (word.length < SHORTEST_COMPOUND || word.length > LONGEST_WORD) return [];
    const ways: Way[] = [{ cost: 0, from: -1, stem: null }];
    const offer = (to: number, way: Way) => {
      if (way.cost < (ways[to]?.cost ?? Number.POSITIVE_INFINITY)) ways[to] = way;
    };
    for (let from = 0; from < word.length; from += 1) {
      const way = ways[from];
      if (!way) continue;
      for (let to = from + 2; to <= word.length; to += 1) {
        const piece = word.slice(from, to);
        const stem = partOf(piece);
        if (stem === undefined || stem === whole || (from === 0 && to === word.length)) continue;
        const cost =
          way.cost + COST.part + (words.has(piece) ? 0 : COST.stem) + (piece.length < SHORTEST_PART ? COST.short : 0);
        for (const link of to === word.length ? [''] : LINKS) {
          const next = to + link.length;
          if (next < word.length || link === '')
            if (word.startsWith(link, to)) offer(next, { cost: cost + (link === '' ? 0 : COST.link), from, stem });
        }
      }
      if (gaps)
        for (let to = from + 1; to <= word.length; to += 1)
          offer(to, { cost: way.cost + COST.gap + COST.letter * (to - from), from, stem: null });
    }
    return partsOn(ways, word.length);
  }

  function partOf(piece: string): string | undefined {
    if (piece.length < SHORTEST_PART && !SHORT_NOUNS.includes(piece)) return undefined;
    return piece.length < SHORTEST_PART ? piece : dictionary.get(piece);
  }

  function split(word: string): string[] {
    const parts = cheapest(word, words.get(word) ?? word, false);
    return parts.length > 1 ? parts : [];
  }

  function register([word, stem]: [string, string], into: Map<string, string[]>): void {
    for (const found of split(word)) {
      if (found === stem) continue;
      const list = into.get(found);
      if (!list) into.set(found, [stem]);
      else if (!list.includes(stem)) list.push(stem);
    }
  }

  return {
    note(word, stem) {
      if (word.length < SHORTEST_PART || words.has(word)) return;
      words.set(word, stem);
      dictionary.set(word, stem);
      if (stem.length >= SHORTEST_PART && !dictionary.has(stem)) dictionary.set(stem, stem);
    },
    settle(most = Number.POSITIVE_INFINITY) {
      if (!work) {
        if (settled === words.size) return true;
        // Once the vocabulary has grown much, older words are looked at again: new words are parts of them.
        const fully = words.size > 1.2 * settledFully;
        const entries = [...words];
        work = { left: fully ? entries : entries.slice(settled), at: 0, into: fully ? new Map() : inside, fully };
      }
      const until = Math.min(work.left.length, work.at + most);
      for (; work.at < until; work.at += 1) register(work.left[work.at]!, work.into);
      if (work.at < work.left.length) return false;
      settled = work.fully ? work.left.length : settled + work.left.length;
      if (work.fully) settledFully = settled;
      inside = work.into;
      work = null;
      return settled === words.size;
    },
    holding: (stem) => inside.get(stem) ?? NONE,
    split(word) {
      const parts = split(word);
      return parts.length > 0 || words.has(word) ? parts : cheapest(word, word, true);
    },
    words: () => [...words],
  };
}
