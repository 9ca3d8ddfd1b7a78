/** What a reader of PDFs hands over, and the lines that are made of it. Points, origin top left. */

/** A run of text as the file draws it. */
export type PageItem = { text: string; x: number; y: number; width: number; height: number; font: string };
export type Page = { number: number; width: number; height: number; items: readonly PageItem[] };

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
  /** Column, counted over the whole page in reading order; a new one breaks the flow. */
  column: number;
};

/** A gutter is looked for here, as shares of the page's width. */
const GUTTER_FROM = 0.35;
const GUTTER_TO = 0.65;
const GUTTER_STEP = 0.01;
/** A column's lines fill it mostly, cells of a table do not. */
const FILLED = 0.6;
const SHARE_OF_SIDE = 0.25;
const MOST_ACROSS = 0.15;
const FEWEST_ROWS = 8;

/** Lines of a page in reading order. Two columns of running text are read one after the other, between full-width lines. */
export function linesOf(page: Page): Line[] {
  const rows = rowsOf(page.items.filter(({ text }) => text.trim() !== ''));
  const gutter = gutterOf(rows, page.width);
  if (gutter === null) return rows.map((items) => lineOf(page.number, items, 0));
  return inColumns(page, rows, gutter);
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
