/** What a law or rulebook is called, as people write it in questions: EnWG, Messstellenbetriebsgesetz, 2019/944. */
import { LAW_NAMES } from './law-abbreviations.ts';
import type { Analyzer } from './terms.ts';

const LONGEST_NAME = 8;
/** EnWG, StromNEV, REMIT, BK6-24-210: at least two capitals. */
const ABBREVIATION = /(?<![\p{L}\p{N}])(?=\p{L}*\p{Lu}\p{L}*\p{Lu})\p{L}[\p{L}\p{N}-]{1,14}(?![\p{L}\p{N}])/gu;
const ACT = /(?<!\p{N})\d{2,4}\/\d{1,4}(?!\p{N})/gu;
const YEAR = /[\s_]+(?:19|20)\d\d$/;
/** Words of titles that are no name of a law. */
const NO_NAME = new Set(['eu', 'eg', 'ewg', 'bgbl', 'pdf', 'de', 'en', 'no', 'of', 'the']);

/**
 * @param title of the document; @param names that it is also known by (short names, file name)
 * @returns each name as its stems in order
 */
export function lawNames(title: string, names: readonly string[], analyzer: Analyzer): string[][] {
  const found = new Set<string>();
  for (const name of [title, ...names].map((one) => one.replaceAll('_', ' ').trim())) {
    for (const piece of [name, ...bracketed(name)]) {
      found.add(piece);
      found.add(piece.replace(YEAR, ''));
      for (const [word] of piece.matchAll(ABBREVIATION)) found.add(word);
    }
    for (const [number] of name.matchAll(ACT)) found.add(number);
  }
  for (const known of LAW_NAMES) if (known.some((one) => found.has(one))) for (const one of known) found.add(one);
  const stems = [...found].map((name) => stemsOf(name, analyzer));
  return stems.filter((name) => name.length > 0 && name.length <= LONGEST_NAME && !isNoName(name));
}

/** `Gesetz (Energiewirtschaftsgesetz - EnWG)`: both in the brackets. */
function bracketed(text: string): string[] {
  return [...text.matchAll(/\(([^()]{2,120})\)/g)].flatMap(([, inside = '']) => inside.split(/\s+[-–—]\s+|[,;/]\s+/));
}

function stemsOf(name: string, analyzer: Analyzer): string[] {
  return analyzer.terms(name.replaceAll('/', ' ')).map(({ stem }) => stem);
}

function isNoName(name: readonly string[]): boolean {
  const [only = ''] = name;
  return name.length === 1 && (NO_NAME.has(only) || only.length < 2 || /^\d+$/.test(only));
}

/** Places (of the question's terms) at which a name stands. */
export function placesOf(name: readonly string[], stems: readonly string[]): number[] {
  return stems.flatMap((_, at) => (name.every((stem, i) => stems[at + i] === stem) ? [at] : []));
}
