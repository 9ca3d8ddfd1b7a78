/**
 * What an accepted action brought: what the meters showed afterwards against what had been forecast without it. The
 * forecast was frozen with the decision, so that nobody chooses it afterwards. A single effect holds the forecast's error.
 */
import { addDays, dayStart, HOUR_MS, SLOT_MS } from '../engine/model/time.ts';
import type { Measure } from './action.ts';

/** Meters and slots need a moment. */
const SETTLE_MS = HOUR_MS;
/** Share of slots that must be known. */
const KNOWN = 0.9;

/** Mean W by slot; what is missing is not in it. */
export type PowerBySlot = ReadonlyMap<number, number>;

/** When the effect can be measured. */
export function dueOf(measure: Measure, accepted_ms: number, time_zone: string): number {
  switch (measure.kind) {
    case 'energy':
      return Math.max(accepted_ms, ...measure.slots.map(({ at_ms }) => at_ms + SLOT_MS)) + SETTLE_MS;
    case 'peak':
      return Math.max(accepted_ms, measure.to_ms) + SETTLE_MS;
    case 'night':
      return addDays(dayStart(accepted_ms, time_zone), 2, time_zone) + 5 * HOUR_MS;
    case 'yield':
      return addDays(dayStart(accepted_ms, time_zone), 4, time_zone) + SETTLE_MS;
  }
}

/**
 * @param usual what is usual at that time of day, for slots without a forecast of their own.
 * @returns money; null where too little was measured: missing, not 0.
 */
export function energyEffect(
  { slots }: Extract<Measure, { kind: 'energy' }>,
  measured: PowerBySlot,
  usual: PowerBySlot,
): number | null {
  let amount = 0;
  let known = 0;
  for (const { at_ms, gain_per_kWh, expected_W } of slots) {
    const expected = expected_W ?? usual.get(at_ms);
    const power_W = measured.get(at_ms);
    if (expected === undefined || power_W === undefined) continue;
    known++;
    amount += (((power_W - expected) * SLOT_MS) / 3.6e9) * gain_per_kWh;
  }
  return slots.length > 0 && known >= KNOWN * slots.length ? amount : null;
}

export function peakEffect(
  { from_ms, to_ms, expected_W, gain_per_kW }: Extract<Measure, { kind: 'peak' }>,
  measured: PowerBySlot,
): number | null {
  const seen = [...measured].flatMap(([at_ms, power_W]) => (at_ms >= from_ms && at_ms < to_ms ? [power_W] : []));
  if (seen.length < (KNOWN * (to_ms - from_ms)) / SLOT_MS) return null;
  return ((expected_W - Math.max(...seen)) / 1000) * gain_per_kW;
}

export function nightEffect(
  { reference_W, gain_per_W }: Extract<Measure, { kind: 'night' }>,
  night_W: number | null,
): number | null {
  return night_W === null ? null : (reference_W - night_W) * gain_per_W;
}

/** @param share of the forecast generation that was given since; null where it is not known. */
export function yieldEffect(
  { reference, gain }: Extract<Measure, { kind: 'yield' }>,
  share: number | null,
): number | null {
  return share === null ? null : (share - reference) * gain;
}

/** Fewer days say nothing of the errors. */
const LEAST_DAYS = 8;
const LEVEL = 0.9;

/**
 * The 90 % interval of an effect: what was measured, less what the same sum came to on days without advice.
 * @param errors of such days; each should have been 0. @returns null where there are too few.
 */
export function effectRange(amount: number, errors: readonly number[]): { low: number; high: number } | null {
  if (errors.length < LEAST_DAYS) return null;
  const sorted = errors.toSorted((a, b) => a - b);
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const next = sorted[Math.min(sorted.length - 1, below + 1)]!;
    return sorted[below]! + (place - below) * (next - sorted[below]!);
  };
  const [lowest, highest] = [at((1 - LEVEL) / 2), at((1 + LEVEL) / 2)];
  return { low: Math.min(amount, amount - highest), high: Math.max(amount, amount - lowest) };
}

export type RealisedSaving = { amount: number; low: number | null; high: number | null };

/** Several effects together, their errors taken for independent; no range where one has none. */
export function sumOfEffects(effects: readonly RealisedSaving[]): RealisedSaving | null {
  if (effects.length === 0) return null;
  const amount = effects.reduce((sum, one) => sum + one.amount, 0);
  let [below, above] = [0, 0];
  for (const { amount: own, low, high } of effects) {
    if (low === null || high === null) return { amount, low: null, high: null };
    below += (own - low) ** 2;
    above += (high - own) ** 2;
  }
  return { amount, low: amount - Math.sqrt(below), high: amount + Math.sqrt(above) };
}
