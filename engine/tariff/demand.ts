/** Demand charges: which means of power are measured, which peaks are billed, and what they cost. Pure. */
import { addMonths, HOUR_MS, instantOf, localTime, SLOT_MS, zoneOffset } from '../model/time.ts';
import type { DemandCharge, DemandPrice, HolidayCalendar, Tariff } from './tariff.ts';
import { createWallClock, holds } from './window.ts';

/** Energy taken from the grid per slot in kWh; NaN is unknown. `slot_ms` is 15 minutes where left out. */
export type ImportSlots = { at_ms: Float64Array; kWh: Float64Array; slot_ms?: number };

/** A mean of power over an interval of the wall clock. */
export type IntervalMean = { from_ms: number; to_ms: number; date: string; kW: number };

/** What is billed of a period: the peaks, and the power they come to. */
export type BilledPeak = {
  /** The largest first; at most `count`. */
  peaks: IntervalMean[];
  /** Mean of `count` peaks; a day without one yet counts 0. */
  measured_kW: number;
  /** After the minimum and the ratchet. */
  billed_kW: number;
};

/**
 * The means that a demand charge measures, ascending. An interval of which a slot is unknown is left out: its mean is
 * unknown. Where slots are longer than the charge's intervals, each slot's mean stands for its intervals.
 */
export function intervalMeans(
  tariff: Pick<Tariff, 'time_zone' | 'holidays'>,
  charge: Pick<DemandCharge, 'mean_min' | 'when'>,
  slots: ImportSlots,
  isHoliday: HolidayCalendar,
): IntervalMean[] {
  const slot_ms = slots.slot_ms ?? SLOT_MS;
  const span_ms = Math.max(slot_ms, charge.mean_min * 60_000);
  const clock = createWallClock(tariff.time_zone, tariff.holidays, isHoliday);
  const parts = new Map<number, { kWh: number; count: number }>();
  for (let i = 0; i < slots.at_ms.length; i++) {
    const kWh = slots.kWh[i]!;
    if (Number.isNaN(kWh)) continue;
    const from_ms = intervalStart(slots.at_ms[i]!, span_ms, tariff.time_zone);
    const part = parts.get(from_ms) ?? { kWh: 0, count: 0 };
    part.kWh += kWh;
    part.count++;
    parts.set(from_ms, part);
  }
  const means: IntervalMean[] = [];
  for (const [from_ms, { kWh, count }] of parts) {
    const wall = clock(from_ms);
    if (count * slot_ms < span_ms || !holds(charge.when, wall)) continue;
    means.push({ from_ms, to_ms: from_ms + span_ms, date: wall.day.date, kW: (kWh * HOUR_MS) / span_ms });
  }
  return means.sort((a, b) => a.from_ms - b.from_ms);
}

/** Start of the interval of the wall clock that holds `at_ms`; clock changes are whole quarters of an hour. */
export function intervalStart(at_ms: number, span_ms: number, time_zone: string): number {
  const offset = zoneOffset(at_ms, time_zone);
  return Math.floor((at_ms + offset) / span_ms) * span_ms - offset;
}

/** The peaks that count: the largest interval of each day, or simply the largest; equal ones in order of time. */
export function largestPeaks(peaks: DemandCharge['peaks'], means: readonly IntervalMean[]): IntervalMean[] {
  let candidates = means;
  if (peaks.distinct_days) {
    const days = new Map<string, IntervalMean>();
    for (const mean of means) keepLarger(days, mean);
    candidates = [...days.values()];
  }
  return [...candidates].sort((a, b) => b.kW - a.kW || a.from_ms - b.from_ms).slice(0, peaks.count);
}

function keepLarger(days: Map<string, IntervalMean>, mean: IntervalMean): void {
  const known = days.get(mean.date);
  if (!known || mean.kW > known.kW) days.set(mean.date, mean);
}

/** @param ratchet_kW the largest measured power of a month that the ratchet looks back on; 0 for none. */
export function billedPeak(charge: DemandCharge, means: readonly IntervalMean[], ratchet_kW = 0): BilledPeak {
  const peaks = largestPeaks(charge.peaks, means);
  const measured_kW = peaks.reduce((sum, { kW }) => sum + kW, 0) / charge.peaks.count;
  return { peaks, measured_kW, billed_kW: Math.max(measured_kW, floorOf(charge, ratchet_kW)) };
}

/** The power that is billed at least. */
export function floorOf({ min_kW, ratchet }: DemandCharge, ratchet_kW: number): number {
  return Math.max(min_kW, ratchet ? (ratchet_kW * ratchet.percent) / 100 : 0);
}

/** What `kW` of billed power costs in a whole period (month or year), without VAT. */
export function demandCost(price: DemandPrice, kW: number): number {
  if (price.kind === 'linear') return price.per_kW * kW;
  if (price.kind === 'steps') return (price.steps.find(({ up_to_kW }) => kW <= up_to_kW) ?? price.steps.at(-1)!).amount;
  let [cost, below_kW] = [0, 0];
  for (const { up_to_kW, per_kW } of price.blocks) {
    cost += per_kW * Math.max(0, Math.min(kW, up_to_kW) - below_kW);
    below_kW = up_to_kW;
  }
  return cost;
}

/** The local month or year that holds `at_ms`. */
export function demandPeriod(
  { period }: Pick<DemandCharge, 'period'>,
  at_ms: number,
  time_zone: string,
): { from_ms: number; to_ms: number } {
  if (period === 'month') return { from_ms: addMonths(at_ms, 0, time_zone), to_ms: addMonths(at_ms, 1, time_zone) };
  const { year } = localTime(at_ms, time_zone);
  return { from_ms: instantOf(time_zone, year, 1, 1), to_ms: instantOf(time_zone, year + 1, 1, 1) };
}
