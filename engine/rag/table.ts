/**
 * Tables whose cells are drawn: rules to a grid (as the lattice method of Tabula and Camelot), text runs to cells.
 * A cell may span rows and columns. Points, origin top left.
 */
import type { PageItem } from './page.ts';

/** A drawn line, level or upright: `x1 <= x2`, `y1 <= y2`. */
export type Rule = { x1: number; y1: number; x2: number; y2: number };
export type TableCell = { column: number; items: PageItem[] };
/** `columns` are those in which a cell begins, with text or without. */
export type TableRow = { y: number; bottom: number; cells: TableCell[]; columns: number[] };
export type Box = { left: number; right: number; top: number; bottom: number };
/** `framed`: a box is drawn around it, close to its own lines. */
export type Table = Box & { edges: number[]; rows: TableRow[]; framed: boolean };

/** Lines that are meant to meet may miss each other by this. */
const NEAR = 3;
const SHORTEST = 6;
/** A drawing, no table; looking at all pairs would take long. */
const MOST_RULES = 3000;
const FEWEST_COLUMNS = 2;
const MOST_CELLS = 20_000;
/** Room between a box and the table in it. */
const FRAME = 15;

type Grid = { xs: number[]; ys: number[]; level: Rule[]; upright: Rule[] };

/** Tables of at least two columns with text in two cells, from top to bottom; and boxes drawn around running text. */
export function tablesOf(items: readonly PageItem[], rules: readonly Rule[]): { tables: Table[]; boxes: Box[] } {
  if (rules.length > MOST_RULES) return { tables: [], boxes: [] };
  const level = merged(
    rules.filter(({ y1, y2, x1, x2 }) => y2 - y1 < NEAR && x2 - x1 >= SHORTEST),
    true,
  );
  const upright = merged(
    rules.filter(({ y1, y2, x1, x2 }) => x2 - x1 < NEAR && y2 - y1 >= SHORTEST),
    false,
  );
  const grids = groupsOf(level, upright);
  const tables = grids.flatMap((grid) => tableOf(grid, items) ?? []);
  return { tables: tables.sort((a, b) => a.top - b.top || a.left - b.left), boxes: grids.flatMap(boxOf) };
}

function boxOf({ xs, ys, upright, level }: Grid): Box[] {
  const [left = 0, top = 0, right = 0, bottom = 0] = [xs[0], ys[0], xs.at(-1), ys.at(-1)];
  return xs.length === 2 && upright.length >= 2 && level.length >= 1 ? [{ left, top, right, bottom }] : [];
}

/** Pieces of one line become one: those at the same height, or the same distance from the left, that touch. */
function merged(rules: readonly Rule[], isLevel: boolean): Rule[] {
  const [across, from, to] = isLevel ? (['y1', 'x1', 'x2'] as const) : (['x1', 'y1', 'y2'] as const);
  const sorted = [...rules].sort((a, b) => a[across] - b[across]);
  const found: Rule[] = [];
  for (let i = 0; i < sorted.length; ) {
    const at = sorted[i]?.[across] ?? 0;
    const near = sorted.slice(i).filter((rule) => rule[across] - at <= NEAR);
    i += near.length;
    let last: Rule | undefined;
    for (const rule of near.sort((a, b) => a[from] - b[from])) {
      if (last && rule[from] <= last[to] + NEAR) last[to] = Math.max(last[to], rule[to]);
      else {
        last = isLevel ? { ...rule, y1: at, y2: at } : { ...rule, x1: at, x2: at };
        found.push(last);
      }
    }
  }
  return found;
}

/** Lines that meet, directly or through others, make one grid. */
function groupsOf(level: readonly Rule[], upright: readonly Rule[]): Grid[] {
  const parents = Array.from({ length: level.length + upright.length }, (_, i) => i);
  level.forEach((a, i) => {
    upright.forEach((b, j) => {
      const meet = b.x1 >= a.x1 - NEAR && b.x1 <= a.x2 + NEAR && a.y1 >= b.y1 - NEAR && a.y1 <= b.y2 + NEAR;
      if (meet) join(parents, i, level.length + j);
    });
  });
  const groups = new Map<number, Grid>();
  [...level, ...upright].forEach((rule, i) => {
    const root = rootOf(parents, i);
    const grid = groups.get(root) ?? { xs: [], ys: [], level: [], upright: [] };
    groups.set(root, grid);
    (i < level.length ? grid.level : grid.upright).push(rule);
  });
  return [...groups.values()].filter((grid) => grid.upright.length > 0 && grid.level.length > 0).map(withEdges);
}

/** Outer edges may be left open: the ends of the lines stand for them. */
function withEdges({ level, upright }: Grid): Grid {
  const all = [...level, ...upright];
  return {
    level,
    upright,
    xs: distinct([...upright.map(({ x1 }) => x1), ends(all, 'x1', Math.min), ends(all, 'x2', Math.max)]),
    ys: distinct([...level.map(({ y1 }) => y1), ends(all, 'y1', Math.min), ends(all, 'y2', Math.max)]),
  };
}

function ends(rules: readonly Rule[], key: keyof Rule, pick: (...values: number[]) => number): number {
  return rules.reduce((found, rule) => pick(found, rule[key]), rules[0]?.[key] ?? 0);
}

function distinct(values: readonly number[]): number[] {
  const found: number[] = [];
  for (const value of [...values].sort((a, b) => a - b))
    if (value - (found.at(-1) ?? Number.NEGATIVE_INFINITY) > NEAR) found.push(value);
  return found;
}

function tableOf(grid: Grid, items: readonly PageItem[]): Table | null {
  const { xs, ys } = grid;
  const [columns, bands] = [xs.length - 1, ys.length - 1];
  if (columns < FEWEST_COLUMNS || bands < 1 || columns * bands > MOST_CELLS) return null;
  const parents = spans(grid);
  const cells = new Map<number, PageItem[]>();
  for (const item of items) {
    const column = placeIn(xs, item.x + Math.min(item.width / 2, 6));
    const band = placeIn(ys, item.y + item.height / 2);
    if (column === -1 || band === -1) continue;
    const cell = rootOf(parents, band * columns + column);
    cells.set(cell, [...(cells.get(cell) ?? []), item]);
  }
  const rows: TableRow[] = [];
  for (let band = 0; band < bands; band += 1) {
    const begun = Array.from({ length: columns }, (_, column) => column).filter(
      (column) => rootOf(parents, band * columns + column) === band * columns + column,
    );
    const found = begun
      .map((column) => ({ column, items: cells.get(band * columns + column) ?? [] }))
      .filter((cell) => cell.items.some(({ text }) => text.trim() !== ''));
    if (found.length > 0) rows.push({ y: ys[band] ?? 0, bottom: ys[band + 1] ?? 0, cells: found, columns: begun });
  }
  const used = new Set(rows.flatMap((row) => row.cells.map(({ column }) => column)));
  if (used.size < FEWEST_COLUMNS) return null;
  const [left = 0, top = 0] = [xs[0], ys[0]];
  const gaps = [(xs[1] ?? 0) - left, (xs.at(-1) ?? 0) - (xs.at(-2) ?? 0)];
  const framed = gaps.every((gap) => gap < FRAME);
  return { left, top, right: xs.at(-1) ?? left, bottom: ys.at(-1) ?? top, edges: [...xs], rows, framed };
}

/** Neighbouring fields without a line between them are one cell, which is named by its first field. */
function spans({ xs, ys, level, upright }: Grid): number[] {
  const [columns, bands] = [xs.length - 1, ys.length - 1];
  const parents = Array.from({ length: columns * bands }, (_, i) => i);
  for (let band = 0; band < bands; band += 1)
    for (let column = 0; column < columns; column += 1) {
      const field = band * columns + column;
      const [x, y] = [middle(xs, column), middle(ys, band)];
      const [right, below] = [xs[column + 1] ?? 0, ys[band + 1] ?? 0];
      const isOpenRight = !upright.some((r) => Math.abs(r.x1 - right) <= NEAR && r.y1 <= y && r.y2 >= y);
      const isOpenBelow = !level.some((r) => Math.abs(r.y1 - below) <= NEAR && r.x1 <= x && r.x2 >= x);
      if (column + 1 < columns && isOpenRight) join(parents, field, field + 1);
      if (band + 1 < bands && isOpenBelow) join(parents, field, field + columns);
    }
  return parents;
}

function middle(edges: readonly number[], i: number): number {
  return ((edges[i] ?? 0) + (edges[i + 1] ?? 0)) / 2;
}

function placeIn(edges: readonly number[], value: number): number {
  return edges.findIndex((edge, i) => value >= edge && value < (edges[i + 1] ?? Number.NEGATIVE_INFINITY));
}

function rootOf(parents: number[], i: number): number {
  let at = i;
  while (parents[at] !== at) {
    parents[at] = parents[parents[at] ?? at] ?? at;
    at = parents[at] ?? at;
  }
  return at;
}

/** The smaller stays the root: the first field names the cell. */
function join(parents: number[], a: number, b: number): void {
  const [x, y] = [rootOf(parents, a), rootOf(parents, b)];
  parents[Math.max(x, y)] = Math.min(x, y);
}
