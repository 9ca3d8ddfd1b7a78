/** Deterministic curves of the sample building: everything follows from the instant. */
import { localTime, SLOT_MS, slotStart } from '../../engine/model/time.ts';
import type { Columns } from '../../engine/ports.ts';

const ZONE = 'Europe/Berlin';

/** −1…1, always the same for the same instant and seed. */
export function noise(at_ms: number, seed: number): number {
  const x = Math.sin((at_ms / 1000) * 0.013 + seed * 78.233) * 43_758.5453;
  return (x - Math.floor(x)) * 2 - 1;
}

function hourOf(at_ms: number): number {
  const t = localTime(at_ms, ZONE);
  return t.hour + t.minute / 60;
}

function isWeekend(at_ms: number): boolean {
  const t = localTime(at_ms, ZONE);
  return [0, 6].includes(new Date(Date.UTC(t.year, t.month - 1, t.day)).getUTCDay());
}

const bump = (hour: number, at: number, width: number) => Math.exp(-(((hour - at) / width) ** 2));

export const CURVES = {
  load: (at_ms: number) => {
    const hour = hourOf(at_ms);
    const work = bump(hour, 10, 3.2) + 0.85 * bump(hour, 14.5, 3);
    return (24_000 + 62_000 * work * (isWeekend(at_ms) ? 0.25 : 1)) * (1 + 0.05 * noise(at_ms, 1));
  },
  generation: (at_ms: number) => {
    const sun = Math.max(0, Math.cos(((hourOf(at_ms) - 13.2) / 8.2) * (Math.PI / 2)));
    const clouds = 0.72 + 0.18 * noise(slotStart(at_ms), 2);
    return Math.abs(hourOf(at_ms) - 13.2) > 8.2 ? 0 : 52_000 * sun ** 1.3 * clouds;
  },
  battery: (at_ms: number) => {
    const hour = hourOf(at_ms);
    return 14_000 * bump(hour, 19, 1.5) - 11_000 * bump(hour, 12.8, 1.6);
  },
} as const;

export function gridOf(at_ms: number): number {
  return CURVES.load(at_ms) - CURVES.generation(at_ms) - CURVES.battery(at_ms);
}

/** Market price in EUR/MWh: dear in the evening, below zero in the sunny noon of the day after. */
export function marketPrice(at_ms: number): number {
  const hour = hourOf(at_ms);
  const t = localTime(at_ms, ZONE);
  const noon = t.day % 2 === 0 ? 118 : 66;
  const base = 88 + 34 * bump(hour, 8, 1.6) + 72 * bump(hour, 20, 2) - noon * bump(hour, 13.5, 3);
  return Math.round((base + 5 * noise(slotStart(at_ms), 3)) * 100) / 100;
}

/** Values of a curve per slot in [from_ms, to_ms). */
export function slots(from_ms: number, to_ms: number, curve: (at_ms: number) => number): Columns {
  const first = Math.ceil(from_ms / SLOT_MS);
  const count = Math.max(0, Math.ceil(to_ms / SLOT_MS) - first);
  const at_ms = Float64Array.from({ length: count }, (_, i) => (first + i) * SLOT_MS);
  return { at_ms, values: at_ms.map(curve), quality: new Int32Array(count) };
}
