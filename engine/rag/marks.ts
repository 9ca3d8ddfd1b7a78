/** Finds a quote in a document's text again, and where it stands on its page. */
import type { DocumentText } from './document.ts';

export type Mark = { x: number; y: number; width: number; height: number };
export type Span = { start: number; end: number };

/** The place of `quote` in `text`, spaces of any kind being equal; the first at or after `from`, else the first at all. */
export function findQuote(text: string, quote: string, from = 0): Span | null {
  const words = quote.trim().split(/\s+/).filter(Boolean);
  if (words.length === 0) return null;
  const exact = text.indexOf(quote.trim(), from);
  if (exact !== -1) return { start: exact, end: exact + quote.trim().length };
  const pattern = new RegExp(words.map((word) => RegExp.escape(word)).join('\\s+'), 'g');
  pattern.lastIndex = from;
  const found = pattern.exec(text) ?? (from > 0 ? new RegExp(pattern.source).exec(text) : null);
  return found ? { start: found.index, end: found.index + found[0].length } : null;
}

/** Boxes of a span on one page, one per line of print. */
export function marksOf({ segments }: Pick<DocumentText, 'segments'>, span: Span, page: number): Mark[] {
  const marks: Mark[] = [];
  for (const { start, end, page: on, x, y, width, height } of segments) {
    if (on !== page || end <= span.start || start >= span.end || end === start) continue;
    // Letters are taken as equally wide: exact at the ends of a run, near inside.
    const [from, to] = [Math.max(span.start, start), Math.min(span.end, end)].map((at) => (at - start) / (end - start));
    const mark = { x: x + (from ?? 0) * width, y, width: ((to ?? 1) - (from ?? 0)) * width, height };
    const last = marks.at(-1);
    if (last && Math.abs(last.y - mark.y) < 0.5 * height && mark.x >= last.x) extend(last, mark);
    else marks.push(mark);
  }
  return marks.map(({ x, y, width, height }) => ({
    x: tenth(x),
    y: tenth(y),
    width: tenth(width),
    height: tenth(height),
  }));
}

function tenth(points: number): number {
  return Math.round(points * 10) / 10;
}

function extend(mark: Mark, { x, y, width, height }: Mark): void {
  const bottom = Math.max(mark.y + mark.height, y + height);
  mark.width = Math.max(mark.x + mark.width, x + width) - mark.x;
  mark.y = Math.min(mark.y, y);
  mark.height = bottom - mark.y;
}
