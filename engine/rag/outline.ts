/** Headings of laws, rules and guides: `§ 14a …`, `Article 5`, `3.2.1 …`, chapters, parts, and Markdown's own. */
import type { Flow, Paragraph } from './flow.ts';

export type Section = {
  /** Heading path, outermost first, joined by ` > `; empty before the first heading. */
  path: string;
  /** Its paragraphs below the heading, without subsections. */
  body: Paragraph[];
};

type Heading = {
  level: number;
  text: string /** Characters of the paragraph that belong to the heading. */;
  length: number;
};
type Found = Heading & { /** The title stands in the next paragraph. */ untitled: boolean };

const LONGEST = 220;
const LONGEST_SHOWN = 120;
const LEVEL = { division: 7, chapter: 8, section: 9, rule: 10, numbered: 11 };
/** After a `§ 5` these make it a reference inside a sentence. */
const REFERENCE_GOES_ON =
  /^(?:[,;)\]/]|\([a-z0-9]{1,3}\)|(?:absatz|abs\.?|satz|nummer|nr\.?|und|oder|bis|sowie|des|der|die|dieser|gilt|ist|sind|in|of|and|or|to|through|shall|applies|buchstabe|ff?\.|entsprechend|findet|finden|bleibt|bleiben)(?:[\s.]|$))/iu;
const SECTION_SIGN = /^§§?\s*\d+[a-z]{0,2}(?:\.\d+)*(?:\s+(?:bis|und|to|and)\s+§?\s*\d+[a-z]?)?/i;
const ARTICLE = /^(?:Article|Artikel|ARTICLE|ARTIKEL)\s+\d+[a-z]?(?![\p{L}\d(])/u;
const DIVISION =
  /^(?:(buch|book|part|teil|title|titel|annex|anhang|anlage)|(chapter|kapitel)|(section|abschnitt|unterabschnitt|subchapter|rule))\s+((?:[ivxlc]+|\d+[a-z]?|[a-z])(?:\.\d+)*)(?=$|[\s.:–-])/iu;
const NUMBERED = /^(\d{1,2}(?:\.\d{1,3}){1,6})\.?\s+(?=[\p{Lu}“"‘(])/u;
const TOP_NUMBER = /^\d{1,2}\.?\s+(?=\p{Lu})/u;
const CONTENTS = /^(?:.{0,20}:\s*)?(?:inhalt|inhaltsübersicht|inhaltsverzeichnis|table of contents|contents)\s*$/i;
const MARKED = /^(?:\(|\d{1,3}[.)]\s|[a-z]\)|[•–-]\s)/;
/** A heading that comes again with more text below it stood in the contents the first time. */
const FEW_WORDS = 20;
const FEW_HEADINGS = 3;
/** An entry of a table of contents. */
const ENTRY =
  /^(?:§|Art|Artikel|Article|Section|Abschnitt|Unterabschnitt|Teil|Part|Chapter|Kapitel|Anlage|Annex|\d+(?:\.\d+)*\s)[^;]*[^.;:,]$/iu;
const MOSTLY_ENTRIES = 0.6;

/** Sections with text, in order; tables of contents are left out. */
export function outline(flow: Flow): Section[] {
  const usual = usualSize(flow);
  // Where the format marks its headings, nothing else is one.
  const marked = flow.paragraphs.filter(({ level }) => level !== null).length >= FEW_HEADINGS;
  const sections: Section[] = [];
  let stack: Heading[] = [];
  let current: Section = { path: '', body: [] };
  let inContents = false;
  const paragraphs = flow.paragraphs;
  for (let i = 0; i < paragraphs.length; i += 1) {
    const paragraph = paragraphs[i];
    if (!paragraph || isInsideContents(paragraphs, i)) continue;
    const text = flow.text.slice(paragraph.start, paragraph.end);
    const found = marked && paragraph.level === null ? null : headingOf(text, paragraph, usual);
    if (!found) {
      if (CONTENTS.test(text)) inContents = true;
      else if (!inContents) current.body.push(paragraph);
      continue;
    }
    inContents = CONTENTS.test(found.text);
    const heading: Heading = { ...found };
    const next = paragraphs[i + 1];
    const title = found.untitled && next && !next.contents ? titleOf(flow, next, usual) : null;
    if (title !== null) {
      heading.text = `${found.text} ${title}`;
      i += 1;
    }
    stack = [...stack.filter(({ level }) => level < heading.level), heading];
    if (current.body.length > 0) sections.push(current);
    current = { path: inContents ? '' : pathOf(stack), body: title === null ? restOf(paragraph, found.length) : [] };
    if (inContents) stack = stack.slice(0, -1);
  }
  if (current.body.length > 0) sections.push(current);
  return withoutDecoys(flow, sections);
}

/** An entry with leaders, or the wrapped part of one or a page's foot between two of them. */
function isInsideContents(paragraphs: readonly Paragraph[], i: number): boolean {
  if (paragraphs[i]?.contents) return true;
  const near = (from: number, to: number) => paragraphs.slice(Math.max(0, from), to).some(({ contents }) => contents);
  return near(i - 3, i) && near(i + 1, i + 4);
}

function usualSize({ paragraphs }: Flow): number {
  const weights = new Map<number, number>();
  for (const { size, start, end } of paragraphs) {
    const rounded = Math.round(size * 2) / 2;
    weights.set(rounded, (weights.get(rounded) ?? 0) + end - start);
  }
  return [...weights].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 0;
}

function headingOf(text: string, paragraph: Paragraph, usual: number): Found | null {
  if (paragraph.level !== null) return { level: paragraph.level, text, length: text.length, untitled: false };
  // A heading may run into its text where nothing sets it apart; then its first line is looked at.
  const line = text.length <= LONGEST ? text : text.slice(0, paragraph.first_line).trim();
  const found = ruleHeading(line) ?? divisionHeading(line) ?? numberedHeading(line, paragraph.size, usual);
  return found && line.length <= LONGEST ? { ...found, text: line, length: line.length } : null;
}

function ruleHeading(line: string): { level: number; untitled: boolean } | null {
  const matched = SECTION_SIGN.exec(line) ?? ARTICLE.exec(line);
  if (!matched) return null;
  const rest = line.slice(matched[0].length).replace(/^\s*[.:–—-]?\s*/, '');
  if (rest === '') return { level: LEVEL.rule, untitled: true };
  const isTitle = /^[\p{Lu}“"„(\d]/u.test(rest) && !REFERENCE_GOES_ON.test(rest) && !/[;,]$/.test(rest);
  return isTitle && !isSentence(rest) ? { level: LEVEL.rule, untitled: false } : null;
}

function isSentence(text: string): boolean {
  return text.length > 90 && /\.\s*$/.test(text);
}

function divisionHeading(line: string): { level: number; untitled: boolean } | null {
  const matched = DIVISION.exec(line);
  if (!matched) return null;
  const rest = line.slice(matched[0].length).replace(/^\s*[.:–—-]?\s*/, '');
  if (rest !== '' && (!/^[\p{Lu}“"„(]/u.test(rest) || /[.;,]$/.test(rest) || REFERENCE_GOES_ON.test(rest))) return null;
  const [, division, chapter, section, number = ''] = matched;
  const base = division ? LEVEL.division : chapter ? LEVEL.chapter : LEVEL.section;
  const dots = section ? number.split('.').length - 1 : 0;
  return { level: base + dots * 0.1, untitled: rest === '' };
}

function numberedHeading(line: string, size: number, usual: number): { level: number; untitled: boolean } | null {
  if (/[.;,:]$/.test(line) || line.length > 150) return null;
  const number = NUMBERED.exec(line)?.[1];
  if (number) return { level: LEVEL.numbered + number.split('.').length * 0.1, untitled: false };
  const isLarge = usual > 0 && size > 1.15 * usual;
  return isLarge && TOP_NUMBER.test(line) ? { level: LEVEL.numbered, untitled: false } : null;
}

/** The paragraph below `Article 5` or `CHAPTER II`, where it is a title. */
function titleOf(flow: Flow, next: Paragraph, usual: number): string | null {
  const text = flow.text.slice(next.start, next.end);
  if (text.length > 160 || /[.;:,]$/.test(text) || MARKED.test(text) || headingOf(text, next, usual)) return null;
  return text;
}

function pathOf(stack: readonly Heading[]): string {
  return stack.map(({ text }) => shorten(text.replace(/\s+/g, ' ').trim())).join(' > ');
}

function shorten(text: string): string {
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, text.lastIndexOf(' ', LONGEST_SHOWN))} …`;
}

/** What follows a heading inside its paragraph. */
function restOf(paragraph: Paragraph, length: number): Paragraph[] {
  const start = paragraph.start + length + 1;
  return start < paragraph.end ? [{ ...paragraph, start, first_line: 0 }] : [];
}

/** Leaves out what a table of contents made: entries whose heading comes again with a body. */
function withoutDecoys(flow: Flow, sections: readonly Section[]): Section[] {
  const words = (section: Section) =>
    section.body.reduce((sum, { start, end }) => sum + flow.text.slice(start, end).split(/\s+/).length, 0);
  const longest = new Map<string, number>();
  const key = ({ path }: Section) =>
    path
      .slice(path.lastIndexOf(' > ') + 1)
      .toLowerCase()
      .slice(0, 30);
  const counted = sections.map((section) => ({ section, words: words(section) }));
  for (const { section, words } of counted) longest.set(key(section), Math.max(longest.get(key(section)) ?? 0, words));
  return counted
    .filter(({ section }) => !isContents(flow, section))
    .filter(
      ({ section, words }) =>
        section.path === '' || words >= FEW_WORDS || words * 2 >= (longest.get(key(section)) ?? 0),
    )
    .map(({ section }) => section);
}

function isContents(flow: Flow, { body }: Section): boolean {
  const entries = body.filter(({ start, end }) => end - start < LONGEST && ENTRY.test(flow.text.slice(start, end)));
  return body.length >= FEW_HEADINGS && entries.length >= MOSTLY_ENTRIES * body.length;
}
