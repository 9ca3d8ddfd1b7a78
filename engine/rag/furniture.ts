/** What stands on pages but is no text of the document: running heads and feet, page numbers, contents with leaders. */
import type { Line } from './page.ts';

/** Share of the page's height at its top and bottom where heads and feet are looked for. */
const MARGIN = 0.12;
/** Pages may begin with a section each: `§ 1 …`, `§ 2 …` look alike, and are heads only at the very edge. */
const NARROW_MARGIN = 0.07;
const NUMBERED = /^(?:§|Art|\d+\.\d)/;
const SHARE_OF_PAGES = 0.3;
const FEWEST_PAGES = 3;
/** So often no line of the text itself comes again at an edge of a page, however long the document. */
const OFTEN = 4;
const PAGE_NUMBER =
  /^(?:(?:page|seite|p\.|s\.)\s*)?[-–—|]?\s*(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:\/|of|von|-)\s*\d{1,4})?\s*[-–—|]?$/i;
/** Dots that lead the eye to a page number, in one run or spaced. */
const LEADERS = /(?:\.{4,}|(?:\. ){4,}|…{2,})\s*\S{0,8}\s*$/;

export type PageSize = { number: number; height: number };

/** The lines without running heads, feet and page numbers. */
export function withoutFurniture(lines: readonly Line[], pages: readonly PageSize[]): Line[] {
  const heights = new Map(pages.map(({ number, height }) => [number, height]));
  const inMargin = (line: Line) => {
    const height = heights.get(line.page) ?? 0;
    const margin = NUMBERED.test(line.text) ? NARROW_MARGIN : MARGIN;
    return line.y < margin * height || line.y + line.height > (1 - margin) * height;
  };
  const seen = new Map<string, Set<number>>();
  for (const line of lines) {
    if (!inMargin(line)) continue;
    const shape = shapeOf(line);
    seen.set(shape, (seen.get(shape) ?? new Set()).add(line.page));
  }
  const often = Math.min(OFTEN, Math.max(FEWEST_PAGES, SHARE_OF_PAGES * pages.length));
  const repeats = (line: Line) => (seen.get(shapeOf(line))?.size ?? 0) >= often;
  return lines.filter(
    (line) => !inMargin(line) || !(PAGE_NUMBER.test(line.text) || repeats(line) || isNamed(line, seen)),
  );
}

/** Numbers and their order change from page to page (even and odd pages of the Official Journal). */
function shapeOf({ text }: Line): string {
  return text
    .toLowerCase()
    .replace(/\p{N}+/gu, '#')
    .split(/\s+/)
    .sort()
    .join(' ');
}

/** A head that names the chapter changes with it: known by its neighbour in the margin on several pages. */
function isNamed(line: Line, seen: ReadonlyMap<string, ReadonlySet<number>>): boolean {
  return (
    /^(?:section|chapter|kapitel|abschnitt|teil) \d+\s*:/i.test(line.text) && (seen.get(shapeOf(line))?.size ?? 0) >= 2
  );
}

export function isContentsLine(text: string): boolean {
  return LEADERS.test(text);
}
