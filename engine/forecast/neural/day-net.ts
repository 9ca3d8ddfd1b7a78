/**
 * Networks that forecast a local day's 24 hours, behind the port of methods: a multi-layer perceptron on whole profiles
 * of days before, or a long short-term memory over the hours of the day to come. Several with seeds of their own are a
 * deep ensemble (Lakshminarayanan, Pritzel & Blundell 2017, NeurIPS): their mean is the forecast, their spread tells how
 * unsure it is. All is relative to the level of the last week, in units of the last month's deviation.
 */
import { InvalidDataError } from '../../errors.ts';
import { daysAgo, LAST_MONTH, LAST_WEEK, type LoadHistory, meanOfDays } from '../../features/load-past.ts';
import { meanOf } from '../../features/mean.ts';
import { DAY_HOURS, type Panel } from '../../features/panel.ts';
import type { Pasts } from '../load-methods.ts';
import type { Explanation, ForecastMethod, TrainedForecaster } from '../port.ts';
import { type Forward, forwardOf } from './forward.ts';
import type { NetworkShape, NetworkState } from './network.ts';
import type { NetworkTrainer } from './trainer.ts';

export type DayNetOptions = {
  kind: 'mlp' | 'lstm';
  /** Networks of the ensemble, each from a seed of its own. */
  members: number;
  seed: number;
  /** The least that can be; null where values may be negative. */
  floor: number | null;
  epochs?: number;
  window_days?: number;
};

/** A method whose learning takes time and a backend: it is prepared for a day before it is asked to train. */
export type PreparedMethod = ForecastMethod & {
  /** @param onShare told the share that is done; throws to cancel. @throws UnavailableError, InvalidDataError */
  prepare(panel: Panel, day: number, trainer: NetworkTrainer, onShare: (share: number) => void): Promise<void>;
};

type State = { members: NetworkState[] };

const FIRST_DAY = 28;
const LEAST_DAYS = 28;
const HIDDEN = { mlp: 48, lstm: 24 } as const;
const YEAR_DAYS = 365.25;
const PROFILES = ['d-1', 'd-2', 'd-7', 'week mean', 'five days alike'] as const;
/** What a contribution is told of: inputs that say one thing together. */
const GROUPS = [...PROFILES, 'weekday', 'off', 'season'] as const;
const FLAGS = 16;
/** Values count as at most so many deviations. */
const MOST = 8;

export function createDayNet(pasts: Pasts, options: DayNetOptions): PreparedMethod {
  const { kind, members, seed, epochs = kind === 'mlp' ? 60 : 30, window_days = 728 } = options;
  const name = `${kind}-ensemble-${members}/1`;
  const prepared: TrainedForecaster[] = [];
  return {
    name,
    async prepare(panel, day, trainer, onShare) {
      const history = pasts.history(panel);
      const rows = rowsOf(history, kind, Math.max(FIRST_DAY, day - window_days), day);
      const made: NetworkState[] = [];
      for (let k = 0; k < members; k++) {
        const task = { ...rows, epochs, batch: 32, learning_rate: 0.003, seed: seed * 100 + k };
        made.push(await trainer.train(task, (epoch) => onShare((k + (epoch + 1) / epochs) / members)));
      }
      prepared.push(trained(name, day, { members: made }, pasts, options));
    },
    train(_panel, day) {
      const known = prepared.filter(({ trained_day }) => trained_day <= day);
      const newest = known.reduce<TrainedForecaster | null>(
        (a, b) => (a && a.trained_day > b.trained_day ? a : b),
        null,
      );
      if (newest) return newest;
      throw new InvalidDataError(`${name} was not trained for this day.`, 'It takes part after the next training.');
    },
    revive({ method, trained_day, state }) {
      if (method !== name)
        throw new InvalidDataError(`This is a model of ${method}, not of ${name}.`, 'Train the model anew.');
      return trained(name, trained_day, state as State, pasts, options);
    },
  };
}

type Row = { x: Float32Array; level: number; deviation: number };

function trained(
  method: string,
  trained_day: number,
  state: State,
  pasts: Pasts,
  { kind, floor }: DayNetOptions,
): TrainedForecaster {
  const forwards = state.members.map(forwardOf);
  const rowAt = (panel: Panel, day: number): Row => {
    const row = rowOf(pasts.history(panel), kind, day);
    if (row) return row;
    throw new InvalidDataError('Too little is known of the last days.', 'Wait for newer values.');
  };
  const cut = (value: number) => (floor === null ? value : Math.max(floor, value));
  const means = ({ x, level, deviation }: Row): Float64Array =>
    meanOfAll(forwards, x).map((value) => level + deviation * value);
  return {
    method,
    trained_day,
    forecast: (panel, day) => means(rowAt(panel, day)).map(cut),
    spread(panel, day) {
      const { x, deviation } = rowAt(panel, day);
      const all = forwards.map((forward) => forward(x));
      const mean = meanOfAll(forwards, x);
      return mean.map(
        (centre, hour) =>
          deviation * Math.sqrt(all.reduce((sum, one) => sum + (one[hour]! - centre) ** 2, 0) / all.length),
      );
    },
    explain(panel, day, hour) {
      const row = rowAt(panel, day);
      const told = shapley(forwards, row, kind, hour);
      const value = means(row)[hour]!;
      const less = cut(value) - value;
      if (less !== 0) told.contributions.push({ feature: 'never below 0', value: 0, adds: less });
      told.contributions = told.contributions.filter(({ adds }) => adds !== 0);
      told.contributions.sort((a, b) => Math.abs(b.adds) - Math.abs(a.adds));
      return told;
    },
    serialise: () => ({ method, trained_day, state }),
  };
}

function meanOfAll(forwards: readonly Forward[], x: Float32Array): Float64Array {
  const sum = new Float64Array(DAY_HOURS);
  for (const forward of forwards) for (const [hour, value] of forward(x).entries()) sum[hour]! += value;
  return sum.map((value) => value / forwards.length);
}

function shapeOf(kind: DayNetOptions['kind']): NetworkShape {
  return kind === 'mlp'
    ? { kind, steps: 1, width: PROFILES.length * DAY_HOURS + FLAGS, hidden: HIDDEN.mlp, outputs: DAY_HOURS }
    : { kind, steps: DAY_HOURS, width: PROFILES.length + 2 + FLAGS, hidden: HIDDEN.lstm, outputs: DAY_HOURS };
}

/** @throws InvalidDataError while too few days are known. */
function rowsOf(history: LoadHistory, kind: DayNetOptions['kind'], from: number, day: number) {
  const view = history.panel.viewAt(history.panel.origin(day));
  const found: { row: Row; y: Float32Array }[] = [];
  for (let d = from; d < day; d++) {
    const row = rowOf(history, kind, d);
    if (!row) continue;
    const y = Float32Array.from({ length: DAY_HOURS }, (_, hour) =>
      tamed((view.value(0, d, hour) - row.level) / row.deviation),
    );
    if (y.every(Number.isFinite)) found.push({ row, y });
  }
  if (found.length < LEAST_DAYS)
    throw new InvalidDataError(`${found.length} days are too few to learn from.`, `Networks need ${LEAST_DAYS}.`);
  const shape = shapeOf(kind);
  const x = new Float32Array(found.length * shape.steps * shape.width);
  const y = new Float32Array(found.length * DAY_HOURS);
  for (const [k, one] of found.entries()) {
    x.set(one.row.x, k * shape.steps * shape.width);
    y.set(one.y, k * DAY_HOURS);
  }
  return { shape, x, y };
}

const tamed = (value: number): number => Math.min(MOST, Math.max(-MOST, value));

/** Inputs of a day as known at its origin; null where something is missing. */
function rowOf(history: LoadHistory, kind: DayNetOptions['kind'], day: number): Row | null {
  const past = history.before(day);
  const week = meanOfDays(past, daysAgo(day, LAST_WEEK));
  const level = meanOf(week);
  const month = daysAgo(day, LAST_MONTH).flatMap((one) => [...past.hours(one)]);
  const deviation = meanOf(month.map((value) => Math.abs(value - level))) + 1e-3 * Math.abs(level) + 1e-9;
  const profiles = [...[1, 2, 7].map((lag) => past.hours(day - lag)), week, meanOfDays(past, past.alike(5))].map(
    (hours) => hours.map((value) => tamed((value - level) / deviation)),
  );
  const x = kind === 'mlp' ? flat(profiles, flagsOf(history, day)) : stepwise(profiles, flagsOf(history, day));
  return Number.isFinite(level) && x.every(Number.isFinite) ? { x, level, deviation } : null;
}

function flagsOf(history: LoadHistory, day: number): number[] {
  const phase = (2 * Math.PI * (history.panel.first_day + day)) / YEAR_DAYS;
  return [
    ...Array.from({ length: 7 }, (_, k) => (history.weekday(day) === k ? 1 : 0)),
    ...[history.holiday(day), history.special(day), history.off(day), history.off(day - 1), history.off(day + 1)].map(
      Number,
    ),
    ...[Math.sin(phase), Math.cos(phase), Math.sin(2 * phase), Math.cos(2 * phase)],
  ];
}

const flat = (profiles: readonly Float64Array[], flags: readonly number[]): Float32Array =>
  Float32Array.from([...profiles.flatMap((hours) => [...hours]), ...flags]);

function stepwise(profiles: readonly Float64Array[], flags: readonly number[]): Float32Array {
  const wave = (hour: number) => (2 * Math.PI * hour) / DAY_HOURS;
  return Float32Array.from(
    Array.from({ length: DAY_HOURS }, (_, hour) => [
      ...profiles.map((hours) => hours[hour]!),
      ...[Math.sin(wave(hour)), Math.cos(wave(hour))],
      ...flags,
    ]).flat(),
  );
}

/** To which group an input belongs; −1: to none, it stays (the hour of the day). */
function groupAt(kind: DayNetOptions['kind'], place: number): number {
  const { width } = shapeOf(kind);
  const within = place % width;
  const flags = width - FLAGS;
  if (within >= flags) return within - flags < 7 ? 5 : within - flags < 12 ? 6 : 7;
  if (kind === 'mlp') return Math.floor(within / DAY_HOURS);
  return within < PROFILES.length ? within : -1;
}

/**
 * Exact Shapley values of the groups of inputs; one that is away is 0: profiles at the level, no day, no season
 * (Shapley 1953; Lundberg & Lee 2017, NeurIPS). They and the base sum to the forecast.
 */
function shapley(
  forwards: readonly Forward[],
  { x, level, deviation }: Row,
  kind: DayNetOptions['kind'],
  hour: number,
): Explanation {
  const groups = GROUPS.length;
  const places = Array.from(x, (_, place) => groupAt(kind, place));
  const values = new Float64Array(1 << groups);
  for (let set = 0; set < values.length; set++) {
    const masked = x.map((value, place) => (places[place]! >= 0 && !((set >> places[place]!) & 1) ? 0 : value));
    values[set] = meanOfAll(forwards, masked)[hour]!;
  }
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  const contributions = GROUPS.map((feature, g) => {
    let adds = 0;
    for (let set = 0; set < values.length; set++) {
      if ((set >> g) & 1) continue;
      const size = set.toString(2).replaceAll('0', '').length;
      const weight = (factorial(size) * factorial(groups - size - 1)) / factorial(groups);
      adds += weight * (values[set | (1 << g)]! - values[set]!);
    }
    const profile = kind === 'mlp' ? x[g * DAY_HOURS + hour] : x[hour * shapeOf(kind).width + g];
    const value = g < PROFILES.length ? level + deviation * profile! : 1;
    return { feature, value, adds: deviation * adds };
  });
  return { base: level + deviation * values[0]!, contributions };
}
