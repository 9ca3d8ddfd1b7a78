/** What the query bench asks about: a year of 15-minute energy of 200 meters, made from their numbers. */
import { SLOT_MS } from '../../engine/model/time.ts';
import type { SlotColumns } from '../../engine/ports.ts';

export const METERS = 200;
export const SERIES_COUNT = METERS;
export const TENANT = 'default';
export const QUANTITY = 'import_kWh';
/** 2025 in Berlin: 365 local days, 35,040 slots. */
export const YEAR = {
  from_ms: Date.parse('2024-12-31T23:00:00Z'),
  to_ms: Date.parse('2025-12-31T23:00:00Z'),
  slots: 35_040,
};

export function meterName(index: number): string {
  return `meter-${String(index).padStart(3, '0')}`;
}

export function yearOf(index: number): SlotColumns {
  const slots: SlotColumns = {
    at_ms: new Float64Array(YEAR.slots),
    values: new Float64Array(YEAR.slots),
    quality: new Int32Array(YEAR.slots),
  };
  for (let slot = 0; slot < YEAR.slots; slot++) {
    slots.at_ms[slot] = YEAR.from_ms + slot * SLOT_MS;
    const wave = Math.sin((slot / 96) * 2 * Math.PI) + Math.sin(slot * 0.7 + index);
    slots.values[slot] = Math.round((3 + index / 50 + wave) * 1000) / 1000;
    slots.quality[slot] = slot % 97 === 0 ? 1 : 0;
  }
  return slots;
}
