/** What the tables of one QuestDB share. All writes come from this process. */
import type { TouchedSeries } from '../../../engine/ports.ts';
import type { RepairRow } from '../overlay.ts';
import type { RegisteredSeries, SeriesRegistry } from '../registry.ts';
import type { Serial } from '../serial.ts';
import type { QuestDb } from './client.ts';
import { tableName } from './schema.ts';

export type QuestDbContext = {
  db: QuestDb;
  registry: SeriesRegistry;
  /** Writes go one after another. */
  serial: Serial;
  /** Repairs by series, ascending: few, so they are kept in memory. */
  repairs: Map<number, RepairRow[]>;
  /** Marks of slots to compute again, as they stand in the table. */
  dirty: Map<number, { from_ms: number; to_ms: number }>;
  floors: Floors;
};

/** What is older is no longer kept, though its partition may still hold it: reads begin here. */
export type Floors = { reading: number; slot: number; price: number; forecast: number };
export const NO_FLOORS: Floors = { reading: -Infinity, slot: -Infinity, price: -Infinity, forecast: -Infinity };

type Key = Pick<TouchedSeries, 'tenant' | 'meter' | 'quantity'>;

/** Numbers of series; new ones are durable before this resolves, so that no row names a series that is unknown. */
export async function numberSeries(
  { db, registry }: QuestDbContext,
  keys: readonly Key[],
  readings: boolean,
): Promise<number[]> {
  const changed: RegisteredSeries[] = [];
  const before: RegisteredSeries[] = [];
  const ids = keys.map((key) => {
    const known = registry.get(key.tenant, key.meter, key.quantity);
    if (known && (known.readings || !readings)) return known.id;
    const series = known ? { ...known, readings } : registry.add(key, readings);
    if (known) before.push(known);
    registry.load(series);
    changed.push(series);
    return series.id;
  });
  try {
    await db.write(
      tableName('series'),
      changed.map((series) => ({ ...series, state: 1, at_ms: 0 })),
    );
  } catch (error) {
    registry.remove(changed.map((series) => series.id));
    for (const series of before) registry.load(series);
    throw error;
  }
  return ids;
}

/** Whole numbers may stand in SQL text; nothing else ever does. */
export function whole(value: number): string {
  const rounded = Math.ceil(Math.max(-9e15, Math.min(9e15, value)));
  if (!Number.isSafeInteger(rounded)) throw new RangeError(`${value} is no whole number`);
  return String(rounded);
}

/** Bounds of what a date of ours can be, in ms: 0001 to 9999. */
const FIRST_MS = -62_135_596_800_000;
const LAST_MS = 253_402_300_799_000;

/** Epoch ms as a timestamp literal in microseconds. */
export function micros(at_ms: number): string {
  return `${whole(Math.max(FIRST_MS, Math.min(LAST_MS, at_ms)))}000`;
}

/** `at` within [from, to). */
export function within(from_ms: number, to_ms: number): string {
  return `at >= ${micros(from_ms)} and at < ${micros(to_ms)}`;
}

export const AT_MS = 'cast(at as long) / 1000';
