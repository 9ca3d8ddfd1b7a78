/** From lines to the version's full text: paragraphs with offsets, and where each run stands on its page. */
import { cleanCharacters } from './characters.ts';
import { isContentsLine } from './contents.ts';
import { type AtHyphen, hyphensOf } from './hyphens.ts';
import { isApart, type Line, type RowOfTable } from './page.ts';
import { headsOf, labelOf } from './table-head.ts';

/** A piece of the full text with its box (points, origin top left). */
export type Segment = { start: number; end: number; page: number; x: number; y: number; width: number; height: number };
export type Paragraph = {
  start: number;
  end: number;
  page: number | null;
  /** Of the first line; 0 where the format has none. */
  size: number;
  /** The first line is in bold. */
  bold: boolean;
  /** Length of the first line, for headings that run into their text. */
  first_line: number;
  /** Level of a heading that the format marks as such (Markdown), or null. */
  level: number | null;
  contents: boolean;
  kind: 'text' | 'table' | 'footnote';
  boxed?: boolean;
};
export type Flow = { text: string; paragraphs: Paragraph[]; segments: Segment[] };

/** A paragraph or heading begins with one of these. */
const MARKER =
  /^(?:\(\p{L}{1,4}\)|\(\d{1,3}[a-z]?\)|\d{1,2}[a-z]?[.)]|[a-z]{1,2}\)|[•▪●–—-])\s+\S|^§§?\s*\d|^(?:Article|Artikel)\s+\d+[a-z]?(?:\s*$|\s*[–:-])|^\d+(?:\.\d+)+\.?\s+\p{Lu}/u;
const HEADING_LINE = /^(?:§§?\s*\d+[a-z]{0,2}|Article \d+|Artikel \d+|\d+(?:\.\d+)+\.?)(?![\p{L}(]).{0,100}[^.;,:-]$/u;
/** Vertical distance of lines, as a multiple of the usual one, that ends a paragraph. */
const LEADING = 1.3;
const SAME_SIZE = 0.08;
const BETWEEN_CELLS = ' | ';

export function flowOfLines(lines: readonly Line[]): Flow {
  const writer = createWriter(hyphensOf(lines.map(({ text }) => text)));
  const print = printOf(lines);
  const heads = headsOf(lines);
  let notes: Line[] = [];
  let previous: Line | undefined;
  const writeNotes = () => {
    notes.forEach((line, i) => {
      if (line.note === 'begins' || i === 0) writer.begin(line, 'footnote');
      else writer.goOn(line);
      writer.line(line);
    });
    notes = [];
  };
  for (const line of lines) {
    const labels = heads.get(line);
    if (line.note) notes.push(line);
    if (line.note || labels === null) continue;
    if (!previous || startsParagraph(previous, line, print(line.page))) {
      writeNotes();
      writer.begin(line, line.row ? 'table' : 'text');
    } else writer.goOn(line);
    if (line.row) writer.row(line.row, labels ?? new Map());
    else writer.line(line);
    previous = line;
  }
  writeNotes();
  return writer.flow();
}

function createWriter(atHyphen: AtHyphen) {
  const paragraphs: Paragraph[] = [];
  const segments: Segment[] = [];
  const parts: string[] = [];
  let length = 0;

  function push(text: string): void {
    parts.push(text);
    length += text.length;
  }
  function begin(line: Line, kind: Paragraph['kind']): void {
    if (paragraphs.length > 0) push('\n');
    const { page, height, bold, boxed = false } = line;
    paragraphs.push({
      ...{ start: length, end: length, page, size: height, bold, first_line: 0, level: null },
      ...{ contents: false, kind, boxed },
    });
  }
  /** A word that was divided at the end of the line becomes whole again. */
  function goOn(line: Line): void {
    const before = parts.at(-1) ?? '';
    const what = atHyphen(before, cleanCharacters(line.text));
    if (what === 'apart') push(' ');
    if (what !== 'joined') return;
    parts[parts.length - 1] = before.slice(0, -1);
    length -= 1;
    const segment = segments.at(-1);
    if (segment) segment.end -= 1;
  }
  function write(line: Line): void {
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
      segments.push({ start, end: length, page: line.page, x, y, width, height });
    });
  }
  function finish(line?: Line): void {
    const current = paragraphs.at(-1);
    if (!current) return;
    current.end = length;
    if (current.first_line === 0) current.first_line = length - current.start;
    if (line && (line.contents || isContentsLine(line.text))) current.contents = true;
  }
  return {
    begin,
    goOn,
    line(line: Line): void {
      write(line);
      finish(line);
    },
    /** `Class: A | Power: 4.2 kW`, so that each row can be understood by itself. */
    row({ cells }: RowOfTable, labels: ReadonlyMap<number, string>): void {
      let before = '';
      cells.forEach(({ column, lines }, i) => {
        if (i > 0) push(BETWEEN_CELLS);
        const label = cleanCharacters(labelOf(labels, column));
        if (label !== '' && label !== before) push(`${label}: `);
        before = label;
        lines.forEach((line, at) => {
          if (at > 0) goOn(line);
          write(line);
        });
      });
      finish();
    },
    flow: (): Flow => ({ text: parts.join(''), paragraphs, segments }),
  };
}

type Print = { /** Usual distance of lines. */ leading: number /** Where full lines end. */; edge: number };
const ENOUGH_LINES = 8;

/** Of each page, or of the whole document where a page has too few lines to tell. */
function printOf(lines: readonly Line[]): (page: number) => Print {
  const pages = new Map<number, Line[]>();
  for (const line of lines) pages.set(line.page, [...(pages.get(line.page) ?? []), line]);
  const whole = { leading: usualLeading(lines), edge: usualEdge(lines) };
  const known = new Map<number, Print>();
  return (page) => {
    const found = known.get(page);
    if (found) return found;
    const own = pages.get(page) ?? [];
    const print = own.length < ENOUGH_LINES ? whole : { leading: usualLeading(own), edge: usualEdge(own) };
    known.set(page, print);
    return print;
  };
}

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
  if (before.row || line.row || before.boxed !== line.boxed || before.contents || line.contents) return true;
  if (MARKER.test(line.text) || isContentsLine(before.text) || isContentsLine(line.text)) return true;
  // A heading that does not fill its line has ended there.
  const isShort = before.right < 0.8 * edge;
  if (HEADING_LINE.test(before.text) && isShort && /^\P{Ll}/u.test(line.text)) return true;
  if (before.bold && !line.bold && isShort && /^[\p{Lu}\p{N}("“„]/u.test(line.text)) return true;
  const larger = Math.max(before.height, line.height);
  if (larger > 0 && Math.abs(before.height - line.height) > SAME_SIZE * larger + 0.5) return true;
  const ends = /[.;:!?”"]$/.test(before.text);
  if (before.page !== line.page || before.column !== line.column) return ends || before.font !== line.font;
  if (line.y - before.y > LEADING * Math.max(leading, 1.05 * line.height)) return true;
  return before.font !== line.font && /^(?:§|Art|\d+(?:\.\d+)+\s)/.test(before.text) && before.text.length < 120;
}
