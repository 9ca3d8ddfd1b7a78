/** A site's plan as a linear program over slots, and where its parts are found in the solution. */
import type { DemandTerm, PlanInput, Series } from './site.ts';
import { createStageBuilder, type StageBuilder, type StageProgram } from './stage-program.ts';
import type { Store } from './stores.ts';

export const BALANCE_ROW = 0;

/** Kinds of columns within a slot; the stores' follow (STORE_KINDS each), then slacks of the peak and reduction rows. */
export const GRID = { import: 0, over_import: 1, export: 2, over_export: 3, curtail: 4 } as const;
export const GRID_KINDS = 5;
export const STORE = { charge: 0, discharge: 1, energy: 2, short: 3, over: 4 } as const;
export const STORE_KINDS = 5;

export type SiteProgram = {
  program: StageProgram;
  stores: readonly Store[];
  hours: number;
  kinds: number;
  /** Column of each kind in each slot at [slot · kinds + kind], −1 where there is none. */
  column: Int32Array;
  chain_row: (store: number) => number;
  limits: GridLimits;
};

export type GridLimits = { import_kW: Float64Array; export_kW: Float64Array };

/** Builds the program of a checked input. */
export function siteProgram(input: PlanInput, stores: readonly Store[]): SiteProgram {
  const slots = input.import_price.length;
  const hours = input.slot_min / 60;
  const peaks = rowsOfTerms(input.demand.map(({ from_slot, to_slot }) => [from_slot, to_slot]));
  const groups = groupsOf(input, stores);
  const group_rows = rowsOfTerms(groups.map(({ from, to }) => [from, to]));
  const local = 1 + peaks.rows + group_rows.rows;
  const builder = createStageBuilder(slots, local + stores.length + peaks.rows, stores.length + peaks.rows);
  const kinds = GRID_KINDS + STORE_KINDS * stores.length + 2 * peaks.rows + group_rows.rows;
  const column = new Int32Array(slots * kinds).fill(-1);
  const limits = gridLimits(input);
  const idle = stores.map(idleEnergy);
  for (let t = 0; t < slots; t++) {
    const at = t * kinds;
    const terms = input.demand.flatMap(({ from_slot, to_slot }, k) => (t >= from_slot && t < to_slot ? [k] : []));
    const peakRows = terms.filter((k) => measures(input.demand[k]!, t)).map((k) => 1 + peaks.row_of[k]!);
    addGrid(builder, input, t, { hours, limits, column, at, peakRows, most: mostExport(input, stores, t) });
    for (let i = 0; i < stores.length; i++) {
      const store = stores[i]!;
      const inGroups = groups.flatMap(({ from, to, members }, k) =>
        t >= from && t < to && members.has(store.id) ? [1 + peaks.rows + group_rows.row_of[k]!] : [],
      );
      addStore(builder, store, t, {
        hours,
        column,
        at: at + GRID_KINDS + STORE_KINDS * i,
        row: local + i,
        inGroups,
        idle: idle[i]!,
      });
    }
    const slack = at + GRID_KINDS + STORE_KINDS * stores.length;
    for (const k of terms) {
      const row = 1 + peaks.row_of[k]!;
      column[slack + row - 1] = builder.column(0, 0, Infinity);
      builder.entry(t, row, 1);
      const carried = local + stores.length + peaks.row_of[k]!;
      column[slack + local - 1 + peaks.row_of[k]!] = addPeak(builder, input.demand[k]!, t, row, carried);
    }
    groups.forEach(({ from, to, limit_kW }, k) => {
      if (t < from || t >= to) return;
      const row = 1 + peaks.rows + group_rows.row_of[k]!;
      column[slack + row - 1] = builder.column(0, 0, Infinity);
      builder.entry(t, row, 1);
      builder.addRhs(t, row, limit_kW(t));
    });
    builder.addRhs(t, BALANCE_ROW, (input.load_W[t]! - input.generation_W[t]!) / 1000);
  }
  const chain_row = (store: number) => local + store;
  return { program: builder.finish(), stores, hours, kinds, column, chain_row, limits };
}

/** Whether the slot's power counts for the charge. */
export function measures({ from_slot, to_slot, when }: DemandTerm, t: number): boolean {
  return t >= from_slot && t < to_slot && (when?.[t - from_slot] ?? true);
}

type Group = { from: number; to: number; limit_kW: (t: number) => number; members: ReadonlySet<string> };

/** Devices that may draw only so much together: in a reduction, or from what the site generates beyond its load. */
function groupsOf(input: PlanInput, stores: readonly Store[]): Group[] {
  const groups = input.reductions.map(({ from_ms, to_ms, limit_W, devices }): Group => {
    const [from, to] = touched(from_ms, to_ms, input);
    return { from, to, limit_kW: () => limit_W / 1000, members: new Set(devices) };
  });
  const own = stores.filter(({ charge_from_grid }) => !charge_from_grid).map(({ id }) => id);
  if (own.length > 0)
    groups.push({
      from: 0,
      to: input.import_price.length,
      limit_kW: (t) => surplus_kW(input, t),
      members: new Set(own),
    });
  return groups;
}

/** Generation beyond the fixed load. */
export function surplus_kW({ generation_W, load_W }: PlanInput, t: number): number {
  return Math.max(0, generation_W[t]! - load_W[t]!) / 1000;
}

/** Most that may be fed in where stores that must not discharge into the grid leave only the rest to it. */
function mostExport(input: PlanInput, stores: readonly Store[], t: number): number {
  if (stores.every((store) => store.discharge_to_grid || store.discharge_kW[t] === 0)) return Infinity;
  let most = surplus_kW(input, t);
  for (const store of stores) if (store.discharge_to_grid) most += store.discharge_kW[t]!;
  return most;
}

/** The peak of a billing period as it is known in each of its slots: the same in all, for the last one it is paid. */
function addPeak(builder: StageBuilder, term: DemandTerm, t: number, row: number, carried: number): number {
  const last = t === term.to_slot - 1;
  const column = builder.column(last ? term.per_kW : 0, term.realised_kW, Infinity);
  builder.entry(t, row, -1);
  if (t > term.from_slot) builder.entry(t, carried, 1);
  if (!last) builder.entry(t + 1, carried, -1);
  return column;
}

/** Rows for spans so that no two share one where they overlap. */
function rowsOfTerms(spans: readonly (readonly [number, number])[]): { rows: number; row_of: number[] } {
  const ends: number[] = [];
  const row_of = spans.map(([from, to]) => {
    let row = ends.findIndex((end) => end <= from);
    if (row < 0) row = ends.push(0) - 1;
    ends[row] = to;
    return row;
  });
  return { rows: ends.length, row_of };
}

/** A reduction binds every slot that it touches. */
export function touched(from_ms: number, to_ms: number, input: PlanInput): [number, number] {
  const slot_ms = input.slot_min * 60_000;
  const slots = input.import_price.length;
  const [first, end] = [Math.floor((from_ms - input.from_ms) / slot_ms), Math.ceil((to_ms - input.from_ms) / slot_ms)];
  return [Math.min(slots, Math.max(0, first)), Math.min(slots, Math.max(0, end))];
}

function gridLimits({ grid, import_price }: PlanInput): GridLimits {
  const series = (limit: number | null | Series) =>
    Float64Array.from(import_price, (_, t) => {
      const value = limit === null ? Infinity : typeof limit === 'number' ? limit : limit[t]!;
      return value / 1000;
    });
  return { import_kW: series(grid.import_limit_W), export_kW: series(grid.export_limit_W) };
}

type GridPlace = {
  hours: number;
  limits: GridLimits;
  column: Int32Array;
  at: number;
  peakRows: readonly number[];
  most: number;
};

function addGrid(builder: StageBuilder, input: PlanInput, t: number, place: GridPlace): void {
  const { hours, limits, column, at, peakRows, most } = place;
  const [buy, sell] = [input.import_price[t]! * hours, input.export_price[t]! * hours];
  const [load, generation] = [input.load_W[t]! / 1000, input.generation_W[t]! / 1000];
  const taken = (kind: number, cost: number, most: number, sign: number) => {
    column[at + kind] = builder.column(cost, 0, most);
    builder.entry(t, BALANCE_ROW, sign);
    if (sign > 0 && kind <= GRID.over_import) for (const row of peakRows) builder.entry(t, row, 1);
  };
  const [most_in, most_out] = [limits.import_kW[t]!, limits.export_kW[t]!];
  taken(GRID.import, buy, most_in, 1);
  // A limit gives way only where the fixed load or generation alone breaks it: never for a device's sake.
  if (load - generation > most_in - 1e-9) taken(GRID.over_import, buy + input.soft.import_per_kWh * hours, Infinity, 1);
  if (most_out > 0) taken(GRID.export, -sell, Math.min(most_out, most), -1);
  const mayCurtail = input.curtailable && generation > 0;
  if (mayCurtail && (sell < 0 || buy < 0 || generation > most_out)) taken(GRID.curtail, 0, generation, -1);
  else if (!mayCurtail && generation - load > most_out - 1e-9)
    taken(GRID.over_export, -Math.min(0, sell) + input.soft.export_per_kWh * hours, Infinity, -1);
}

/** Energy by slot if the device does nothing, and so where its limits must be able to give way. */
function idleEnergy({ keep, drain, initial_kWh }: Store): Float64Array {
  const energy = new Float64Array(keep.length);
  let now = initial_kWh;
  for (let t = 0; t < keep.length; t++) {
    now = keep[t]! * now - drain[t]!;
    energy[t] = now;
  }
  return energy;
}

type StorePlace = {
  hours: number;
  column: Int32Array;
  at: number;
  row: number;
  inGroups: readonly number[];
  idle: Float64Array;
};

function addStore(builder: StageBuilder, store: Store, t: number, place: StorePlace): void {
  const { hours, column, at, row, inGroups, idle } = place;
  const slots = store.keep.length;
  if (store.charge_kW[t]! > 0) {
    column[at + STORE.charge] = builder.column(-store.urge_per_kWh[t]! * hours, 0, store.charge_kW[t]!);
    builder.entry(t, BALANCE_ROW, -1);
    builder.entry(t, row, -store.gain[t]!);
    for (const group of inGroups) builder.entry(t, group, 1);
  }
  if (store.discharge_kW[t]! > 0) {
    column[at + STORE.discharge] = builder.column(
      (store.wear_per_kWh - store.urge_per_kWh[t]!) * hours,
      0,
      store.discharge_kW[t]!,
    );
    builder.entry(t, BALANCE_ROW, 1);
    builder.entry(t, row, store.drop);
  }
  const last = t === slots - 1;
  const worth = last ? -store.end_value_per_kWh : 0;
  const state = (kind: number, cost: number, from: number, most: number, sign: number) => {
    column[at + kind] = builder.column(cost, from, most);
    builder.entry(t, row, sign);
    if (!last && store.keep[t + 1]! > 0) builder.entry(t + 1, row, -sign * store.keep[t + 1]!);
  };
  const [low, high] = [store.lowest[t]!, store.highest[t]!];
  state(STORE.energy, worth, low, high, 1);
  if (idle[t]! < low - 1e-9) state(STORE.short, store.low_price - worth, 0, Infinity, -1);
  if (idle[t]! > high + 1e-9) state(STORE.over, store.low_price + worth, 0, Infinity, 1);
  builder.addRhs(t, row, -store.drain[t]! + (t === 0 ? store.keep[0]! * store.initial_kWh : 0));
}
