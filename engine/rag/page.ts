/** What a reader of PDFs hands over, and the lines and table rows that are made of it. Points, origin top left. */
import { type Box, type Rule, type Table, type TableRow, tablesOf } from './table.ts';

/** A run of text as the file draws it. */
export type PageItem = {
  text: string;
  x: number;
  y: number;
  width: number;
  height: number;
  font: string;
  bold?: boolean;
};
export type Page = {
  number: number;
  width: number;
  height: number;
  items: readonly PageItem[];
  rules?: readonly Rule[];
  /** Share of its letters that are drawn so that nobody sees them: the work of text recognition over a picture. */
  hidden?: number;
};

export type Line = {
  page: number;
  items: readonly PageItem[];
  text: string;
  x: number;
  y: number;
  right: number;
  /** Height of the tallest item, which stands for the font size. */
  height: number;
  font: string;
  bold: boolean;
  /** Column, counted over the whole page in reading order; a new one breaks the flow. */
  column: number;
  /** Where the line is a row of a table. */
  row?: RowOfTable;
  /** A footnote begins with the line, or it goes on. */
  note?: 'begins' | 'goes on';
  /** An entry of a table of contents. */
  contents?: boolean;
  /** In a box of its own, beside the document's text: a note, or a change that is yet to come. */
  boxed?: boolean;
};
/** `table` is the same object for all rows of a table. */
export type RowOfTable = { table: Table; columns: readonly number[]; cells: { column: number; lines: Line[] }[] };

/** A gutter is looked for here, as shares of the page's width. */
const GUTTER_FROM = 0.35;
const GUTTER_TO = 0.65;
const GUTTER_STEP = 0.01;
/** A column's lines fill it mostly, cells of a table do not. */
const FILLED = 0.6;
const SHARE_OF_SIDE = 0.25;
const MOST_ACROSS = 0.15;
const FEWEST_ROWS = 8;
/** Share of a table's width. */
const WIDE = 0.6;

/**
 * Lines of a page in reading order. Two columns of running text are read one after the other, between full-width lines;
 * a row of a drawn table is one line.
 */
export function linesOf(page: Page): Line[] {
  const written = page.items.filter(({ text }) => text.trim() !== '');
  const { tables, boxes } = tablesOf(written, page.rules ?? []);
  const inTables = new Set(
    tables.flatMap(({ rows }) => rows.flatMap(({ cells }) => cells.flatMap(({ items }) => items))),
  );
  const rows = rowsOf(written.filter((item) => !inTables.has(item)));
  const gutter = gutterOf(rows, page.width);
  const lines = gutter === null ? rows.map((items) => lineOf(page.number, items, 0)) : inColumns(page, rows, gutter);
  const frames = [...boxes, ...tables.filter(({ framed }) => framed)];
  return withTables(page.number, lines, tables).map((line) => (isIn(line, frames) ? { ...line, boxed: true } : line));
}

function isIn(line: Line, boxes: readonly Box[]): boolean {
  const [x, y] = [line.x + 2, line.y + line.height / 2];
  return boxes.some(({ left, right, top, bottom }) => x > left && x < right && y > top && y < bottom);
}

/** Each table goes before the first line below its top that stands beside or under it. */
function withTables(page: number, lines: readonly Line[], tables: readonly Table[]): Line[] {
  const found = [...lines];
  for (const table of tables) {
    const at = found.findIndex(
      (line) => !line.row && line.y > table.top && line.x < table.right && line.right > table.left,
    );
    const place = at === -1 ? found.length : at;
    const column = found[place - 1]?.column ?? 0;
    found.splice(place, 0, ...table.rows.flatMap((row) => linesOfRow(page, row, table, column)));
  }
  return found;
}

/** A field over most of the table's width with nothing beside it holds running text: a box, or a note between rows. */
function linesOfRow(page: number, row: TableRow, table: Table, column: number): Line[] {
  const cells = row.cells.map((cell) => ({
    column: cell.column,
    lines: rowsOf(cell.items).map((items) => lineOf(page, items, column)),
  }));
  const [only] = cells;
  if (only && cells.length === 1 && extentOf(row.cells[0]?.items ?? []) > WIDE * (table.right - table.left))
    return only.lines;
  const lines = cells.flatMap((cell) => cell.lines);
  const plain = lineOf(
    page,
    lines.flatMap(({ items }) => items),
    column,
  );
  const { columns } = row;
  return [{ ...plain, text: lines.map(({ text }) => text).join(' '), y: row.y, row: { table, columns, cells } }];
}

/** Items whose vertical middle lies within another's height share a row; rows run from top to bottom. */
function rowsOf(items: readonly PageItem[]): PageItem[][] {
  const sorted = [...items].sort((a, b) => middle(a) - middle(b) || a.x - b.x);
  const rows: PageItem[][] = [];
  let anchor: PageItem | undefined;
  for (const item of sorted) {
    const row = rows.at(-1);
    const near = anchor && Math.abs(middle(item) - middle(anchor)) < 0.45 * Math.max(item.height, anchor.height, 1);
    if (row && near) row.push(item);
    else rows.push([item]);
    if (!near || (anchor && item.height > anchor.height)) anchor = item;
  }
  for (const row of rows) row.sort((a, b) => a.x - b.x);
  return rows;
}

function middle({ y, height }: PageItem): number {
  return y + height / 2;
}

/** The x that hardly any row crosses while both sides hold running text, or null. */
function gutterOf(rows: readonly PageItem[][], width: number): number | null {
  if (rows.length < FEWEST_ROWS) return null;
  let found: { x: number; across: number } | null = null;
  for (let share = GUTTER_FROM; share <= GUTTER_TO; share += GUTTER_STEP) {
    const x = share * width;
    const across = rows.filter((row) => row.some((item) => item.x < x - 1 && item.x + item.width > x + 1)).length;
    if (across <= MOST_ACROSS * rows.length && (!found || across < found.across) && isFilled(rows, x))
      found = { x, across };
  }
  return found?.x ?? null;
}

function isFilled(rows: readonly PageItem[][], x: number): boolean {
  return [(item: PageItem) => item.x + item.width <= x + 1, (item: PageItem) => item.x >= x - 1].every((isOnSide) => {
    const sides = rows.map((row) => row.filter(isOnSide)).filter((side) => side.length > 0);
    if (sides.length < SHARE_OF_SIDE * rows.length || sides.length < FEWEST_ROWS) return false;
    const widths = sides.map((side) => extentOf(side)).sort((a, b) => a - b);
    const [median = 0, widest = 0] = [widths[widths.length >> 1], widths.at(-1)];
    return (
      median >= FILLED * widest &&
      sides.map((side) => textOf(side).length).sort((a, b) => a - b)[sides.length >> 1]! > 20
    );
  });
}

function extentOf(items: readonly PageItem[]): number {
  return Math.max(...items.map(({ x, width }) => x + width)) - Math.min(...items.map(({ x }) => x));
}

function inColumns(page: Page, rows: readonly PageItem[][], gutter: number): Line[] {
  const lines: Line[] = [];
  let [left, right]: [PageItem[][], PageItem[][]] = [[], []];
  let column = 0;
  const flush = () => {
    for (const side of [left, right]) {
      if (side.length > 0) column += 1;
      for (const items of side) lines.push(lineOf(page.number, items, column));
    }
    [left, right] = [[], []];
  };
  for (const row of rows) {
    if (row.some((item) => item.x < gutter - 1 && item.x + item.width > gutter + 1)) {
      flush();
      column += 1;
      lines.push(lineOf(page.number, row, column));
      continue;
    }
    const [a, b] = [row.filter((item) => item.x < gutter), row.filter((item) => item.x >= gutter)];
    if (a.length > 0) left.push(a);
    if (b.length > 0) right.push(b);
  }
  flush();
  return lines;
}

function lineOf(page: number, items: readonly PageItem[], column: number): Line {
  const longest = items.reduce((a, b) => (b.text.length > a.text.length ? b : a));
  return {
    page,
    items,
    text: textOf(items),
    x: Math.min(...items.map(({ x }) => x)),
    y: Math.min(...items.map(({ y }) => y)),
    right: Math.max(...items.map(({ x, width }) => x + width)),
    height: longest.height,
    font: longest.font,
    bold: items.every(({ bold, text }) => bold === true || !/\p{L}/u.test(text)) && longest.bold === true,
    column,
  };
}

/** Whether a space stands between two items that follow each other. */
export function isApart(before: PageItem, after: PageItem): boolean {
  if (/\s$/.test(before.text) || /^\s/.test(after.text)) return false;
  return after.x - (before.x + before.width) > 0.15 * Math.max(before.height, after.height);
}

function textOf(items: readonly PageItem[]): string {
  let text = '';
  items.forEach((item, i) => {
    const before = items[i - 1];
    text += before && isApart(before, item) ? ` ${item.text}` : item.text;
  });
  return text.replace(/\s+/g, ' ').trim();
}
