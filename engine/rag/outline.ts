/** The sections of a document: which text stands under which headings, and its table of contents left out. */
import type { Flow, Paragraph } from './flow.ts';
import { createHeadingFinder, type Heading } from './headings.ts';

export type Section = {
  /** Headings it stands under, outermost first; none before the first heading. */
  headings: Heading[];
  /** Its paragraphs below the heading, without subsections. */
  body: Paragraph[];
};
/** A heading at its place in the full text. */
export type Place = { text: string; level: number; number: string | null; page: number | null; start: number };

const LONGEST_SHOWN = 120;
const CONTENTS = /^(?:.{0,20}:\s*)?(?:inhalt|inhaltsübersicht|inhaltsverzeichnis|table of contents|contents)\s*$/i;
/** A heading that comes again with more text below it stood in the contents the first time. */
const FEW_WORDS = 20;
const FEW_HEADINGS = 3;
const FEWEST_IN_RUN = 4;
/** The name of a document is looked for here. */
const FIRST_PARAGRAPHS = 5;
/** An entry of a table of contents. */
const ENTRY =
  /^(?:§|Art|Artikel|Article|Section|Abschnitt|Unterabschnitt|Teil|Part|Chapter|Kapitel|Anlage|Annex|\d+(?:\.\d+)*\s)[^;]*[^.;:,]$/iu;
const MOSTLY_ENTRIES = 0.6;
const LONGEST_ENTRY = 220;
/** Inside everything. */
const BOX = 20;

type Opened = Section & { place: Place | null };

/** Sections with text, and all headings, in order; tables of contents are left out. */
export function outline(flow: Flow): { sections: Section[]; headings: Place[] } {
  const opened = withoutRuns(flow, openSections(flow));
  const withText = opened.filter(({ body }) => body.length > 0);
  return {
    sections: withoutDecoys(flow, withText).map(({ headings, body }) => ({ headings, body })),
    headings: opened.flatMap(({ place }) => place ?? []),
  };
}

/** The heading path in one line, outermost first. */
export function pathOf(headings: readonly Heading[]): string {
  return headings.map(shownOf).join(' > ');
}

export function shownOf({ text }: Pick<Heading, 'text'>): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= LONGEST_SHOWN ? line : `${line.slice(0, line.lastIndexOf(' ', LONGEST_SHOWN))} …`;
}

function openSections(flow: Flow): Opened[] {
  const finder = createHeadingFinder(flow);
  const { paragraphs } = flow;
  const opened: Opened[] = [{ headings: [], body: [], place: null }];
  let stack: Heading[] = [];
  let inContents = false;
  let inBox = false;
  for (let i = 0; i < paragraphs.length; i += 1) {
    const paragraph = paragraphs[i];
    if (!paragraph || isInsideContents(paragraphs, i)) continue;
    const isBoxed = paragraph.boxed === true;
    // What a box holds is no part of the sections around it, and opens none.
    if (isBoxed !== inBox) {
      const label = isBoxed ? labelOfBox(flow, paragraph) : null;
      opened.push({ headings: label ? [...stack, label] : stack, body: [], place: null });
      inBox = isBoxed;
      if (label) continue;
    }
    const found = isBoxed ? null : finder.headingOf(paragraph, stack);
    const text = found?.text ?? flow.text.slice(paragraph.start, paragraph.end);
    if (CONTENTS.test(text)) {
      inContents = true;
      opened.push({ headings: stack, body: [], place: placeOf(paragraph, { text, level: 0, number: null }) });
      continue;
    }
    if (!found) {
      const isName = i < FIRST_PARAGRAPHS && finder.isName(paragraph);
      const place = isName ? placeOf(paragraph, { text, level: 0, number: null }) : null;
      if (place) opened.push({ headings: stack, body: [], place });
      if (!inContents) opened.at(-1)?.body.push(paragraph);
      continue;
    }
    inContents = false;
    const { untitled, ...heading } = found;
    const next = paragraphs[i + 1];
    const title = untitled && next && !next.contents && next.boxed !== true ? finder.titleOf(next) : null;
    if (title !== null) {
      heading.text = `${found.text} ${title}`;
      i += 1;
    }
    stack = [...stack.filter(({ level }) => level < heading.level), heading];
    const body = title === null ? restOf(paragraph, found.length) : [];
    opened.push({ headings: stack, body, place: placeOf(paragraph, heading) });
  }
  return opened;
}

function placeOf(
  { start, page }: Paragraph,
  { text, level, number }: Pick<Heading, 'text' | 'level' | 'number'>,
): Place {
  return { text: text.replace(/\s+/g, ' ').trim(), level, number, page, start };
}

/** `[Replace paragraph (2) above with the following upon implementation:]`, or the box's first line in bold. */
function labelOfBox(flow: Flow, { start, end, bold }: Paragraph): Heading | null {
  const text = flow.text.slice(start, end);
  if (end - start > LONGEST_ENTRY || !(bold || /^\[.*\]$/.test(text))) return null;
  return { level: BOX, text, number: null, length: text.length };
}

/** An entry with leaders, or the wrapped part of one or a page's foot between two of them. */
function isInsideContents(paragraphs: readonly Paragraph[], i: number): boolean {
  if (paragraphs[i]?.contents) return true;
  const page = paragraphs[i]?.page;
  const near = (from: number, to: number) =>
    paragraphs.slice(Math.max(0, from), to).some((other) => other.contents && other.page === page);
  return near(i - 3, i) && near(i + 1, i + 4);
}

/** What follows a heading inside its paragraph. */
function restOf(paragraph: Paragraph, length: number): Paragraph[] {
  const start = paragraph.start + length + 1;
  return start < paragraph.end ? [{ ...paragraph, start, first_line: 0 }] : [];
}

/** A run of headings without text of which most come again later is a table of contents. */
function withoutRuns(flow: Flow, opened: readonly Opened[]): Opened[] {
  const last = new Map<string, number>();
  for (const [i, section] of opened.entries()) last.set(keyOf(section), i);
  const bare = opened.map((section) => section.place !== null && wordsOf(flow, section) <= 3);
  const kept: Opened[] = [];
  for (let i = 0; i < opened.length; ) {
    let end = i;
    while (bare[end]) end += 1;
    const run = opened.slice(i, Math.max(end, i + 1));
    const again = run.filter((section, at) => (last.get(keyOf(section)) ?? 0) > i + at).length;
    if (end - i < FEWEST_IN_RUN || again < MOSTLY_ENTRIES * run.length) kept.push(...run);
    i = Math.max(end, i + 1);
  }
  return kept;
}

function keyOf({ headings }: Section): string {
  return (headings.at(-1)?.text ?? '')
    .toLowerCase()
    .replace(/[\s.…]+\d*$/u, '')
    .slice(0, 60);
}

function wordsOf(flow: Flow, { body }: Section): number {
  return body.reduce((sum, { start, end }) => sum + flow.text.slice(start, end).split(/\s+/).length, 0);
}

/** Leaves out what a table of contents made: entries in a row whose heading comes again with more text. */
function withoutDecoys(flow: Flow, sections: readonly Opened[]): Opened[] {
  const counted = sections.map((section) => ({ section, words: wordsOf(flow, section), key: keyOf(section) }));
  const longest = new Map<string, number>();
  for (const { key, words } of counted) longest.set(key, Math.max(longest.get(key) ?? 0, words));
  const isDecoy = counted.map(
    ({ section, words, key }) =>
      section.headings.length > 0 && words < FEW_WORDS && words * 2 < (longest.get(key) ?? 0),
  );
  const inRow = (i: number) => [-2, -1, 0].some((from) => [0, 1, 2].every((at) => isDecoy[i + from + at]));
  return counted.filter(({ section }, i) => !isContents(flow, section) && !inRow(i)).map(({ section }) => section);
}

function isContents(flow: Flow, { body }: Section): boolean {
  const isEntry = ({ start, end }: Paragraph) => end - start < LONGEST_ENTRY && ENTRY.test(flow.text.slice(start, end));
  return body.length >= FEW_HEADINGS && body.filter(isEntry).length >= MOSTLY_ENTRIES * body.length;
}
