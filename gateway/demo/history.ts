/** The demo's past: what its meters would have sent each 15 minutes, with the faults that real sites have. */
import type { Reading } from '../../engine/model/reading.ts';
import { HOUR_MS, SLOT_MS } from '../../engine/model/time.ts';
import type { DemoMeter, DemoSite } from './generator.ts';
import { DEMO_DEVICES, DIRECTIONS, registerOf } from './meters.ts';

export const HISTORY_DAYS = 60;
const DAY_MS = 24 * HOUR_MS;

/** Where the faults lie, all before `started_ms`. */
export type DemoFaults = {
  /** The office's meter was silent: 5 h of its register are known only as a sum. */
  gap: { from_ms: number; to_ms: number };
  /** The hall's meter said nonsense once. */
  spike_ms: number;
  /** The charging points' meter was replaced. */
  reset_ms: number;
};

/** Faults of a demo that started then. `started_ms` is on a slot edge. */
export function faultsOf(started_ms: number): DemoFaults {
  const gap_ms = started_ms - 3 * DAY_MS - 6 * HOUR_MS;
  return {
    gap: { from_ms: gap_ms, to_ms: gap_ms + 5 * HOUR_MS },
    spike_ms: started_ms - 5 * DAY_MS - 2 * HOUR_MS,
    reset_ms: started_ms - 12 * DAY_MS - 4 * HOUR_MS,
  };
}

/** Readings of all meters at every slot edge of [from_ms, to_ms), a day at a time, ascending. */
export function* historyBatches(
  site: DemoSite,
  from_ms: number,
  to_ms: number,
  faults: DemoFaults,
): Generator<Reading[]> {
  for (let day_ms = from_ms; day_ms < to_ms; day_ms += DAY_MS) {
    const batch: Reading[] = [];
    for (let at_ms = day_ms; at_ms < Math.min(day_ms + DAY_MS, to_ms); at_ms += SLOT_MS)
      for (const { id, meter } of DEMO_DEVICES) batch.push(...readingsAt(site, id, meter, at_ms, faults));
    yield batch;
  }
}

function readingsAt(site: DemoSite, id: string, meter: DemoMeter, at_ms: number, faults: DemoFaults): Reading[] {
  const { gap, spike_ms, reset_ms } = faults;
  if (meter === 'office' && at_ms >= gap.from_ms && at_ms < gap.to_ms) return [];
  const is_spike = meter === 'hall' && at_ms === spike_ms;
  const reading = (quantity: string, value: number): Reading => ({ meter: id, quantity, at_ms, value, quality: 0 });
  const power_W = Math.round(site.power_W(meter, at_ms) * 10) / 10;
  const found = [reading('power_W', is_spike ? power_W + 8_388_608 : power_W)];
  for (const direction of DIRECTIONS[meter]) {
    const kWh = registerOf(site, meter, direction, at_ms, reset_ms);
    // a bit flipped on the line
    found.push(reading(`${direction}_kWh`, is_spike ? kWh + 65_536 : kWh));
  }
  if (meter === 'battery') found.push(reading('soc_percent', Math.round(site.soc_percent(at_ms) * 10) / 10));
  return found;
}
