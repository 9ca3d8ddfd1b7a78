/** Footnotes: small print at the foot of a page that begins with a mark, and the marks in the text that lead there. */
import type { Line, PageItem } from './page.ts';

const MARK = /^(?:\(?(\d{1,3}|[*†‡]{1,3})\)?|\[(\d{1,3})\])\s+\S/;
/** Small print is at least this much smaller than the text of its page. */
const SMALLER = 0.4;
/** Share of a page's lines above the first footnote. */
const FOOT = 0.25;
/** Share of a page's letters. */
const MANY = 0.15;
/** A mark in the text is this much smaller than its line. */
const RAISED = 0.78;

/** Lines of footnotes are marked as such, and their marks are gone from the text. */
export function withNotes(lines: readonly Line[]): Line[] {
  const pages = new Map<number, Line[]>();
  for (const line of lines) pages.set(line.page, [...(pages.get(line.page) ?? []), line]);
  return [...pages.values()].flatMap(notesOfPage);
}

function notesOfPage(lines: readonly Line[]): Line[] {
  const size = usualSize(lines);
  const first = lines.findIndex(
    (line, i) =>
      i >= FOOT * lines.length && MARK.test(line.text) && lines.slice(i).every((below) => isSmall(below, size)),
  );
  if (first === -1) return [...lines];
  const marks = new Set<string>();
  const notes = lines.slice(first).map((line): Line => {
    const [, mark, other] = MARK.exec(line.text) ?? [];
    const found = mark ?? other;
    if (found) marks.add(found);
    return { ...line, note: found ? 'begins' : 'goes on' };
  });
  return [...lines.slice(0, first).map((line) => withoutMarks(line, marks)), ...notes];
}

function isSmall(line: Line, size: number): boolean {
  return !line.row && line.height < size - SMALLER;
}

/** The largest size that many letters of the page have: footnotes may be longer than the text above them. */
function usualSize(lines: readonly Line[]): number {
  const letters = new Map<number, number>();
  for (const { height, text } of lines) {
    const rounded = Math.round(height * 10) / 10;
    letters.set(rounded, (letters.get(rounded) ?? 0) + text.length);
  }
  const all = [...letters.values()].reduce((sum, count) => sum + count, 0);
  return Math.max(0, ...[...letters].filter(([, count]) => count >= MANY * all).map(([size]) => size));
}

function withoutMarks(line: Line, marks: ReadonlySet<string>): Line {
  const isMark = ({ text, height }: PageItem) =>
    height < RAISED * line.height && marks.has(text.trim().replace(/^[([]|[)\]]$/g, ''));
  return line.items.some(isMark) ? { ...line, items: line.items.filter((item) => !isMark(item)) } : line;
}
