/**
 * A linear program over consecutive slots, in the shape that dispatch problems have: every column touches rows of one
 * slot, and what is carried on (a store's energy, the month's peak so far) links a slot to the next.
 *
 *     min cost · x   subject to   A x = rhs,  lower ≤ x ≤ upper
 *
 * Row (t, r) has the number t · rows_per_slot + r. The last `chain_rows` rows of a slot are balances of what is carried
 * on: only there may a column of slot t also touch slot t + 1. Inequalities are rows with a slack column. Every lower
 * bound is finite.
 */
export type StageProgram = {
  slots: number;
  rows_per_slot: number;
  chain_rows: number;
  rhs: Float64Array;
  columns: number;
  cost: Float64Array;
  lower: Float64Array;
  upper: Float64Array;
  /** Column j has the entries start[j] … start[j + 1] − 1. */
  start: Int32Array;
  row: Int32Array;
  coef: Float64Array;
};

export type StageBuilder = {
  /** @returns the column's number. Entries follow by `entry`. */
  column(cost: number, lower: number, upper: number): number;
  /** Adds coefficient `coef` of the newest column in row `row` of slot `slot`. */
  entry(slot: number, row: number, coef: number): void;
  addRhs(slot: number, row: number, value: number): void;
  finish(): StageProgram;
};

/** Columns per slot that room is made for at first. */
const TYPICAL_COLUMNS = 16;

/** Collects a program column by column. */
export function createStageBuilder(slots: number, rows_per_slot: number, chain_rows: number): StageBuilder {
  let room = Math.max(64, slots * TYPICAL_COLUMNS);
  let entry_room = room * 3;
  let [cost, lower, upper] = [new Float64Array(room), new Float64Array(room), new Float64Array(room)];
  let start = new Int32Array(room + 1);
  let [row, coef] = [new Int32Array(entry_room), new Float64Array(entry_room)];
  const rhs = new Float64Array(slots * rows_per_slot);
  let [columns, entries] = [0, 0];
  return {
    column(columnCost, columnLower, columnUpper) {
      if (columns === room) {
        room *= 2;
        [cost, lower, upper] = [grown(cost, room), grown(lower, room), grown(upper, room)];
        start = grownInt(start, room + 1);
      }
      cost[columns] = columnCost;
      lower[columns] = columnLower;
      upper[columns] = columnUpper;
      columns++;
      start[columns] = entries;
      return columns - 1;
    },
    entry(slot, inSlot, value) {
      if (entries === entry_room) {
        entry_room *= 2;
        [row, coef] = [grownInt(row, entry_room), grown(coef, entry_room)];
      }
      row[entries] = slot * rows_per_slot + inSlot;
      coef[entries] = value;
      entries++;
      start[columns] = entries;
    },
    addRhs: (slot, inSlot, value) => {
      rhs[slot * rows_per_slot + inSlot]! += value;
    },
    finish: () => ({
      slots,
      rows_per_slot,
      chain_rows,
      rhs,
      columns,
      cost: cost.subarray(0, columns),
      lower: lower.subarray(0, columns),
      upper: upper.subarray(0, columns),
      start: start.subarray(0, columns + 1),
      row: row.subarray(0, entries),
      coef: coef.subarray(0, entries),
    }),
  };
}

function grown(old: Float64Array<ArrayBuffer>, length: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(length);
  larger.set(old);
  return larger;
}

function grownInt(old: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(old);
  return larger;
}
