/** Tables of marked-up text (HTML, Word, Markdown) as rows that can be understood by themselves. */

export type ToldCell = { text: string; head: boolean; columns: number; rows: number };

/** A longer cell is text, no label. */
const LONGEST_LABEL = 100;
/** What spans rows is said again in each, where it is short. */
const LONGEST_AGAIN = 60;
const MARKER = /^(?:\(?\p{L}{1,2}\)|\(?\d+[a-z]?[).]|§|[•–-])/u;
const MOST_COLUMNS = 200;

/** `Class: A | Power: 4.2 kW` for each row below the head; without a head the cells with bars between them. */
export function tellTable(rows: readonly (readonly ToldCell[])[]): string[] {
  const grid = gridOf(rows.filter((row) => row.some(({ text }) => text !== '')));
  const heads = headRows(grid);
  const width = Math.max(0, ...grid.map((row) => row.length));
  const labels = Array.from({ length: width }, (_, column) => labelAt(grid.slice(0, heads), column));
  return grid.slice(heads).flatMap((row) => {
    let before = '';
    const cells = row.flatMap((cell, column) => {
      if (!cell || cell.text === '' || (column > 0 && row[column - 1] === cell)) return [];
      const label = labels[column] ?? '';
      const told = label === '' || label === before || label === cell.text ? cell.text : `${label}: ${cell.text}`;
      before = label;
      return [told];
    });
    return cells.length === 0 ? [] : [cells.join(' | ')];
  });
}

type Grid = (ToldCell | undefined)[][];

/** A cell stands in every column it spans, and, where it is short, in every row. */
function gridOf(rows: readonly (readonly ToldCell[])[]): Grid {
  const grid: Grid = rows.map(() => []);
  rows.forEach((row, y) => {
    let x = 0;
    for (const cell of row) {
      while (grid[y]?.[x]) x += 1;
      const [columns, more] = [Math.min(cell.columns, MOST_COLUMNS), Math.min(cell.rows, rows.length - y)];
      for (let down = 0; down < more; down += 1)
        for (let across = 0; across < columns; across += 1) {
          const said = down === 0 || cell.text.length <= LONGEST_AGAIN;
          const line = grid[y + down];
          if (line && x + across < MOST_COLUMNS) line[x + across] = said ? cell : { ...cell, text: '' };
        }
      x += columns;
    }
  });
  return grid;
}

/** Rows of head cells; where none are marked, the first one if it looks like labels. */
function headRows(grid: Grid): number {
  const marked = grid.findIndex((row) => !row.every((cell) => cell?.head ?? true));
  if (marked > 0) return marked;
  const [first, second] = grid;
  const isMarked = grid.some((row) => row.some((cell) => cell?.head));
  if (!first || !second || isMarked || first.length < 2) return 0;
  const looks = first.every(
    (cell) => cell && cell.text.length <= LONGEST_LABEL && /\p{L}{2}/u.test(cell.text) && !MARKER.test(cell.text),
  );
  const distinct = new Set(first.map((cell) => cell?.text)).size === first.length;
  return looks && distinct && first.some((cell) => !/[.;,]$/.test(cell?.text ?? '')) ? 1 : 0;
}

function labelAt(heads: Grid, column: number): string {
  const texts = heads.map((row) => row[column]?.text ?? '').filter((text) => text !== '');
  const label = [...new Set(texts)].join(', ');
  return label.length <= LONGEST_LABEL ? label : '';
}
