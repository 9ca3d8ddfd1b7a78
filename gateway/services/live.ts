/** The newest reading of every series, in memory: what is on screen never waits for a store. */
import { Quality } from '../../engine/model/quality.ts';
import type { Reading, ReadingGroup } from '../../engine/model/reading.ts';

export interface LiveValues {
  /** The newest reading of each quantity of a meter point; never waits for a store. */
  of(tenant: string, meter: string): ReadonlyMap<string, LiveValue>;
  /** Newest instant at which anything of the meter point arrived, or null. */
  last_ms(tenant: string, meter: string): number | null;
  /** Recent power_W values (about 10 minutes, one per 5 s at most), for spark lines. */
  recent(tenant: string, meter: string, quantity: string): readonly { at_ms: number; value: number }[];
}

export type LiveValue = { at_ms: number; received_ms: number; value: number; quality: number };

const RECENT_EVERY_MS = 5_000;
const RECENT_FOR_MS = 10 * 60_000;
const RECENT_MAX = RECENT_FOR_MS / RECENT_EVERY_MS + 1;
const RECENT_QUANTITY = 'power_W';
/** Such a value says nothing of the present; a future one must not hide those that follow. */
const NOT_RECENT = Quality.OUT_OF_RANGE | Quality.CLOCK;

type Sample = { at_ms: number; value: number };
type MeterLive = { values: Map<string, LiveValue>; last_ms: number; recent: Sample[] };

export type LiveMemory = LiveValues & {
  /** Takes over readings that are durable. `seed` ones count as seen at their own time. */
  record(group: Pick<ReadingGroup, 'tenant' | 'received_ms'>, readings: readonly Reading[]): void;
  /** Forgets a meter point that was removed. */
  forget(tenant: string, meter: string): void;
};

const NO_VALUES: ReadonlyMap<string, LiveValue> = new Map();
const NO_SAMPLES: readonly Sample[] = [];

/** @returns an empty memory. At start `record` takes the journal's newest records and, where wanted, values from the store. */
export function createLiveValues(): LiveMemory {
  const tenants = new Map<string, Map<string, MeterLive>>();
  const find = (tenant: string, meter: string): MeterLive | undefined => tenants.get(tenant)?.get(meter);
  function entry(tenant: string, meter: string): MeterLive {
    const meters = getOrMake(tenants, tenant, () => new Map<string, MeterLive>());
    return getOrMake(meters, meter, () => ({ values: new Map(), last_ms: 0, recent: [] }));
  }
  return {
    of: (tenant, meter) => find(tenant, meter)?.values ?? NO_VALUES,
    last_ms: (tenant, meter) => find(tenant, meter)?.last_ms ?? null,
    recent: (tenant, meter, quantity) =>
      quantity === RECENT_QUANTITY ? (find(tenant, meter)?.recent ?? NO_SAMPLES) : NO_SAMPLES,
    record({ tenant, received_ms }, readings) {
      for (const reading of readings) remember(entry(tenant, reading.meter), reading, received_ms);
    },
    forget(tenant, meter) {
      tenants.get(tenant)?.delete(meter);
    },
  };
}

function getOrMake<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

function remember(live: MeterLive, reading: Reading, received_ms: number): void {
  const { at_ms, value, quality } = reading;
  if (received_ms > live.last_ms) live.last_ms = received_ms;
  const known = live.values.get(reading.quantity);
  if (known && effective(at_ms, received_ms) < effective(known.at_ms, known.received_ms)) return;
  live.values.set(reading.quantity, { at_ms, received_ms, value, quality });
  if (reading.quantity === RECENT_QUANTITY && (quality & NOT_RECENT) === 0) sample(live.recent, at_ms, value);
}

/** A clock that is ahead makes a reading no newer than its arrival. */
function effective(at_ms: number, received_ms: number): number {
  return at_ms < received_ms ? at_ms : received_ms;
}

function sample(recent: Sample[], at_ms: number, value: number): void {
  const last = recent.at(-1);
  if (last && at_ms - last.at_ms < RECENT_EVERY_MS) return;
  recent.push({ at_ms, value });
  while (recent.length > RECENT_MAX || recent[0]!.at_ms < at_ms - RECENT_FOR_MS) recent.shift();
}
