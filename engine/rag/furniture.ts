/** What stands on pages but is no text of the document: running heads and feet, page numbers. */
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

const NAMED = /^(?:section|chapter|part|kapitel|abschnitt|teil) [\dA-Z]{1,4}\s*(?:\([A-Z]\))?\s*:/i;
const MONTHS =
  /\b(?:january|february|march|april|may|june|july|august|september|october|november|december|januar|februar|märz|mai|juni|juli|oktober|dezember)\b/g;
const SHARE_OF_BAND = 0.7;

export type PageSize = { number: number; height: number };

/** The lines without running heads, feet and page numbers; rows of tables all stay. */
export function withoutFurniture(lines: readonly Line[], pages: readonly PageSize[]): Line[] {
  const heights = new Map(pages.map(({ number, height }) => [number, height]));
  const isWithin = (line: Line, share: number) => {
    const height = heights.get(line.page) ?? 0;
    return !line.row && (line.y < share * height || line.y + line.height > (1 - share) * height);
  };
  const inMargin = (line: Line) => isWithin(line, NUMBERED.test(line.text) ? NARROW_MARGIN : MARGIN);
  const seen = new Map<string, Set<number>>();
  for (const line of lines) {
    if (!inMargin(line)) continue;
    const shape = shapeOf(line);
    seen.set(shape, (seen.get(shape) ?? new Set()).add(line.page));
  }
  const often = Math.min(OFTEN, Math.max(FEWEST_PAGES, SHARE_OF_PAGES * pages.length));
  const isFurniture = (line: Line) =>
    inMargin(line) &&
    (PAGE_NUMBER.test(line.text) || (seen.get(shapeOf(line))?.size ?? 0) >= often || isNamed(line, seen));
  const bands = bandsOf(
    lines.filter((line) => isWithin(line, NARROW_MARGIN)),
    isFurniture,
  );
  return lines.filter((line) => !isFurniture(line) && !(isWithin(line, NARROW_MARGIN) && bands.has(bandOf(line))));
}

/** Places at the very edge where hardly anything but furniture stands: a head that comes once stands there too. */
function bandsOf(lines: readonly Line[], isFurniture: (line: Line) => boolean): Set<string> {
  const counts = new Map<string, { all: number; furniture: number }>();
  for (const line of lines) {
    const count = counts.get(bandOf(line)) ?? { all: 0, furniture: 0 };
    count.all += 1;
    if (isFurniture(line)) count.furniture += 1;
    counts.set(bandOf(line), count);
  }
  const isBand = ({ all, furniture }: { all: number; furniture: number }) =>
    furniture >= OFTEN && furniture >= SHARE_OF_BAND * all;
  return new Set([...counts].filter(([, count]) => isBand(count)).map(([band]) => band));
}

function bandOf({ y, height }: Line): string {
  return `${Math.round(y / 3)} ${Math.round(height)}`;
}

/** Numbers, dates and their order change from page to page (even and odd pages of the Official Journal). */
function shapeOf({ text }: Line): string {
  return text
    .toLowerCase()
    .replace(MONTHS, '#')
    .replace(/\p{N}+/gu, '#')
    .split(/\s+/)
    .sort()
    .join(' ');
}

/** A head that names the chapter changes with it: known by its neighbour in the margin on several pages. */
function isNamed(line: Line, seen: ReadonlyMap<string, ReadonlySet<number>>): boolean {
  return NAMED.test(line.text) && (seen.get(shapeOf(line))?.size ?? 0) >= 2;
}
