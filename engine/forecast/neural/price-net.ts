/** An LSTM on prices: what the next hour differs from the last one, from a window of 24 hours. */
import { InvalidDataError } from '../../errors.ts';
import { DAY_HOURS } from '../../features/panel.ts';
import { createNetwork, type Network, type NetworkState, reviveNetwork, type TrainingOptions } from './network.ts';

export const WINDOW_HOURS = 24;
const WIDTH = 5;
const HIDDEN = 24;
/** Steps larger than this many usual ones count as this large when it learns. */
const MOST = 6;

export type PriceNet = {
  /** Next hour's value for each hour of `at`, each from the 24 before it. */
  forecast(values: Float64Array, at: readonly number[], first_hour: number): Float64Array;
  serialise(): PriceNetState;
  close(): void;
};
export type PriceNetState = { level: number; spread: number; step: number; network: NetworkState };

export type PriceNetOptions = TrainingOptions & {
  /** Number of the first hour of `values` since the epoch, in local time. */
  first_hour: number;
};

/** @param until first hour not to learn from. @throws InvalidDataError where less than four weeks are known. */
export async function trainPriceNet(
  values: Float64Array,
  until: number,
  options: PriceNetOptions,
): Promise<{ net: PriceNet; losses: number[] }> {
  const at = hoursOf(values, until);
  if (at.length < 28 * DAY_HOURS)
    throw new InvalidDataError(`${at.length} hours are too few to learn from.`, 'Four weeks are needed.');
  const sorted = values.slice(0, until).filter(Number.isFinite).sort();
  const quantile = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!;
  const level = quantile(0.5);
  const spread = (quantile(0.9) - quantile(0.1)) / 2 || 1;
  const steps = at.map((k) => values[k]! - values[k - 1]!);
  const step =
    Math.sqrt(steps.reduce((sum, one) => sum + Math.min(one * one, (3 * spread) ** 2), 0) / steps.length) || 1;
  const scales = { level, spread, step };
  const network = createNetwork(
    { kind: 'lstm', steps: WINDOW_HOURS, width: WIDTH, hidden: HIDDEN, outputs: 1 },
    options.seed,
  );
  const x = windows(values, at, options.first_hour, scales);
  const y = Float32Array.from(steps, (one) => Math.max(-MOST, Math.min(MOST, one / step)));
  const losses = await network.train(x, y, options);
  return { net: netOf(network, scales), losses };
}

export function revivePriceNet({ network, ...scales }: PriceNetState): PriceNet {
  return netOf(reviveNetwork(network), scales);
}

type Scales = { level: number; spread: number; step: number };

function netOf(network: Network, scales: Scales): PriceNet {
  return {
    forecast(values, at, first_hour) {
      const made = network.predict(windows(values, at, first_hour, scales));
      return Float64Array.from(at, (k, row) => values[k - 1]! + scales.step * made[row]!);
    },
    serialise: () => ({ ...scales, network: network.serialise() }),
    close: () => network.close(),
  };
}

/** Hours before `until` whose value and window are known. */
export function hoursOf(values: Float64Array, until: number, from = 0): number[] {
  const found: number[] = [];
  let since = -1;
  for (let k = 0; k < until; k++) {
    if (Number.isNaN(values[k]!)) since = k;
    else if (k >= from && k - since > WINDOW_HOURS) found.push(k);
  }
  return found;
}

/** At each step the value (tamed), and where in the day and week the hour after it lies. */
function windows(
  values: Float64Array,
  at: readonly number[],
  first_hour: number,
  { level, spread }: Scales,
): Float32Array {
  const x = new Float32Array(at.length * WINDOW_HOURS * WIDTH);
  let place = 0;
  for (const k of at)
    for (let back = WINDOW_HOURS; back >= 1; back--) {
      const hour = first_hour + k - back + 1;
      const [day, week] = [(2 * Math.PI * (hour % DAY_HOURS)) / DAY_HOURS, (2 * Math.PI * (hour % 168)) / 168];
      x[place++] = Math.asinh((values[k - back]! - level) / spread);
      x[place++] = Math.sin(day);
      x[place++] = Math.cos(day);
      x[place++] = Math.sin(week);
      x[place++] = Math.cos(week);
    }
  return x;
}
