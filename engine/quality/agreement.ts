/** Whether a meter's registers and its power tell of the same energy. */
import { Quality } from '../model/quality.ts';
import type { MeterRole } from '../model/site.ts';
import { HOUR_MS, SLOT_MS } from '../model/time.ts';
import type { SlotColumns } from '../ports.ts';

/** Energy of the slots that both know, taken + and given −. */
export type Disagreement = { kind: 'differs' | 'swapped'; register_kWh: number; power_kWh: number };

/** Power is sampled and registers tick: a third of difference, over two hours and at least 2 kWh, is more than that. */
const SHARE = 0.33;
const LEAST_SLOTS = 8;
const LEAST_KWH = 2;

/**
 * @param slotsOf the slots of a quantity over the time to judge, null where it is not measured
 * @returns null where both agree, or where one of them is missing
 */
export function disagreementOf(
  slotsOf: (quantity: string) => SlotColumns | null,
  role: MeterRole,
): Disagreement | null {
  const [taken, given, power] = [slotsOf('import_kWh'), slotsOf('export_kWh'), slotsOf('power_W')];
  if (!power || (!taken && !given)) return null;
  const [taken_kWh, given_kWh] = [valuesOf(taken), valuesOf(given)];
  const sign = role === 'generation' || role === 'battery' ? -1 : 1;
  let [register_kWh, power_kWh, slots] = [0, 0, 0];
  for (const [i, at_ms] of power.at_ms.entries()) {
    const watts = power.values[i]!;
    const energy = (taken ? (taken_kWh.get(at_ms) ?? NaN) : 0) - (given ? (given_kWh.get(at_ms) ?? NaN) : 0);
    if (Number.isNaN(watts) || Number.isNaN(energy)) continue;
    if (!given && watts * sign < 0) continue;
    if (!taken && watts * sign > 0) continue;
    register_kWh += energy;
    power_kWh += (sign * watts * SLOT_MS) / HOUR_MS / 1000;
    slots++;
  }
  if (slots < LEAST_SLOTS) return null;
  const most = Math.max(Math.abs(register_kWh), Math.abs(power_kWh));
  if (most < LEAST_KWH || Math.abs(register_kWh - power_kWh) <= SHARE * most) return null;
  const swapped = Math.abs(register_kWh + power_kWh) <= SHARE * most;
  return { kind: swapped ? 'swapped' : 'differs', register_kWh, power_kWh };
}

/** Whole slots only. */
function valuesOf(slots: SlotColumns | null): ReadonlyMap<number, number> {
  const values = new Map<number, number>();
  for (const [i, at_ms] of slots?.at_ms.entries() ?? [])
    if (!(slots!.quality[i]! & (Quality.PARTIAL | Quality.ESTIMATED))) values.set(at_ms, slots!.values[i]!);
  return values;
}
