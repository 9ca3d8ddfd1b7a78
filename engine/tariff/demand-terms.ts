/**
 * Demand charges as an optimiser needs them: for each billing period that a horizon touches, which slots make which
 * mean, what was drawn already, and the cost of the billed power as convex pieces. Pure.
 */
import { InvalidDataError } from '../errors.ts';
import { HOUR_MS, SLOT_MS } from '../model/time.ts';
import {
  billedPeak,
  demandCost,
  demandPeriod,
  floorOf,
  type ImportSlots,
  type IntervalMean,
  intervalMeans,
  intervalStart,
} from './demand.ts';
import type { Slots, TariffContext } from './prices.ts';
import type { DemandCharge, DemandPrice, Tariff } from './tariff.ts';
import { createWallClock, holds } from './window.ts';

/**
 * One demand charge in one billing period. With the means of the horizon's intervals m, and d the largest of each day
 * (or the intervals themselves where `distinct_days` is false), together with `realised`:
 * billed power z = max(floor_kW, mean of the `count` largest of d), cost = `cost(z)`.
 * As linear constraints: count · t + Σ max(0, d − t) is the sum of the `count` largest for the best t (Ogryczak and
 * Tamir, "Minimizing the sum of the k largest functions in linear time", 2003), and cost ≥ per_kW · z + fixed for
 * each of `pieces`.
 */
export type DemandTerm = {
  charge: DemandCharge;
  period: { from_ms: number; to_ms: number };
  count: number;
  distinct_days: boolean;
  /** Means of power inside the horizon that are measured, ascending. */
  intervals: readonly DemandInterval[];
  /** Means before the horizon that may be billed: the `count` largest (of different days where `distinct_days`), and
   * of a day that goes on in the horizon its largest; the largest first. */
  realised: readonly IntervalMean[];
  /** At least this is billed, by minimum and ratchet. */
  floor_kW: number;
  /** What a billed power costs in this period, VAT included. */
  cost: (kW: number) => number;
  /** Convex lower bound of `cost` on [0, most_kW]: its largest piece. Equal to it where `exact`. */
  pieces: readonly CostPiece[];
  exact: boolean;
  /** Steps, VAT included, where the cost jumps: for an exact plan with binaries. */
  steps: readonly { up_to_kW: number; amount: number }[] | null;
};
/** kW of the interval = (fixed_kWh + Σ kWh of the slots [first, first + count)) / hours. */
export type DemandInterval = {
  from_ms: number;
  to_ms: number;
  date: string;
  /** Index into the horizon's slots, and how many. */
  first: number;
  count: number;
  /** Energy of its slots that lie before the horizon. */
  fixed_kWh: number;
  hours: number;
};
export type CostPiece = { per_kW: number; fixed: number };

export type DemandPast = ImportSlots & {
  /** Largest measured power of the months before, for ratchets, by the charge's name; none: 0. */
  ratchet_kW?: Readonly<Record<string, number>>;
};

/**
 * @param horizon consecutive slots of the plan
 * @param past what was taken since the start of the billing period that the horizon begins in
 * @param most_kW the largest power that can occur (connection limit); bounds the convex form of steps
 */
export function demandTerms(
  tariff: Tariff,
  horizon: Slots,
  past: DemandPast,
  context: Pick<TariffContext, 'isHoliday'>,
  most_kW: number,
): DemandTerm[] {
  if (horizon.at_ms.length === 0) return [];
  return tariff.demand.flatMap((charge) =>
    periodsOf(charge, horizon, tariff.time_zone).map((period) =>
      termOf({ tariff, charge, period, horizon, past, most_kW, isHoliday: context.isHoliday }),
    ),
  );
}

type Making = {
  tariff: Tariff;
  charge: DemandCharge;
  period: { from_ms: number; to_ms: number };
  horizon: Slots;
  past: DemandPast;
  most_kW: number;
  isHoliday: TariffContext['isHoliday'];
};

function periodsOf(charge: DemandCharge, { at_ms }: Slots, time_zone: string) {
  const periods = [demandPeriod(charge, at_ms[0]!, time_zone)];
  while (periods.at(-1)!.to_ms <= at_ms.at(-1)!) periods.push(demandPeriod(charge, periods.at(-1)!.to_ms, time_zone));
  return periods;
}

function termOf(making: Making): DemandTerm {
  const { charge, period, past, tariff, most_kW } = making;
  const intervals = intervalsOf(making);
  const vat = 1 + charge.vat_percent / 100;
  const cost = (kW: number) => demandCost(charge.price, kW) * vat;
  const { pieces, exact } = convexPieces(charge.price, most_kW);
  const before = intervalMeans(tariff, charge, cut(past, period, making.horizon.at_ms[0]!), making.isHoliday);
  const running = new Set(intervals.map(({ date }) => date));
  const ended = charge.peaks.distinct_days ? before.filter(({ date }) => !running.has(date)) : before;
  const today = charge.peaks.distinct_days ? before.filter(({ date }) => running.has(date)) : [];
  const realised = [...billedPeak(charge, ended).peaks, ...billedPeak(charge, today).peaks.slice(0, 1)];
  return {
    ...{ charge, period, intervals, exact, cost },
    ...{ count: charge.peaks.count, distinct_days: charge.peaks.distinct_days },
    realised: realised.sort((a, b) => b.kW - a.kW),
    floor_kW: floorOf(charge, past.ratchet_kW?.[charge.name] ?? 0),
    pieces: pieces.map(({ per_kW, fixed }) => ({ per_kW: per_kW * vat, fixed: fixed * vat })),
    steps:
      charge.price.kind === 'steps'
        ? charge.price.steps.map(({ up_to_kW, amount }) => ({ up_to_kW, amount: amount * vat }))
        : null,
  };
}

function cut({ at_ms, kWh, slot_ms }: ImportSlots, period: Making['period'], end_ms: number): ImportSlots {
  const inside = Array.from(at_ms.keys()).filter((i) => at_ms[i]! >= period.from_ms && at_ms[i]! < end_ms);
  return {
    at_ms: Float64Array.from(inside, (i) => at_ms[i]!),
    kWh: Float64Array.from(inside, (i) => kWh[i]!),
    ...(slot_ms === undefined ? {} : { slot_ms }),
  };
}

function intervalsOf({ tariff, charge, period, horizon, past, isHoliday }: Making): DemandInterval[] {
  const slot_ms = horizon.slot_ms ?? SLOT_MS;
  const span_ms = Math.max(slot_ms, charge.mean_min * 60_000);
  const clock = createWallClock(tariff.time_zone, tariff.holidays, isHoliday);
  const found: DemandInterval[] = [];
  for (let i = 0; i < horizon.at_ms.length; i++) {
    const at = horizon.at_ms[i]!;
    if (at < period.from_ms || at >= period.to_ms) continue;
    const from_ms = intervalStart(at, span_ms, tariff.time_zone);
    const last = found.at(-1);
    if (last?.from_ms === from_ms) last.count++;
    else {
      const wall = clock(from_ms);
      if (!holds(charge.when, wall)) continue;
      const fixed_kWh = found.length === 0 ? sumOf(past, from_ms, at) : 0;
      const interval = { from_ms, to_ms: from_ms + span_ms, date: wall.day.date, first: i, count: 1, fixed_kWh };
      found.push({ ...interval, hours: span_ms / HOUR_MS });
    }
  }
  return found;
}

/** Known energy of [from, to); what is unknown counts nothing. */
function sumOf({ at_ms, kWh }: ImportSlots, from_ms: number, to_ms: number): number {
  let total = 0;
  for (let i = at_ms.length - 1; i >= 0 && at_ms[i]! >= from_ms; i--)
    if (at_ms[i]! < to_ms && !Number.isNaN(kWh[i]!)) total += kWh[i]!;
  return total;
}

/**
 * The convex envelope of a price from below on [0, most_kW], as lines; without VAT. Linear prices and rising blocks
 * are met exactly; steps and falling blocks are bounded by the lower hull of their corners.
 * @throws InvalidDataError for steps or blocks without a finite `most_kW`
 */
export function convexPieces(price: DemandPrice, most_kW: number): { pieces: CostPiece[]; exact: boolean } {
  if (price.kind === 'linear') return { pieces: [{ per_kW: price.per_kW, fixed: 0 }], exact: price.per_kW >= 0 };
  if (!Number.isFinite(most_kW))
    throw new InvalidDataError(
      'The steps of a demand charge can only be weighed up to a largest power.',
      'Give the tariff a limit of the grid connection.',
    );
  const ends = (price.kind === 'steps' ? price.steps : price.blocks).map(({ up_to_kW }) => up_to_kW);
  const corners = [0, ...ends.filter((end) => end < most_kW), most_kW].map((kW) => ({
    kW,
    cost: demandCost(price, kW),
  }));
  const hull: typeof corners = [];
  for (const corner of corners) {
    while (hull.length >= 2 && turnsDown(hull.at(-2)!, hull.at(-1)!, corner)) hull.pop();
    hull.push(corner);
  }
  const pieces = hull.slice(1).map((corner, i) => {
    const before = hull[i]!;
    const per_kW = corner.kW > before.kW ? (corner.cost - before.cost) / (corner.kW - before.kW) : 0;
    return { per_kW, fixed: before.cost - per_kW * before.kW };
  });
  return { pieces, exact: price.kind === 'blocks' && hull.length === corners.length };
}

type Corner = { kW: number; cost: number };

/** Whether b lies on or above the line from a to c, up to rounding. */
function turnsDown(a: Corner, b: Corner, c: Corner): boolean {
  return (b.cost - a.cost) * (c.kW - a.kW) > (c.cost - a.cost) * (b.kW - a.kW) + 1e-9;
}
