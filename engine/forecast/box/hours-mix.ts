/**
 * `hours-mix` as a recipe of the next four hours: for each lead trees, ridge and what is usual, weighted online, with
 * bands per lead and hour. Hours begin at any quarter-hour: the same models read hours that are shifted by it.
 */
import { InvalidDataError } from '../../errors.ts';
import { type Bands, type BandsState, createBands } from '../bands.ts';
import { type Combiner, type CombinerState, createCombiner } from '../combine.ts';
import {
  createIntradayRows,
  fitIntradayRidge,
  fitIntradayTrees,
  INTRADAY_FEATURES,
  type IntradayRows,
} from '../intraday.ts';
import { type LinearFit, predict } from '../linear-ridge.ts';
import { DAY_HOURS, type LocalGrid } from '../local-grid.ts';
import type { Explanation } from '../port.ts';
import { type Booster, type BoosterState, boosterState, predictRow, reviveBooster } from '../trees/boost.ts';
import { explainRow } from '../trees/shap.ts';
import { INTRADAY_HOURS, INTRADAY_ORIGINS } from './direct.ts';
import {
  BAND_LEVELS,
  calendarOf,
  type DayScore,
  type History,
  type HourForecast,
  type LiveModel,
  type Progress,
  type Recipe,
  type Trained,
} from './model-port.ts';
import { BACKTEST_DAYS, daysUntilNow, MOST_WALKED_DAYS, SETTLE_DAYS, scoreDay } from './scoring.ts';
import { gridOf } from './slot-panel.ts';

const NAME = 'hours-mix/1';
const ROUNDS = 100;
const LEADS = Array.from({ length: INTRADAY_HOURS }, (_, k) => k + 1);
/** Trees, ridge, what is usual at this hour, and that shifted by how far the last hour was off. */
const EXPERTS = ['trees', 'ridge', 'usual', 'usual, shifted'] as const;
const PRIOR = [0.5, 0.3, 0.1, 0.1];
const LEAST_DAYS = 60;

type LeadState = { booster: BoosterState; ridge: { offset: number; weights: number[] }[] };
type Artefact = {
  recipe: string;
  trained_day: number;
  leads: (LeadState & { combiner: CombinerState; bands: BandsState })[];
};
type Fits = { booster: Booster; ridge: LinearFit[] };
type Lead = Fits & { combiner: Combiner; bands: Bands };

export function createHoursMix(): Recipe {
  return {
    name: NAME,
    horizon: 'intraday',
    parameters: { rounds: ROUNDS, experts: EXPERTS.join(', '), backtest_days: BACKTEST_DAYS },
    learns: true,
    train,
    revive(state) {
      const artefact = state as Artefact;
      if (artefact.recipe !== NAME)
        throw new InvalidDataError(`This is a model of ${artefact.recipe}, not of ${NAME}.`, 'Train the model anew.');
      return revive(artefact);
    },
  };
}

/** @param quarter by how many quarter-hours the hours are shifted. */
function rowsOf(history: History, grid: LocalGrid, quarter = 0): IntradayRows {
  const end = (grid.days - 1) * DAY_HOURS * 4 + grid.from_slot;
  const values = Float64Array.from({ length: grid.days * DAY_HOURS }, (_, hour) => {
    const from = hour * 4 + quarter;
    if (from + 4 > end) return NaN;
    const slots = grid.slots.subarray(from, from + 4).filter((value) => !Number.isNaN(value));
    return slots.length < 2 ? NaN : slots.reduce((a, b) => a + b, 0) / slots.length;
  });
  return createIntradayRows(values, grid.first_day, calendarOf(history));
}

function fitsOf(rows: IntradayRows, lead: number, end: number, seed: number): Fits {
  return {
    booster: fitIntradayTrees(rows, lead, end, { rounds: ROUNDS, seed: seed + lead }),
    ridge: fitIntradayRidge(rows, lead, end),
  };
}

/** Each expert's forecast of hour `at` as known `lead` hours before its end. */
function experts({ booster, ridge }: Fits, rows: IntradayRows, lead: number, at: number, x: Float64Array): number[] {
  rows.write(at, lead, x, 0);
  const [usual, newest] = [rows.usual(at), at - lead];
  return [
    predictRow(booster, x),
    predict(ridge[at % DAY_HOURS]!, x, 0),
    usual,
    usual + (rows.filled(newest) - rows.usual(newest)) / lead,
  ];
}

/** All experts for the 24 hours of a day at one lead. */
function ofDay(fits: Fits, rows: IntradayRows, lead: number, day: number): Float64Array[] {
  const x = new Float64Array(rows.width);
  const made = EXPERTS.map(() => new Float64Array(DAY_HOURS));
  for (let hour = 0; hour < DAY_HOURS; hour++)
    for (const [k, value] of experts(fits, rows, lead, day * DAY_HOURS + hour, x).entries()) made[k]![hour] = value;
  return made;
}

/** Forecasts of a day, then what came teaches weights and bands. */
function walkDay(lead: Lead, rows: IntradayRows, ahead: number, grid: LocalGrid, day: number): HourForecast[] {
  const all = ofDay(lead, rows, ahead, day);
  const mean = lead.combiner.combine(all);
  const quantiles = lead.bands.quantiles(mean, all);
  const actual = Float64Array.from({ length: DAY_HOURS }, (_, hour) => rows.measured(day * DAY_HOURS + hour));
  lead.bands.observe(mean, all, actual);
  lead.combiner.observe(all, actual);
  return Array.from(mean, (value, hour) => ({
    ...{ day: grid.first_day + day, hour, mean: value },
    quantiles: quantiles.map((ofLevel) => ofLevel[hour]!),
  }));
}

/** Only the hours that are scored: those within four hours after each origin, at their own lead. */
const isScored = (hour: number, ahead: number): boolean => INTRADAY_ORIGINS.includes(hour - ahead + 1);

function createLead(fits: Fits, from?: { combiner: CombinerState; bands: BandsState }): Lead {
  const combiner = createCombiner({ experts: EXPERTS.length, slots: DAY_HOURS, prior: PRIOR }, from?.combiner);
  return {
    ...fits,
    combiner,
    bands: createBands({ slots: DAY_HOURS, levels: BAND_LEVELS, window_days: 91 }, from?.bands),
  };
}

function train(history: History, seed: number, progress: Progress): Trained {
  const grid = gridOf(history);
  const end = grid.days - 1;
  if (end < LEAST_DAYS)
    throw new InvalidDataError(
      `${end} days are known; this model needs ${LEAST_DAYS}.`,
      'Wait, or import older values.',
    );
  const rows = rowsOf(history, grid);
  // Learned from the days before those that it is scored on; what is used learns from these as well.
  const from = Math.max(35, end - BACKTEST_DAYS - SETTLE_DAYS);
  const forecasts = new Map<number, HourForecast[]>();
  const leads = LEADS.map((ahead) => {
    progress((ahead - 1) / LEADS.length);
    const lead = createLead(fitsOf(rows, ahead, from * DAY_HOURS, seed));
    for (let day = from; day < end; day++) {
      const hours = walkDay(lead, rows, ahead, grid, day).filter(({ hour }) => isScored(hour, ahead));
      forecasts.set(day, [...(forecasts.get(day) ?? []), ...hours]);
    }
    const { booster, ridge } = fitsOf(rows, ahead, end * DAY_HOURS, seed);
    const plain = ridge.map(({ offset, weights }) => ({ offset, weights: [...weights] }));
    return { booster: boosterState(booster), ridge: plain, combiner: lead.combiner.state(), bands: lead.bands.state() };
  });
  const scores: DayScore[] = [];
  for (let day = Math.max(from, end - BACKTEST_DAYS); day < end; day++) {
    const score = scoreDay(grid, grid.first_day + day, forecasts.get(day) ?? []);
    if (score) scores.push(score);
  }
  return { artefact: { recipe: NAME, trained_day: grid.first_day + end, leads } satisfies Artefact, scores };
}

function revive({ trained_day, leads: states }: Artefact): LiveModel {
  const fits = states.map(({ booster, ridge }) => ({
    booster: reviveBooster(booster),
    ridge: ridge.map(({ offset, weights }) => ({ offset, weights: Float64Array.from(weights) })),
  }));
  /** Leads that know the days between training and now. */
  function walk(history: History, grid: LocalGrid, each: (day: number, hours: HourForecast[]) => void): Lead[] {
    const rows = rowsOf(history, grid);
    return states.map((state, k) => {
      const lead = createLead(fits[k]!, state);
      const begin = Math.max(0, trained_day - grid.first_day, grid.days - 1 - MOST_WALKED_DAYS);
      for (let day = begin; day < grid.days; day++)
        each(
          day,
          walkDay(lead, rows, k + 1, grid, day).filter(({ hour }) => isScored(hour, k + 1)),
        );
      return lead;
    });
  }
  /** The hour `ahead` of now, in hours that begin at now's quarter. */
  function next(grid: LocalGrid, rows: IntradayRows, lead: Lead, ahead: number) {
    const at = (grid.days - 1) * DAY_HOURS + Math.floor(grid.from_slot / 4) + ahead - 1;
    const x = new Float64Array(rows.width);
    const all = experts(lead, rows, ahead, at, x);
    return { at, x, all, hour: at % DAY_HOURS };
  }
  const inSlot = (values: readonly number[], hour: number): Float64Array[] =>
    values.map((value) => Float64Array.from({ length: DAY_HOURS }, (_, k) => (k === hour ? value : NaN)));
  return {
    // Its walk is cheap.
    memory: () => undefined,
    forecast(history) {
      const grid = gridOf(history);
      const leads = walk(history, grid, () => {});
      const rows = rowsOf(history, grid, grid.from_slot % 4);
      return leads.map((lead, k): HourForecast => {
        const { at, all, hour } = next(grid, rows, lead, k + 1);
        const forecasts = inSlot(all, hour);
        const mean = lead.combiner.combine(forecasts);
        if (Number.isNaN(mean[hour]!))
          throw new InvalidDataError('The last hours are not known.', 'Wait for their readings.');
        const quantiles = lead.bands.quantiles(mean, forecasts).map((ofLevel) => ofLevel[hour]!);
        return { day: grid.first_day + Math.floor(at / DAY_HOURS), hour, mean: mean[hour]!, quantiles };
      });
    },
    scores(history, from_day) {
      const grid = gridOf(history);
      const days = daysUntilNow(grid, Math.max(from_day, trained_day));
      const forecasts = new Map<number, HourForecast[]>();
      walk(history, grid, (day, hours) => {
        const key = grid.first_day + day;
        forecasts.set(key, [...(forecasts.get(key) ?? []), ...hours]);
      });
      return days.flatMap((day) => scoreDay(grid, day, forecasts.get(day) ?? []) ?? []);
    },
    explain(history, day, hour): Explanation {
      const grid = gridOf(history);
      const leads = walk(history, grid, () => {});
      const rows = rowsOf(history, grid, grid.from_slot % 4);
      const found = leads.map((lead, k) => ({ lead, ...next(grid, rows, lead, k + 1) }));
      const one = found.find((each) => grid.first_day + Math.floor(each.at / DAY_HOURS) === day && each.hour === hour);
      if (!one) throw new InvalidDataError('This hour is not among the next four.', 'Ask for an hour nearer to now.');
      return explainHour(one.lead, one.x, one.all, one.hour);
    },
  };
}

/** The experts' explanations, each times its weight. */
function explainHour(lead: Lead, x: Float64Array, all: readonly number[], hour: number): Explanation {
  const weights = lead.combiner.weights().subarray(hour * EXPERTS.length, (hour + 1) * EXPERTS.length);
  const tree = explainRow(lead.booster, x);
  const ridge = lead.ridge[hour]!;
  const contributions = INTRADAY_FEATURES.map((feature, f) => ({
    feature,
    value: x[f]!,
    adds: weights[0]! * tree.adds[f]! + weights[1]! * ridge.weights[f]! * x[f]!,
  }));
  for (const k of [2, 3]) contributions.push({ feature: EXPERTS[k]!, value: all[k]!, adds: weights[k]! * all[k]! });
  const base = weights[0]! * tree.base + weights[1]! * ridge.offset;
  const known = contributions.filter(({ adds }) => adds !== 0 && !Number.isNaN(adds));
  return { base, contributions: known.sort((a, b) => Math.abs(b.adds) - Math.abs(a.adds)) };
}
