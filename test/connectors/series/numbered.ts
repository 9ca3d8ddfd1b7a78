/** Groups that are made from their number alone, so that a replay offers the same ones. */
import type { JournalledGroup } from '../../../engine/model/reading.ts';

export const START_MS = Date.parse('2026-01-01T00:00:00Z');
export const READINGS = 10;

/** Ten readings of two meters; every tenth group also changes the first value of the group before it. */
export function numberedGroup(seq: number): JournalledGroup {
  const readings = Array.from({ length: READINGS }, (_, index) => ({
    meter: `m${index % 2}`,
    quantity: 'power_W',
    at_ms: START_MS + (seq * READINGS + index) * 1000,
    value: seq + index / 100,
    quality: 0,
  }));
  if (seq % 10 === 0) readings.push({ ...readings[0]!, at_ms: START_MS + (seq - 1) * READINGS * 1000, value: -seq });
  return { seq, tenant: 'a', source: 'test', device: null, received_ms: START_MS + seq, readings };
}
