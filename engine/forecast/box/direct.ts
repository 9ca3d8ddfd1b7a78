/** Models that compute a forecast from the history at once, as recipes: nothing is learned ahead. */
import { InvalidDataError } from '../../errors.ts';
import { SLOT_MS } from '../../model/time.ts';
import type { ForecastInput, ForecastModel, ForecastPoint } from '../../ports.ts';
import { type Bands, type BandsState, createBands } from '../bands.ts';
import { DAY_HOURS, DAY_SLOTS, type LocalGrid } from '../local-grid.ts';
import type { Explanation } from '../port.ts';
import {
  BAND_LEVELS,
  type DayScore,
  type History,
  type Horizon,
  type HourForecast,
  type LiveModel,
  type Recipe,
  type WalkMemory,
} from './model-port.ts';
import { BACKTEST_DAYS, daysUntilNow, fingerprintBefore, MOST_WALKED_DAYS, SETTLE_DAYS, scoreDay } from './scoring.ts';
import { gridOf, localInstant, originOf } from './slot-panel.ts';

/** Local hours at which forecasts of the next four hours are scored. */
export const INTRADAY_ORIGINS = [2, 8, 14, 20];
export const INTRADAY_HOURS = 4;
const PLANNING_DAYS = 30;
const SLOTS: Record<Horizon, number> = {
  intraday: INTRADAY_HOURS * 4,
  'day-ahead': 2 * DAY_SLOTS,
  'gate-closure': 3 * DAY_SLOTS,
  planning: PLANNING_DAYS * DAY_SLOTS,
};

type Artefact = { model: string; trained_day: number; bands: BandsState };

export function createDirect(model: ForecastModel, horizon: Horizon): Recipe {
  const ask = asking(model, horizon);
  return {
    name: model.name,
    horizon,
    parameters: { model: model.name, bands: 'conformal, adaptive' },
    learns: false,
    train(history, _seed, progress) {
      const grid = gridOf(history);
      const last = grid.first_day + grid.days - 1;
      const bands = createBands(BANDS);
      // Whole days only: the one under way is scored live. The first days settle the bands.
      const days = daysUntilNow(grid, last - BACKTEST_DAYS - SETTLE_DAYS).filter((day) => day < last);
      const scores = days.flatMap((day, k) => {
        progress(k / days.length);
        return walkDay(ask, bands, history, grid, day);
      });
      if (scores.length === 0)
        throw new InvalidDataError('Too few days are known to forecast one.', 'Wait, or import older values.');
      const artefact: Artefact = { model: model.name, trained_day: last, bands: bands.state() };
      return { artefact, scores: scores.slice(-BACKTEST_DAYS) };
    },
    revive(state, memory) {
      const artefact = state as Artefact;
      if (artefact.model !== model.name)
        throw new InvalidDataError(`This is a model of ${artefact.model}, not of ${model.name}.`, 'Train it anew.');
      return revive(ask, artefact, memory);
    },
  };
}

const BANDS = { slots: DAY_HOURS, levels: BAND_LEVELS };

function revive(ask: Asking, { trained_day, bands: state }: Artefact, first?: WalkMemory): LiveModel {
  let kept = first;
  const daysOf = (grid: LocalGrid): number[] => {
    const today = grid.first_day + grid.days - 1;
    return daysUntilNow(grid, Math.max(trained_day, today - MOST_WALKED_DAYS));
  };
  /** Bands that know the days since. Those before today are remembered. */
  function bandsOf(history: History, grid: LocalGrid): Bands {
    const days = daysOf(grid);
    const today = grid.first_day + grid.days - 1;
    const isKnown = kept && days.includes(kept.day) && kept.key === fingerprintBefore(grid, kept.day);
    const bands = createBands(BANDS, isKnown ? (kept!.state as BandsState) : state);
    for (const day of isKnown ? days.filter((one) => one >= kept!.day) : days) {
      if (day === today) kept = { day, key: fingerprintBefore(grid, day), state: bands.state() };
      walkDay(ask, bands, history, grid, day);
    }
    return bands;
  }
  return {
    explain: ask.explain,
    memory: () => kept,
    forecast(history) {
      const grid = gridOf(history);
      const bands = bandsOf(history, grid);
      return banded(bands, ask.hours(history, grid, history.from_ms, SLOTS[ask.horizon], BAND_LEVELS));
    },
    scores(history, from_day) {
      const grid = gridOf(history);
      const bands = createBands(BANDS, state);
      const scores = daysOf(grid).flatMap((day) => walkDay(ask, bands, history, grid, day));
      return scores.filter(({ day }) => day >= from_day);
    },
  };
}

/** Scores a day against bands that do not know it, which then learn from it. */
function walkDay(ask: Asking, bands: Bands, history: History, grid: LocalGrid, day: number): DayScore[] {
  const plain = ask.ofDay(history, grid, day);
  if (plain.length === 0) return [];
  const score = scoreDay(grid, day, banded(bands, plain));
  const [point, actual] = [nothing(), nothing()];
  for (const { hour, mean } of plain) {
    point[hour] = mean;
    actual[hour] = grid.hours[(day - grid.first_day) * DAY_HOURS + hour] ?? NaN;
  }
  if (!actual.every(Number.isNaN)) bands.observe(point, [point], actual);
  return score ? [score] : [];
}

const nothing = () => new Float64Array(DAY_HOURS).fill(NaN);

/** With the bands' quantiles where they know enough, else the model's own. */
function banded(bands: Bands, hours: readonly HourForecast[]): HourForecast[] {
  return hours.map((one) => {
    const point = nothing();
    point[one.hour] = one.mean;
    const quantiles = bands.quantiles(point, [point]).map((ofLevel) => ofLevel[one.hour]!);
    return quantiles.some(Number.isNaN) ? one : { ...one, quantiles };
  });
}

type Asking = Pick<LiveModel, 'explain'> & {
  readonly horizon: Horizon;
  hours(
    history: History,
    grid: LocalGrid,
    from_ms: number,
    slots: number,
    quantiles?: readonly number[],
  ): HourForecast[];
  /** What was forecast for a day at its origin, or (intraday) at several times of it. */
  ofDay(history: History, grid: LocalGrid, day: number): HourForecast[];
};

function asking(model: ForecastModel, horizon: Horizon): Asking {
  /** @param quantiles of the model itself: they take time, and bands replace them once they know enough. */
  const inputOf = (
    { columns, time_zone, holidays, kind }: History,
    from_ms: number,
    slots: number,
    quantiles: readonly number[] = [],
  ): ForecastInput => ({
    history: columns,
    ...{ from_ms, slots, time_zone, holidays, quantiles, floor: kind === 'price' ? null : 0 },
  });
  const hours: Asking['hours'] = (history, grid, from_ms, slots, quantiles) =>
    hoursOf(grid, model.forecast(inputOf(history, from_ms, slots, quantiles)));
  return {
    horizon,
    hours,
    ofDay: (history, grid, day) =>
      spansOf(history, horizon, day).flatMap(({ from_ms, slots }) => {
        if (from_ms > history.from_ms) return [];
        try {
          return hours(history, grid, from_ms, slots).filter((one) => one.day === day);
        } catch (error) {
          if (error instanceof InvalidDataError) return [];
          throw error;
        }
      }),
    explain(history, day, hour): Explanation {
      const at_ms = localInstant(history.time_zone, day, hour);
      const told = model.explain?.(inputOf(history, history.from_ms, SLOTS[horizon]), at_ms);
      if (!told) throw new InvalidDataError(`${model.name} does not tell what it was made of.`, 'Ask another model.');
      return told;
    },
  };
}

/** From where and how long is forecast to score a day. Prices of the day before are published at its origin. */
function spansOf(history: History, horizon: Horizon, day: number): { from_ms: number; slots: number }[] {
  const { kind, time_zone } = history;
  if (horizon === 'intraday')
    return INTRADAY_ORIGINS.map((hour) => ({ from_ms: localInstant(time_zone, day, hour), slots: SLOTS.intraday }));
  const isPublished = kind === 'price' && horizon !== 'planning';
  const from_ms = isPublished ? localInstant(time_zone, day, 0) : originOf(history, horizon, day);
  return [{ from_ms, slots: (localInstant(time_zone, day + 1, 0) - from_ms) / SLOT_MS }];
}

/** Means of the slots of an hour. */
export function hoursOf(grid: LocalGrid, points: readonly ForecastPoint[]): HourForecast[] {
  const made = new Map<number, { sums: number[]; count: number }>();
  for (const { at_ms, mean, quantiles } of points) {
    const { day, slot } = grid.placeOf(at_ms);
    const key = (grid.first_day + day) * DAY_HOURS + Math.floor(slot / 4);
    const values = [mean, ...BAND_LEVELS.map((level) => quantiles[String(level)] ?? NaN)];
    const known = made.get(key);
    if (known) {
      known.count++;
      for (const [k, value] of values.entries()) known.sums[k]! += value;
    } else made.set(key, { sums: values, count: 1 });
  }
  return [...made].map(([key, { sums, count }]) => {
    const [mean, ...quantiles] = sums.map((sum) => sum / count);
    return { day: Math.floor(key / DAY_HOURS), hour: key % DAY_HOURS, mean: mean!, quantiles };
  });
}
