/** Which row of a table is its head, also where the table goes on over a page, and so what each cell is about. */
import type { Line, RowOfTable } from './page.ts';

/** Label of a cell by its column; null for a row that is the head itself and is told with the others. */
export type Heads = ReadonlyMap<Line, ReadonlyMap<number, string> | null>;

/** A longer cell is text, no label. */
const LONGEST_LABEL = 100;
const SAME_EDGE = 6;

/** @param lines in reading order; a table that stands last on a page and first on the next is one. */
export function headsOf(lines: readonly Line[]): Heads {
  const heads = new Map<Line, ReadonlyMap<number, string> | null>();
  let head: { row: RowOfTable; labels: Map<number, string>; text: string } | null = null;
  let before: Line | undefined;
  lines.forEach((line, i) => {
    if (line.note) return;
    const { row } = line;
    if (row && row.table !== before?.row?.table) {
      if (!(head && before?.row && goesOn(before, line))) head = null;
      const repeats = head !== null && head.text === line.text;
      if (!head && isHead(line, lines[i + 1])) head = { row, labels: labelsOf(row), text: line.text };
      else if (!repeats) heads.set(line, head?.labels ?? new Map());
      if (head && (repeats || head.row === row)) heads.set(line, null);
    } else if (row) heads.set(line, head?.labels ?? new Map());
    before = line;
  });
  return heads;
}

/** The cell's own label, or that of the head's cell that reaches over its column. */
export function labelOf(labels: ReadonlyMap<number, string>, column: number): string {
  for (let at = column; at >= 0; at -= 1) {
    const label = labels.get(at);
    if (label !== undefined) return label;
  }
  return '';
}

function goesOn(before: Line, line: Line): boolean {
  const [a = [], b = []] = [before.row?.table.edges, line.row?.table.edges];
  const from = (edges: readonly number[]) => edges.map((edge) => edge - (edges[0] ?? 0));
  const [left, right] = [from(a), from(b)];
  const isSame = left.length === right.length && left.every((edge, i) => Math.abs(edge - (right[i] ?? 0)) < SAME_EDGE);
  return line.page === before.page + 1 && isSame;
}

/** Short in every column, and set apart: in bold, or over a row that is not, or over figures. */
function isHead(line: Line, next: Line | undefined): boolean {
  const { row } = line;
  if (!row || next?.row?.table !== row.table || row.cells.length < 2) return false;
  const texts = row.cells.map(({ lines }) => textOf(lines));
  if (texts.some((text) => text.length > LONGEST_LABEL || /^[\d.,%€$ -]+$/.test(text))) return false;
  const isFull = row.cells.length >= row.columns.length - 1;
  return isFull && ((line.bold && !next.bold) || line.font !== next.font || row.columns.length > 2);
}

function labelsOf({ columns, cells }: RowOfTable): Map<number, string> {
  const texts = new Map(cells.map(({ column, lines }) => [column, textOf(lines)]));
  return new Map(columns.map((column) => [column, texts.get(column) ?? '']));
}

/** `Rand-` `nummer` is one word in a narrow cell. */
function textOf(lines: readonly Line[]): string {
  return lines
    .map(({ text }) => text)
    .join('\n')
    .replace(/(\p{L})-\n(?=\p{Ll})/gu, '$1')
    .replace(/\s+/g, ' ')
    .trim();
}
