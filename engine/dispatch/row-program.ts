/** Builds a mixed program row by row, for models that do not have the shape of a chain. */
import type { MixedProgram, MixedRow } from './mixed-program.ts';

export type RowBuilder = {
  column(cost: number, lower: number, upper: number): number;
  /** @returns a reference to a yes-or-no column, to be used in `row` like any column. */
  binary(): number;
  addCost(column: number, cost: number): void;
  row(lower: number, upper: number, coefs: readonly (readonly [column: number, coef: number])[]): void;
  /** The program as it is now; more can be added afterwards. */
  finish(): MixedProgram;
};

/** Binaries are numbered from here until the number of other columns is known. */
const BINARIES = 1e9;

export function createRowBuilder(): RowBuilder {
  const [cost, lower, upper]: number[][] = [[], [], []];
  const rows: MixedRow[] = [];
  let binaries = 0;
  return {
    column(columnCost, columnLower, columnUpper) {
      cost!.push(columnCost);
      lower!.push(columnLower);
      return upper!.push(columnUpper) - 1;
    },
    binary: () => BINARIES + binaries++,
    addCost: (column, more) => {
      cost![column]! += more;
    },
    row: (from, to, coefs) => {
      rows.push({
        lower: from,
        upper: to,
        columns: coefs.map(([column]) => column),
        coefs: coefs.map(([, coef]) => coef),
      });
    },
    finish() {
      const columns = cost!.length;
      const numbered = (column: number) => (column >= BINARIES ? columns + column - BINARIES : column);
      const base = {
        slots: 0,
        rows_per_slot: 0,
        chain_rows: 0,
        rhs: new Float64Array(0),
        columns,
        cost: Float64Array.from(cost!),
        lower: Float64Array.from(lower!),
        upper: Float64Array.from(upper!),
        start: new Int32Array(columns + 1),
        row: new Int32Array(0),
        coef: new Float64Array(0),
      };
      return { base, binaries, rows: rows.map((row) => ({ ...row, columns: row.columns.map(numbered) })) };
    },
  };
}
