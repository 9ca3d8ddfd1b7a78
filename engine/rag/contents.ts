/** Tables of contents on pages: entries with leaders, with page numbers in a column, and the lines between them. */
import type { Line } from './page.ts';

/** Dots that lead the eye to a page number, in one run or spaced. */
const LEADERS = /(?:\.{4,}|(?:\. ){4,}|…{2,}|_{8,} ?\d)\s*\S{0,8}\s*$|\.{8,}/;
/** Of its lines that are entries: the page is contents and nothing else. */
const SHARE_OF_PAGE = 0.5;
const FEWEST_ENTRIES = 5;
const SAME_EDGE = 3;
const PAGE_NUMBER = /^(?:\d{1,4}|[ivxlc]{1,6})$/i;

export function isContentsLine(text: string): boolean {
  return LEADERS.test(text);
}

/** Entries are marked, and all lines of a page that holds hardly anything else. */
export function withContents(lines: readonly Line[]): Line[] {
  const pages = new Map<number, Line[]>();
  for (const line of lines) pages.set(line.page, [...(pages.get(line.page) ?? []), line]);
  return [...pages.values()].flatMap((page) => {
    const numbered = numberedEntries(page);
    const isEntry = (line: Line) => isContentsLine(line.text) || numbered.has(line);
    const entries = page.filter(isEntry).length;
    const isWhole = entries >= FEWEST_ENTRIES && entries >= SHARE_OF_PAGE * page.length;
    return page.map((line) => (isWhole || isEntry(line) ? { ...line, contents: true } : line));
  });
}

/** Lines that end with page numbers one below the other, which do not fall. */
function numberedEntries(page: readonly Line[]): Set<Line> {
  const ended = page.flatMap((line) => {
    const [before, last] = line.items.slice(-2);
    if (line.row || !before || !last || !PAGE_NUMBER.test(last.text.trim())) return [];
    return last.x - (before.x + before.width) > 2 * last.height ? [{ line, number: Number(last.text) }] : [];
  });
  const edge = ended.map(({ line }) => line.right).sort((a, b) => a - b)[ended.length >> 1] ?? 0;
  const aligned = ended.filter(({ line }) => Math.abs(line.right - edge) < SAME_EDGE);
  const rises = aligned.every(({ number }, i) => !(number < (aligned[i - 1]?.number ?? 0)));
  return new Set(aligned.length >= FEWEST_ENTRIES && rises ? aligned.map(({ line }) => line) : []);
}
