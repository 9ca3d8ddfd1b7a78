/** What an anomaly comes to, and what most likely is behind it, by the shape of what differs from the forecast. */

export const CAUSES = [
  'outage',
  'stuck',
  'left_on',
  'switched_off',
  'more_of_all',
  'less_of_all',
  'day_off',
  'moved_in_time',
  'growing',
  'shrinking',
  'single_peak',
  'single_dip',
  'unsteady',
] as const;
export type Cause = (typeof CAUSES)[number];

export type Likely = {
  cause: Cause;
  /** Share of what differs that it explains, 0 to 1. */
  share: number;
};

export type Cost = {
  /** Actual less expected, in kWh; + is more than expected. */
  energy_kWh: number;
  /** What that cost, in the currency of the prices; null where an hour has none. */
  amount: number | null;
};

/** @param prices per kWh, NaN where unknown. @param kWh what one unit of the series is in an hour (1 for kWh, 0.001 for W). */
export function costOfAnomaly(
  actual: Float64Array,
  expected: Float64Array,
  prices: Float64Array | null,
  kWh: number,
): Cost {
  let [energy_kWh, amount] = [0, prices ? 0 : NaN];
  for (let k = 0; k < actual.length; k++) {
    const more = (actual[k]! - expected[k]!) * kWh;
    if (Number.isNaN(more)) continue;
    energy_kWh += more;
    amount += more * (prices?.[k] ?? NaN);
  }
  return { energy_kWh, amount: Number.isNaN(amount) ? null : amount };
}

const MOST_MOVED_HOURS = 12;
/** Fewer hours than these show no pattern over a day. */
const PATTERN_HOURS = 18;

/** Likeliest first; those that explain less than a tenth are left out. Hours that are not known are passed over. */
export function likelyCauses(actual: Float64Array, expected: Float64Array): Likely[] {
  const known = [...actual.keys()].filter((k) => !Number.isNaN(actual[k]! + expected[k]!));
  const a = known.map((k) => actual[k]!);
  const e = known.map((k) => expected[k]!);
  const d = a.map((value, k) => value - e[k]!);
  const total = squares(d);
  if (known.length === 0 || total === 0) return [];
  const mean = sum(d) / d.length;
  const low = e.reduce((least, value) => Math.min(least, value), Infinity);
  // Ramps from nothing to all.
  const ramp = d.map((_, k) => (k + 1) / d.length);
  const scaled = (template: readonly number[]) => fit(d, template, total);
  const [flat, all, grown] = [scaled(d.map(() => 1)), scaled(e), scaled(ramp)];
  const long = d.length >= PATTERN_HOURS;
  const shares: Record<Cause, number> = {
    outage: share(a, (value, k) => Math.abs(value) <= 0.05 * Math.abs(e[k]!) && e[k] !== 0),
    stuck:
      d.length >= 6 && spread(a) <= 1e-3 * Math.abs(sum(a) / a.length) && spread(e) > 0.02 * Math.abs(low) ? 0.98 : 0,
    left_on: flat.times > 0 ? flat.share : 0,
    switched_off: flat.times < 0 ? flat.share : 0,
    more_of_all: long && all.times > 0 ? all.share : 0,
    less_of_all: long && all.times < 0 ? all.share : 0,
    day_off: long ? negative(scaled(e.map((value) => value - low))) : 0,
    moved_in_time: long ? movedShare(a, e, total) : 0,
    growing: d.length >= 6 && grown.times > 0 ? grown.share : 0,
    shrinking: d.length >= 6 && grown.times < 0 ? grown.share : 0,
    single_peak: mean > 0 ? peakShare(d, total) : 0,
    single_dip: mean < 0 ? peakShare(d, total) : 0,
    unsteady: d.length >= 6 ? Math.max(0, 0.9 - (1.5 * Math.abs(sum(d))) / sum(d.map(Math.abs))) : 0,
  };
  return CAUSES.map((cause) => ({ cause, share: Math.round(1000 * shares[cause]) / 1000 }))
    .filter((one) => one.share >= 0.1)
    .sort((one, other) => other.share - one.share);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const squares = (values: readonly number[]): number => values.reduce((total, value) => total + value * value, 0);
const spread = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
const share = (values: readonly number[], is: (value: number, k: number) => boolean): number =>
  values.filter(is).length / values.length;

type Fit = { times: number; share: number };

/** How much of `d` a multiple of the template explains. */
function fit(d: readonly number[], template: readonly number[], total: number): Fit {
  const power = squares(template);
  if (power === 0) return { times: 0, share: 0 };
  const product = d.reduce((all, value, k) => all + value * template[k]!, 0);
  return { times: product / power, share: (product * product) / power / total };
}

const negative = ({ times, share }: Fit): number => (times < 0 ? share : 0);

/** What the same course some hours earlier or later would explain. */
function movedShare(a: readonly number[], e: readonly number[], total: number): number {
  let best = 0;
  for (let by = -MOST_MOVED_HOURS; by <= MOST_MOVED_HOURS; by++) {
    const pairs = a.map((value, k) => [value, e[k + by]] as const).filter(([, other]) => other !== undefined);
    if (by === 0 || pairs.length < PATTERN_HOURS / 2) continue;
    const left = sum(pairs.map(([value, other]) => (value - other!) ** 2)) / pairs.length;
    best = Math.max(best, 1 - left / (total / a.length));
  }
  return best;
}

/** One to three hours in a row that hold most of it, of more. */
function peakShare(d: readonly number[], total: number): number {
  if (d.length <= 3) return 0.95;
  let best = 0;
  for (let k = 0; k + 3 <= d.length; k++) best = Math.max(best, squares(d.slice(k, k + 3)) / total);
  return best * Math.min(1, d.length / 12);
}
