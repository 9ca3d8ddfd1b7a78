/**
 * How far a measured effect may be from the true one: the same sum over days on which nobody was advised, which should
 * have been 0. Each earlier day is one draw of the forecast's errors, whole days at a time, so that errors that go
 * together within a day stay together (a block bootstrap with blocks of a day, each drawn once).
 */
import { addDays, dayStart, instantOf, localTime, SLOT_MS, sameTimeBefore } from '../../../engine/model/time.ts';
import type { Columns } from '../../../engine/ports.ts';
import type { Measure } from '../../../recommender/action.ts';
import { energyEffect, type PowerBySlot } from '../../../recommender/effect.ts';
import type { Services } from '../../services.ts';

export type ErrorDeps = {
  data: Pick<Services['data'], 'balance'>;
  forecasts: Pick<Services['forecasts'], 'past'>;
};

const DAYS = 28;
const NIGHT = [1, 4] as const;
const KNOWN = 0.9;

/** @param before_ms nothing from then on counts: what was advised shows there. @returns money, one a day that is known. */
export async function effectErrors(
  deps: ErrorDeps,
  tenant: string,
  measure: Measure,
  before_ms: number,
  tz: string,
): Promise<number[]> {
  const to_ms = dayStart(before_ms, tz);
  const from_ms = addDays(to_ms, -DAYS, tz);
  const read = async (series: 'load' | 'battery' | 'grid' | 'generation') =>
    bySlot(await deps.data.balance(tenant, series, from_ms, to_ms));
  const forecast = async (series: 'load' | 'generation') =>
    bySlot(await deps.forecasts.past(tenant, series, from_ms, to_ms));
  switch (measure.kind) {
    case 'energy': {
      const measured = await read(measure.series);
      const expected = measure.series === 'load' ? await forecast('load') : null;
      return energyErrors(measure, measured, expected, before_ms, tz);
    }
    case 'peak':
      return peakErrors(measure, await read('grid'), await forecast('load'), await forecast('generation'), tz);
    case 'night':
      return nightErrors(measure, await read('load'), to_ms, tz);
    case 'yield':
      return yieldErrors(measure, await read('generation'), await forecast('generation'), to_ms, tz);
  }
}

type OfKind<Kind extends Measure['kind']> = Extract<Measure, { kind: Kind }>;

/** @param expected null: what is usual at that time of day, by the other days. */
function energyErrors(
  measure: OfKind<'energy'>,
  measured: PowerBySlot,
  expected: PowerBySlot | null,
  before_ms: number,
  tz: string,
): number[] {
  const errors: number[] = [];
  // The windows may be tomorrow's: the first day back that lies before the advice whole.
  const last_ms = Math.max(...measure.slots.map(({ at_ms }) => at_ms)) + SLOT_MS;
  for (let back = 1; back <= DAYS; back++) {
    if (sameTimeBefore(last_ms, back, tz) > before_ms) continue;
    const slots = measure.slots.map(({ at_ms, gain_per_kWh }) => {
      const then_ms = sameTimeBefore(at_ms, back, tz);
      const expected_W = expected ? (expected.get(then_ms) ?? null) : usualBut(measured, at_ms, back, tz);
      return { at_ms: then_ms, gain_per_kWh, expected_W };
    });
    const sum = energyEffect({ kind: 'energy', series: measure.series, slots }, measured, new Map());
    if (sum !== null) errors.push(sum);
  }
  return errors;
}

/** Mean at the same local time of the other days. */
function usualBut(measured: PowerBySlot, at_ms: number, left_out: number, tz: string): number | null {
  const others: number[] = [];
  for (let back = 1; back <= DAYS; back++) {
    const power_W = back === left_out ? undefined : measured.get(sameTimeBefore(at_ms, back, tz));
    if (power_W !== undefined) others.push(power_W);
  }
  return others.length === 0 ? null : meanOf(others);
}

function peakErrors(
  { from_ms, to_ms, gain_per_kW }: OfKind<'peak'>,
  grid: PowerBySlot,
  load: PowerBySlot,
  generation: PowerBySlot,
  tz: string,
): number[] {
  const errors: number[] = [];
  for (let back = 1; back <= DAYS; back++) {
    const slots: number[] = [];
    for (let at_ms = sameTimeBefore(from_ms, back, tz); at_ms < sameTimeBefore(to_ms, back, tz); at_ms += SLOT_MS)
      slots.push(at_ms);
    const seen = slots.flatMap((at_ms) => grid.get(at_ms) ?? []);
    const ahead = slots.flatMap((at_ms) =>
      load.has(at_ms) ? [load.get(at_ms)! - Math.max(0, generation.get(at_ms) ?? 0)] : [],
    );
    if (seen.length < KNOWN * slots.length || ahead.length < KNOWN * slots.length) continue;
    errors.push(((Math.max(...ahead) - Math.max(...seen)) / 1000) * gain_per_kW);
  }
  return errors;
}

/** A night against the mean of the next two, when nobody was advised. */
function nightErrors({ gain_per_W }: OfKind<'night'>, load: PowerBySlot, to_ms: number, tz: string): number[] {
  const nights = Array.from({ length: DAYS }, (_, k) => nightOf(load, addDays(to_ms, k - DAYS, tz), tz));
  return nights.flatMap((night, k) => {
    const [next, second] = [nights[k + 1], nights[k + 2]];
    return night == null || next == null || second == null ? [] : [(night - (next + second) / 2) * gain_per_W];
  });
}

function nightOf(load: PowerBySlot, day_ms: number, tz: string): number | null {
  const { year, month, day } = localTime(day_ms, tz);
  const [begin_ms, end_ms] = NIGHT.map((hour) => instantOf(tz, year, month, day, hour)) as [number, number];
  const seen = [...load].flatMap(([at_ms, power_W]) => (at_ms >= begin_ms && at_ms < end_ms ? [power_W] : []));
  return seen.length < (KNOWN * (end_ms - begin_ms)) / SLOT_MS ? null : meanOf(seen);
}

/** Shares of the forecast that three days in a row gave, around their mean. */
function yieldErrors(
  { gain }: OfKind<'yield'>,
  measured: PowerBySlot,
  forecast: PowerBySlot,
  to_ms: number,
  tz: string,
): number[] {
  const shares: number[] = [];
  for (let back = 3; back <= DAYS; back++) {
    const [begin_ms, end_ms] = [addDays(to_ms, -back, tz), addDays(to_ms, 3 - back, tz)];
    let [given, ahead] = [0, 0];
    for (const [at_ms, power_W] of forecast) {
      const seen = measured.get(at_ms);
      if (at_ms < begin_ms || at_ms >= end_ms || seen === undefined) continue;
      given += Math.max(0, seen);
      ahead += Math.max(0, power_W);
    }
    if (ahead > 0) shares.push(given / ahead);
  }
  const mean = shares.length === 0 ? 0 : meanOf(shares);
  return shares.map((share) => (share - mean) * gain);
}

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function bySlot({ at_ms, values }: Columns): PowerBySlot {
  const found = new Map<number, number>();
  for (const [i, value] of values.entries()) if (!Number.isNaN(value)) found.set(at_ms[i]!, value);
  return found;
}
