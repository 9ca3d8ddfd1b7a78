/** Instants of repairs: what is shown at them, and how they are asked for together. */
import { Quality } from '../../../engine/model/quality.ts';
import { HOUR_MS } from '../../../engine/model/time.ts';
import type { ReadingColumns, Repair } from '../../../engine/ports.ts';
import type { Overlay } from '../../../engine/quality/repair-stack.ts';

export const NOTHING: Overlay = { set: 0, value: null };
/** Instants nearer to each other than this are read with one question. */
const TOGETHER_MS = HOUR_MS;

export function overlaysIn({ at_ms, values, quality }: ReadingColumns): Map<number, Overlay> {
  const shown = new Map<number, Overlay>();
  for (const [i, at] of at_ms.entries()) {
    const value = Number.isNaN(values[i]!) ? null : values[i]!;
    shown.set(at, { set: quality[i]! & Quality.REPAIRED ? (value === null ? 2 : 1) : 0, value });
  }
  return shown;
}

export function overlayOf(value: number | null | undefined): Overlay {
  if (value === undefined) return NOTHING;
  return value === null ? { set: 2, value: null } : { set: 1, value };
}

/** Ascending in time within each series; of several for one instant the last counts. */
export function bySeries(repairs: readonly Omit<Repair, 'by'>[]): Omit<Repair, 'by'>[][] {
  const groups = new Map<string, Map<number, Omit<Repair, 'by'>>>();
  for (const one of repairs) {
    const key = JSON.stringify([one.meter, one.quantity]);
    const group = groups.get(key) ?? new Map();
    groups.set(key, group.set(Math.round(one.at_ms), { ...one, at_ms: Math.round(one.at_ms) }));
  }
  return [...groups.values()].map((group) => [...group.values()].sort((a, b) => a.at_ms - b.at_ms));
}

/** First and last of runs of instants that lie near to each other. */
export function together(instants: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const at of instants) {
    const last = runs.at(-1);
    if (last && at - last[1] <= TOGETHER_MS) last[1] = at;
    else runs.push([at, at]);
  }
  return runs;
}
