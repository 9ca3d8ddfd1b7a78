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
const SHORTEST_COMPOUND = 9;
/** Of a known beginning or end of a word that does not split. */
const SHORTEST_END = 5;
const LONGEST_WORD = 60;
const MOST_PARTS = 4;
/** Fugenelemente, and the vowel of a verb stem (Einspeise-vergütung). */
const LINKS = ['', 's', 'es', 'n', 'en', 'e', 'er', 'ens'];
const NONE: readonly string[] = [];

export function createCompounds(): Compounds {
  /** Surface forms and stems → stem. */
  const dictionary = new Map<string, string>();
  const words = new Map<string, string>();
  let inside = new Map<string, string[]>();
  let work: { left: [string, string][]; at: number; into: Map<string, string[]>; fully: boolean } | null = null;
  let settled = 0;
  let settledFully = 0;

  function part(piece: string): string | undefined {
    for (const link of LINKS) {
      if (!piece.endsWith(link) || piece.length - link.length < SHORTEST_PART) continue;
      const stem = dictionary.get(piece.slice(0, piece.length - link.length));
      if (stem !== undefined) return stem;
    }
    return undefined;
  }

  /** The longest last part first: in German it carries the meaning. Inside of a word it may end with a link. */
  function partsOf(word: string, whole: string, left: number, inside = false): string[] | null {
    for (let cut = SHORTEST_PART; cut <= word.length - SHORTEST_PART; cut += 1) {
      const last = inside ? part(word.slice(cut)) : dictionary.get(word.slice(cut));
      if (last === undefined || last === whole) continue;
      const head = word.slice(0, cut);
      const first = part(head);
      if (first !== undefined && first !== whole) return [first, last];
      const more = left > 2 ? partsOf(head, whole, left - 1, true) : null;
      if (more) return [...more, last];
    }
    return null;
  }

  function split(word: string): string[] {
    if (word.length < SHORTEST_COMPOUND || word.length > LONGEST_WORD) return [];
    return partsOf(word, words.get(word) ?? word, MOST_PARTS) ?? [];
  }

  /** What is known at the beginning and the end of a word that does not split: `…pflicht`. */
  function ends(word: string): string[] {
    if (word.length < SHORTEST_COMPOUND || word.length > LONGEST_WORD) return [];
    const found: string[] = [];
    for (let cut = word.length - 1; cut >= SHORTEST_END; cut -= 1) {
      const first = part(word.slice(0, cut));
      if (first === undefined) continue;
      found.push(first);
      break;
    }
    for (let cut = 1; cut <= word.length - SHORTEST_END; cut += 1) {
      const last = dictionary.get(word.slice(cut));
      if (last === undefined) continue;
      found.push(last);
      break;
    }
    return found;
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
      return parts.length > 0 || words.has(word) ? parts : ends(word);
    },
    words: () => [...words],
  };
}
