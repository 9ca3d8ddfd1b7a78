/** From lines or plain text to the version's full text: paragraphs with offsets, and where each run stands on its page. */
import { isContentsLine } from './furniture.ts';
import { detectLanguage } from './language.ts';
import { isApart, type Line } from './page.ts';

/** A piece of the full text with its box (points, origin top left). */
export type Segment = { start: number; end: number; page: number; x: number; y: number; width: number; height: number };
export type Paragraph = {
  start: number;
  end: number;
  page: number | null;
  /** Of the first line; 0 where the format has none. */
  size: number;
  /** Length of the first line, for headings that run into their text. */
  first_line: number;
  /** Level of a heading that the format marks as such (Markdown), or null. */
  level: number | null;
  contents: boolean;
};
export type Flow = { text: string; paragraphs: Paragraph[]; segments: Segment[] };

/** A paragraph or heading begins with one of these. */
const MARKER =
  /^(?:\(\p{L}{1,4}\)|\(\d{1,3}[a-z]?\)|\d{1,2}[a-z]?[.)]|[a-z]{1,2}\)|[•▪●–—-])\s+\S|^§§?\s*\d|^(?:Article|Artikel)\s+\d+[a-z]?(?:\s*$|\s*[–:-])|^\d+(?:\.\d+)+\.?\s+\p{Lu}/u;
const HEADING_LINE = /^(?:§§?\s*\d+[a-z]{0,2}|Article \d+|Artikel \d+|\d+(?:\.\d+)+\.?)(?![\p{L}(]).{0,100}[^.;,:-]$/u;
const LIGATURES: Record<string, string> = { ﬀ: 'ff', ﬁ: 'fi', ﬂ: 'fl', ﬃ: 'ffi', ﬄ: 'ffl', ﬅ: 'st', ﬆ: 'st' };
/** Vertical distance of lines, as a multiple of the usual one, that ends a paragraph. */
const LEADING = 1.3;
const SAME_SIZE = 0.08;
/** `Netz- und` keeps its hyphen. */
const HANGING = /^(?:und|oder|bzw\.?|sowie|and|or|to)\b/;

/** Ligatures apart, no control characters or soft hyphens, one kind of space. */
export function cleanCharacters(text: string): string {
  return text
    .replace(/[ﬀ-ﬆ]/g, (found) => LIGATURES[found] ?? found)
    .replace(/[\p{Cc}\u00ad\u200b-\u200d\u2060\ufeff]/gu, (found) =>
      /\s/.test(found) && found !== '\ufeff' ? ' ' : '',
    )
    .replace(/[\u00a0\u2000-\u200a\u202f\u3000]/g, ' ')
    .toWellFormed();
}

export function flowOfLines(lines: readonly Line[]): Flow {
  const flow: Flow = { text: '', paragraphs: [], segments: [] };
  const print = { leading: usualLeading(lines), edge: usualEdge(lines) };
  const isDivided = dividedWords(lines);
  let previous: Line | undefined;
  const parts: string[] = [];
  let length = 0;
  for (const line of lines) {
    const last = flow.paragraphs.at(-1);
    if (!previous || !last || startsParagraph(previous, line, print)) {
      if (last) push('\n');
      flow.paragraphs.push(paragraphAt(length, line));
    } else joinLine(line);
    writeLine(line);
    const current = flow.paragraphs.at(-1);
    if (current) {
      current.end = length;
      if (current.first_line === 0) current.first_line = length - current.start;
      if (isContentsLine(line.text)) current.contents = true;
    }
    previous = line;
  }
  flow.text = parts.join('');
  return flow;

  function push(text: string): void {
    parts.push(text);
    length += text.length;
  }

  /** A word that was divided at the end of the line becomes whole again. */
  function joinLine(line: Line): void {
    const before = parts.at(-1) ?? '';
    const next = cleanCharacters(line.text);
    if (/\p{L}-$/u.test(before) && !HANGING.test(next)) {
      if (!/^\p{Ll}/u.test(next) || !isDivided(before, next)) return;
      parts[parts.length - 1] = before.slice(0, -1);
      length -= 1;
      const segment = flow.segments.at(-1);
      if (segment) segment.end -= 1;
      return;
    }
    push(' ');
  }

  function writeLine(line: Line): void {
    line.items.forEach((item, i) => {
      const before = line.items[i - 1];
      if (before && isApart(before, item)) push(' ');
      let text = cleanCharacters(item.text).replace(/\s+/g, ' ');
      if (i === 0) text = text.trimStart();
      if (i === line.items.length - 1) text = text.trimEnd();
      if (text === '') return;
      const start = length;
      push(text);
      const { x, y, width, height } = item;
      flow.segments.push({ start, end: length, page: line.page, x, y, width, height });
    });
  }
}

/**
 * Tells a divided word (`genera-` `tion`) from one that has its hyphen anyway (`climate-` `related`): by how the
 * document writes it elsewhere; failing that, in English by whether both halves are words.
 */
function dividedWords(lines: readonly Line[]): (before: string, after: string) => boolean {
  const words = new Set<string>();
  for (const { text } of lines) {
    const whole = text.toLowerCase().replace(/\p{L}+-$/u, '');
    for (const [word] of whole.matchAll(/\p{L}+(?:-\p{L}+)*/gu)) words.add(word);
  }
  const english =
    detectLanguage(
      lines
        .slice(0, 500)
        .map(({ text }) => text)
        .join(' '),
    ) === 'en';
  return (before, after) => {
    const first = /(\p{L}+(?:-\p{L}+)*)-$/u.exec(before.toLowerCase())?.[1] ?? '';
    const second = /^\p{L}+/u.exec(after.toLowerCase())?.[0] ?? '';
    if (words.has(`${first}-${second}`)) return false;
    if (words.has(`${first}${second}`)) return true;
    return !(english && words.has(first) && words.has(second));
  };
}

function paragraphAt(start: number, { page, height }: Line): Paragraph {
  return { start, end: start, page, size: height, first_line: 0, level: null, contents: false };
}

type Print = { /** Usual distance of lines. */ leading: number /** Where full lines end. */; edge: number };

function usualEdge(lines: readonly Line[]): number {
  const edges = lines.map(({ right }) => right).sort((a, b) => a - b);
  return edges[Math.floor(edges.length * 0.9)] ?? 0;
}

function usualLeading(lines: readonly Line[]): number {
  const steps = lines.flatMap((line, i) => {
    const before = lines[i - 1];
    const step = before && before.page === line.page ? line.y - before.y : 0;
    return step > 1 ? [step] : [];
  });
  return steps.sort((a, b) => a - b)[Math.floor(steps.length * 0.4)] ?? 12;
}

function startsParagraph(before: Line, line: Line, { leading, edge }: Print): boolean {
  if (MARKER.test(line.text) || isContentsLine(before.text) || isContentsLine(line.text)) return true;
  // A heading that does not fill its line has ended there.
  if (HEADING_LINE.test(before.text) && before.right < 0.8 * edge && /^\P{Ll}/u.test(line.text)) return true;
  const larger = Math.max(before.height, line.height);
  if (larger > 0 && Math.abs(before.height - line.height) > SAME_SIZE * larger + 0.5) return true;
  const ends = /[.;:!?”"]$/.test(before.text);
  if (before.page !== line.page || before.column !== line.column) return ends || before.font !== line.font;
  if (line.y - before.y > LEADING * Math.max(leading, 1.05 * line.height)) return true;
  return before.font !== line.font && /^(?:§|Art|\d+(?:\.\d+)+\s)/.test(before.text) && before.text.length < 120;
}
