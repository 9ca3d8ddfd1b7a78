/**
 * Models as the running box keeps them: a recipe learns from a site's history and yields an artefact, plain JSON from
 * which the same forecasts, scores and explanations follow on any machine. Pure, as all of the engine.
 */
import type { DayCalendar } from '../../features/load-past.ts';
import type { WeatherSeries } from '../../features/weather.ts';
import type { Columns } from '../../ports.ts';
import type { NetworkTrainer } from '../neural/trainer.ts';
import type { Explanation } from '../port.ts';

/**
 * `intraday`: the next four hours, made every 15 minutes. `day-ahead`: the local day, made at its midnight.
 * `gate-closure`: tomorrow, made before the auction closes. `planning`: thirty days.
 */
export const HORIZONS = ['intraday', 'day-ahead', 'gate-closure', 'planning'] as const;
export type Horizon = (typeof HORIZONS)[number];
export type SeriesKind = 'load' | 'generation' | 'price';

export type History = {
  kind: SeriesKind;
  /** Slot values, ascending; NaN is missing. Nothing at or after `from_ms` is looked at. */
  columns: Columns;
  /** The first slot to forecast: now, for prices the first that is not published. */
  from_ms: number;
  time_zone: string;
  /** Local day numbers (days since 1970-01-01), ascending. */
  holidays: readonly number[];
  /** What was forecast of the weather at the place, as it was known so long before; none where nobody asks for it. */
  weather?: readonly KnownWeather[];
};

/** Hours of a weather series, each as forecast at least `lead_ms` before it began. */
export type KnownWeather = {
  name: WeatherSeries;
  unit: string;
  lead_ms: number;
  /** Starts of hours (epoch ms), ascending, and the values; NaN is missing. */
  at_ms: Float64Array;
  values: Float64Array;
};

/** Mean and quantiles (of BAND_LEVELS) of an hour of the local grid, in the series' unit. */
export type HourForecast = { day: number; hour: number; mean: number; quantiles: number[] };
export const BAND_LEVELS: readonly number[] = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95];

/** Errors of what was forecast for a local day from what was known at its origin. */
export type DayScore = {
  /** Days since 1970-01-01. */
  day: number;
  /** Hours with a known outcome. */
  hours: number;
  mae: number;
  /** Of "the same as last week" on the same hours; null where that is not known. */
  naive_mae: number | null;
  /** Share of hours within the band of 90 %; null while there is none. */
  inside90: number | null;
  /** Mean of actual − forecast. */
  bias: number;
};

/** Called between pieces of work with the share that is done, 0 … 1; throws to cancel. */
export type Progress = (done: number) => void;

export type Trained = { artefact: unknown; scores: DayScore[] };

export type Recipe = {
  /** Name and version. */
  readonly name: string;
  readonly horizon: Horizon;
  /** What is recorded of a run beside the seed. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Whether something is learned that another run could learn otherwise. */
  readonly learns: boolean;
  /** Whether it sees the weather: without any it is not trained. */
  readonly weather?: boolean;
  /** Whether networks are among its methods: trained where somebody or a fast backend asks for them. */
  readonly networks?: boolean;
  /** Learns, and scores itself on the newest days, each forecast from what was known before it (rolling origin).
   * @throws InvalidDataError with the reason where too little is known. */
  train(history: History, seed: number, progress: Progress): Trained;
  /** Instead of `train` where networks are among its methods. @throws UnavailableError where no backend can. */
  trainNetworks?(history: History, seed: number, progress: Progress, trainer: NetworkTrainer): Promise<Trained>;
  /** @param memory of the same model, from an earlier time: spares it the days between. Nothing else depends on it.
   * @throws InvalidDataError where the artefact is not of this recipe. */
  revive(artefact: unknown, memory?: WalkMemory): LiveModel;
};

/** What a live model learned from the days since it was trained: plain values, good for the history that `key` names. */
export type WalkMemory = { day: number; key: string; state: unknown };

export type LiveModel = {
  /** After a forecast or an explanation: what spares the next one most of its work. */
  memory(): WalkMemory | undefined;
  /** The hours it forecasts as of now. @throws InvalidDataError where too little is known. */
  forecast(history: History): HourForecast[];
  /** How it would have done on local days from `from_day` on until now: the day under way counts as far as it is known. */
  scores(history: History, from_day: number): DayScore[];
  /** What made the forecast of an hour; sums to its mean. */
  explain(history: History, day: number, hour: number): Explanation;
};

/** Days that behave as none of the others do, beside the holidays. */
const SPECIAL = /-12-(2[4-9]|3[01])$|-01-01$/;

export function calendarOf({ holidays }: Pick<History, 'holidays'>): DayCalendar {
  const known = new Set(holidays);
  return {
    holiday: (day) => known.has(day),
    special: (day) => SPECIAL.test(new Date(day * 86_400_000).toISOString().slice(0, 10)),
  };
}
