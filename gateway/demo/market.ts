/** Day-ahead prices of the demo, EUR/MWh by slot: a duck curve, dear winter evenings, negative hours on sunny Sundays. */
import { HOUR_MS, localTime, slotStart } from '../../engine/model/time.ts';
import { isWorkday } from './calendar.ts';
import { hash01, smooth } from './noise.ts';
import { type Place, skyAt } from './sky.ts';

const CENTRE_OF_GERMANY: Place = { latitude: 51.2, longitude: 10.4 };
const bump = (hour: number, centre: number, width: number) => Math.exp(-(((hour - centre) / width) ** 2));

export function marketPrice(seed: number, at_ms: number): number {
  const slot_ms = slotStart(at_ms);
  const t = localTime(slot_ms, 'Europe/Berlin');
  const hour = t.hour + t.minute / 60;
  const sky = skyAt(seed, CENTRE_OF_GERMANY, slot_ms);
  const demand = isWorkday(t.year, t.month, t.day) ? 1 : 0.72;
  const winter = Math.cos((2 * Math.PI * (t.month - 1 + t.day / 31)) / 12);
  const wind = 26 * smooth(seed, 41, slot_ms, 20 * HOUR_MS);
  const peaks = 34 * bump(hour, 7.8, 1.6) + (58 + 20 * winter) * bump(hour, 19, 2.2) - 18 * bump(hour, 3, 2.5);
  const solar = 0.1 * sky.irradiance_W_m2 * (1 - 0.15 * winter);
  // quarters of an hour saw against the ramps of sun and demand
  const saw = ((t.minute / 15 - 1.5) * (hour < 13 ? -1 : 1) * 0.012 * sky.irradiance_W_m2) / 2;
  const price =
    (66 + 12 * winter + peaks) * demand - solar - wind - saw + 5 * (hash01(seed, 42, slot_ms / 900_000) - 0.5);
  return Math.round(price * 100) / 100;
}

/** Mean of eight prices of the UTC day, the yardstick of the battery. */
export function meanPrice(seed: number, day: number): number {
  let sum = 0;
  for (let i = 0; i < 8; i++) sum += marketPrice(seed, day * 24 * HOUR_MS + i * 3 * HOUR_MS);
  return sum / 8;
}
