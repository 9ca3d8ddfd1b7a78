/**
 * Erasing readings is a record of the journal like readings are: it takes effect in their order, survives a store that
 * is away, is copied to the backup with them, and is carried out again at a restore before anything that came later.
 */
import type { ReadingGroup } from './reading.ts';

/** Of the group; no sender of readings has it. */
export const ERASURE = 'erasure';
/** In place of a meter point's id: all of the tenant. */
const ALL = '*';

/** @param meters ids of meter points; null is the whole tenant. @param at_ms when it was asked for */
export function erasureOf(tenant: string, meters: readonly string[] | null, at_ms: number): ReadingGroup {
  const names = meters ?? [ALL];
  return {
    ...{ tenant, source: ERASURE, device: null, received_ms: at_ms },
    readings: names.map((meter) => ({ meter, quantity: ALL, at_ms: 0, value: 0, quality: 0 })),
  };
}

/** @returns what the group erases: ids of meter points, null for the whole tenant; undefined for readings. */
export function erasedBy({ source, readings }: ReadingGroup): readonly string[] | null | undefined {
  if (source !== ERASURE) return undefined;
  return readings.some(({ meter }) => meter === ALL) ? null : readings.map(({ meter }) => meter);
}
