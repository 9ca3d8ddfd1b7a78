/** What a heading is: `§ 14a …`, `Article 5`, `Rule 3.2.1`, `3.2.1 …`, chapters and parts, large print, Markdown's own. */
import type { Flow, Paragraph } from './flow.ts';

export type Heading = {
  /** Smaller is further out. */
  level: number;
  text: string;
  /** `§ 14a`, `Article 5`, `3.2.1`, `Annex II`; null where it has none. */
  number: string | null;
  /** Characters of the paragraph that belong to the heading. */
  length: number;
};
export type Found = Heading & { /** The title stands in the next paragraph. */ untitled: boolean };

const LONGEST = 220;
const LONGEST_NUMBERED = 200;
const LONGEST_PLAIN = 120;
const LEVEL = { title: 6, division: 7, chapter: 8, section: 9, rule: 10, numbered: 11, plain: 12 };
/** Print that is larger than the usual by this is a heading's. */
const LARGE = 1.15;
/** A line that comes so often names the document, not a section. */
const REPEATED = 3;
const FEW_STRONG = 3;
/** After a `§ 5` these make it a reference inside a sentence. */
const REFERENCE_GOES_ON =
  /^(?:[,;)\]/]|\([a-z0-9]{1,3}\)|(?:absatz|abs\.?|satz|nummer|nr\.?|und|oder|bis|sowie|des|der|die|dieser|gilt|ist|sind|in|of|and|or|to|through|shall|applies|buchstabe|ff?\.|entsprechend|findet|finden|bleibt|bleiben)(?:[\s.]|$))/iu;
const SECTION_SIGN = /^§§?\s*\d+[a-z]{0,2}(?:\.\d+)*(?:\s+(?:bis|und|to|and)\s+§?\s*\d+[a-z]?)?/i;
const ARTICLE = /^(?:Article|Artikel|ARTICLE|ARTIKEL)\s+\d+[a-z]?(?![\p{L}\d(])/u;
const DIVISION =
  /^(?:(buch|book|part|teil|title|titel|annex|anhang|anlage|appendix)|(chapter|kapitel)|(section|abschnitt|unterabschnitt|subchapter|rule))\s+((?:[ivxlc]+|\d+[a-z]?|[a-z])(?:\.\d+)*)(?=$|[\s.:–-])/iu;
/** `1.5 MW` at the beginning of a line is an amount. */
const UNIT = String.raw`(?!(?:[kMGT]?(?:W|Wh|VA|VAr|V|A|Hz)|EUR|USD|Euro|Mio|Mrd|Prozent|C|K)\b)`;
const NUMBERED = new RegExp(String.raw`^(\d{1,2}(?:\.\d{1,3}){1,6})\.?\s+(?=[\p{Lu}“"‘(\[])${UNIT}`, 'u');
const TOP_NUMBER = new RegExp(String.raw`^(\d{1,2})\.?\s+(?=[\p{Lu}\[“"])${UNIT}`, 'u');
const MARKED = /^(?:\(|\d{1,3}[.)]\s|[a-z]\)|[•–-]\s)/;
const DEFINITIONS = /\b(?:definitions?|begriffsbestimmungen|glossary|glossar)\b/i;
const DATE = /^\p{L}+ \d{1,2}, \d{4}$|^\d{1,2}\.? \p{L}+ \d{4}$/u;

export type HeadingFinder = {
  /** @param under headings that it stands under: below one that announces definitions each term is one, too */
  headingOf(paragraph: Paragraph, under: readonly Heading[]): Found | null;
  /** The name of the document in large print, which is the heading of nothing. */
  isName(paragraph: Paragraph): boolean;
  /** The paragraph below `Article 5` or `CHAPTER II`, where it is a title. */
  titleOf(next: Paragraph): string | null;
};

/** Call `headingOf` from the first paragraph to the last: numbers are believed where they go on from those before. */
export function createHeadingFinder(flow: Flow): HeadingFinder {
  const usual = usualSize(flow);
  const textOf = ({ start, end }: Paragraph) => flow.text.slice(start, end);
  // Where the format marks its headings, nothing else is one.
  const marked = flow.paragraphs.filter(({ level }) => level !== null).length >= FEW_STRONG;
  const plain = marked ? () => null : plainHeadings(flow, usual);
  let last: number[] = [];

  function strongHeading(text: string, paragraph: Paragraph): Found | null {
    // A heading may run into its text where nothing sets it apart; then its first line is looked at.
    const line = text.length <= LONGEST ? text : text.slice(0, paragraph.first_line).trim();
    const found = ruleHeading(line) ?? divisionHeading(line);
    return found && line.length <= LONGEST ? { ...found, text: line, length: line.length } : null;
  }
  function headingOf(paragraph: Paragraph, under: readonly Heading[]): Found | null {
    const text = textOf(paragraph);
    if (paragraph.level !== null) return markedHeading(paragraph.level, text);
    if (marked || paragraph.kind !== 'text') return null;
    const strong = strongHeading(text, paragraph);
    if (strong) return strong;
    const isApart = paragraph.bold || (usual > 0 && paragraph.size > LARGE * usual);
    const numbered = numberedHeading(text, isApart, last);
    if (numbered?.number) last = partsOf(numbered.number);
    if (numbered) return numbered;
    const isTerm = paragraph.bold && paragraph.size <= LARGE * usual && isPlain(flow, paragraph);
    if (isTerm && under.some((heading) => DEFINITIONS.test(heading.text)))
      return { level: LEVEL.plain, text, number: null, length: text.length, untitled: false };
    return plain(paragraph);
  }
  return {
    headingOf,
    isName: (paragraph) => paragraph.page === 1 && paragraph.size > LARGE * usual && isPlain(flow, paragraph),
    titleOf(next) {
      const text = textOf(next);
      if (next.kind !== 'text' || text.length > 160 || /[.;:,]$/.test(text) || MARKED.test(text)) return null;
      return next.level === null && (strongHeading(text, next) || NUMBERED.test(text)) ? null : text;
    },
  };
}

function usualSize({ paragraphs }: Flow): number {
  const weights = new Map<number, number>();
  for (const { size, start, end, kind } of paragraphs) {
    const rounded = Math.round(size * 2) / 2;
    if (kind === 'text') weights.set(rounded, (weights.get(rounded) ?? 0) + end - start);
  }
  return [...weights].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
}

function markedHeading(level: number, text: string): Found {
  const number = (ruleHeading(text) ?? divisionHeading(text))?.number ?? NUMBERED.exec(text)?.[1] ?? null;
  return { level, text, number, length: text.length, untitled: false };
}

type Ranked = Pick<Found, 'level' | 'number' | 'untitled'>;

function ruleHeading(line: string): Ranked | null {
  const matched = SECTION_SIGN.exec(line) ?? ARTICLE.exec(line);
  if (!matched) return null;
  const number = matched[0].replace(/^§\s*/, '§ ').replace(/\s+/g, ' ');
  const rest = line.slice(matched[0].length).replace(/^\s*[.:–—-]?\s*/, '');
  if (rest === '') return { level: LEVEL.rule, number, untitled: true };
  const isTitle = /^[\p{Lu}“"„(\d]/u.test(rest) && !REFERENCE_GOES_ON.test(rest) && !/[;,]$/.test(rest);
  return isTitle && !isSentence(rest) ? { level: LEVEL.rule, number, untitled: false } : null;
}

function isSentence(text: string): boolean {
  return text.length > 90 && /\.\s*$/.test(text);
}

function divisionHeading(line: string): Ranked | null {
  const matched = DIVISION.exec(line);
  if (!matched) return null;
  const rest = line.slice(matched[0].length).replace(/^\s*[.:–—-]?\s*/, '');
  if (rest !== '' && (!/^[\p{Lu}“"„([]/u.test(rest) || /[.;,]$/.test(rest) || REFERENCE_GOES_ON.test(rest)))
    return null;
  const [number, division, chapter, section, counted = ''] = matched;
  const base = division ? LEVEL.division : chapter ? LEVEL.chapter : LEVEL.section;
  const dots = section ? counted.split('.').length - 1 : 0;
  return { level: base + dots * 0.1, number, untitled: rest === '' };
}

/** `3.2.1 Title`; a sentence after the number leaves the number as the heading. */
function numberedHeading(text: string, isApart: boolean, last: readonly number[]): Found | null {
  const number = NUMBERED.exec(text)?.[1];
  if (number) {
    if (!isApart && !goesOn(last, partsOf(number))) return null;
    const level = LEVEL.numbered + number.split('.').length * 0.1;
    const isTitle = text.length <= LONGEST_NUMBERED && !/[.;,:]$/.test(text);
    if (isTitle) return { level, number, text, length: text.length, untitled: false };
    return { level, number, text: number, length: text.indexOf(' '), untitled: false };
  }
  const top = isApart && text.length <= LONGEST_NUMBERED && !/[.;,:]$/.test(text) ? TOP_NUMBER.exec(text)?.[1] : null;
  return top ? { level: LEVEL.numbered, number: top, text, length: text.length, untitled: false } : null;
}

function partsOf(number: string): number[] {
  return number.split('.').map(Number);
}

/** Whether a number may follow another: 3.2.1 after 3.2 or 3.1.4, 4.1 after 3.2.7; a new count begins with ones. */
function goesOn(last: readonly number[], next: readonly number[]): boolean {
  if (last.length === 0 || next.slice(1).every((part) => part === 1)) return true;
  const at = next.findIndex((part, i) => part !== last[i]);
  if (at === -1) return false;
  const [before = 0, part = 0] = [last[at], next[at]];
  return part > before && part - before <= 2 && next.slice(at + 1).every((rest) => rest <= 1);
}

/** Headings without number, by their print: large ones; in bold only where the document has no others. */
function plainHeadings(flow: Flow, usual: number): (paragraph: Paragraph) => Found | null {
  const candidates = flow.paragraphs.filter((paragraph) => isPlain(flow, paragraph));
  const times = new Map<string, number>();
  const key = ({ start, end }: Paragraph) => flow.text.slice(start, end).toLowerCase();
  for (const paragraph of candidates) times.set(key(paragraph), (times.get(key(paragraph)) ?? 0) + 1);
  const strong = flow.paragraphs.filter(({ start, end, bold, size }) => {
    const text = flow.text.slice(start, Math.min(end, start + LONGEST));
    const isApart = bold || (usual > 0 && size > LARGE * usual);
    return ruleHeading(text) || divisionHeading(text) || (isApart && NUMBERED.test(text));
  });
  const largest = strong.reduce((most, { size }) => Math.max(most, size), 0);
  return (paragraph) => {
    const { size, bold, start, end } = paragraph;
    if (usual === 0 || !isPlain(flow, paragraph) || (times.get(key(paragraph)) ?? 0) >= REPEATED) return null;
    const isLarge = size > LARGE * usual && size >= largest;
    if (!isLarge && !(bold && strong.length < FEW_STRONG)) return null;
    const text = flow.text.slice(start, end);
    return { level: isLarge ? LEVEL.title : LEVEL.plain, text, number: null, length: text.length, untitled: false };
  };
}

function isPlain(flow: Flow, { start, end, kind, contents }: Paragraph): boolean {
  if (kind !== 'text' || contents || end - start > LONGEST_PLAIN) return false;
  const text = flow.text.slice(start, end);
  return /^[\p{Lu}\p{N}“"„]/u.test(text) && /\p{L}{3}/u.test(text) && !/[.;,:]$/.test(text) && !DATE.test(text);
}
