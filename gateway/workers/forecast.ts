/**
 * Makes one forecast off the serving thread. A forecaster that needs no training covers all slots (chosen by its errors
 * on held-out days where the caller names none); where trained champions are live, theirs replace it at their horizon.
 */
import { InvalidDataError } from '../../engine/errors.ts';
import type { History, HourForecast, LiveModel, WalkMemory } from '../../engine/forecast/box/model-port.ts';
import { DIRECT_MODELS } from '../../engine/forecast/box/recipes.ts';
import { gridOf, pointOf, slotsOfHours } from '../../engine/forecast/box/slot-panel.ts';
import { chooseModel, type ModelScore } from '../../engine/forecast/choose.ts';
import { hourShape, weekday } from '../../engine/forecast/local-grid.ts';
import type { ForecastInput, ForecastPoint } from '../../engine/ports.ts';
import { liveModel, type StoredModel } from './live-models.ts';

export type ForecastTask = ForecastInput & {
  /** Name of the live model, or null: the winner on held-out days is taken. */
  model: string | null;
  /** Trained champions, with what series it is. */
  kind?: History['kind'];
  champions?: readonly StoredModel[];
  weather?: History['weather'];
};
export type ForecastTaskResult = {
  model: string;
  /** The forecaster that needs no training, where no champion stands. */
  base: string;
  points: ForecastPoint[];
  /** Held-out errors, where the model was chosen now. */
  scores: ModelScore[] | null;
  /** Champions that took part, and what was wrong with those that could not. */
  champions: { run: string; recipe: string; horizon: string; fault: string | null; memory?: WalkMemory }[];
};

/** @throws InvalidDataError with the reason when the history does not suffice for any model. */
export default function forecast({
  model: live,
  kind = 'load',
  champions = [],
  weather = [],
  ...input
}: ForecastTask): ForecastTaskResult {
  const base = baseForecast(input, live);
  const history: History = { kind, columns: input.history, ...input, holidays: input.holidays ?? [], weather };
  const points = new Map(base.points.map((point) => [point.at_ms, point]));
  const told = inOrder(champions).map(({ artefact, memory: before, ...champion }) => {
    try {
      const model = liveModel(kind, { artefact, ...champion, ...(before ? { memory: before } : {}) });
      for (const point of overlay(history, model, champion.horizon, input)) points.set(point.at_ms, point);
      const memory = model.memory();
      return { ...champion, fault: null, ...(memory ? { memory } : {}) };
    } catch (error) {
      return { ...champion, fault: error instanceof Error ? error.message : String(error) };
    }
  });
  const daily = told.filter(({ horizon, fault }) => fault === null && horizon !== 'intraday').at(-1);
  const model = daily?.recipe ?? base.model;
  return {
    ...base,
    base: base.model,
    model,
    points: base.points.map(({ at_ms }) => points.get(at_ms)!),
    champions: told,
  };
}

/** The nearer horizon has the last word. */
const ORDER = ['planning', 'gate-closure', 'day-ahead', 'intraday'];
const inOrder = (champions: readonly StoredModel[]): StoredModel[] =>
  [...champions].sort((a, b) => ORDER.indexOf(a.horizon) - ORDER.indexOf(b.horizon));

function overlay(history: History, model: LiveModel, horizon: string, input: ForecastInput): ForecastPoint[] {
  const grid = gridOf(history);
  const hours = model.forecast(history);
  if (horizon === 'intraday' && hours.length === 4) return fromNow(history, hours, input);
  return slotsOfHours(history, grid, ofHorizon(hours, horizon), input);
}

/** A daily model stands for its own day; a forecaster that sees on leaves what is beyond to the horizon made for it. */
function ofHorizon(hours: readonly HourForecast[], horizon: string): readonly HourForecast[] {
  if (horizon === 'planning') return hours;
  const days = [...new Set(hours.map(({ day }) => day))];
  const day = horizon === 'gate-closure' ? days.at(-1)! : days[0]!;
  return horizon === 'intraday' ? hours : hours.filter((one) => days.length === 1 || one.day === day);
}

/** Hours that begin at this quarter-hour. */
function fromNow(history: History, hours: readonly HourForecast[], { slots, floor }: ForecastInput): ForecastPoint[] {
  const grid = gridOf(history);
  const shape = hourShape(grid);
  return Array.from({ length: Math.min(slots, hours.length * 4) }, (_, i) => {
    const at_ms = history.from_ms + i * 900_000;
    const { day, slot } = grid.placeOf(at_ms);
    return pointOf(at_ms, hours[Math.floor(i / 4)]!, shape(weekday(grid, day), slot), floor);
  });
}

function baseForecast(input: ForecastInput, live: string | null) {
  const known = DIRECT_MODELS.find((model) => model.name === live);
  const choice = known ? null : chooseModel(DIRECT_MODELS, input);
  const scores = choice?.scores ?? null;
  const model = known ?? choice!.winner;
  try {
    return { model: model.name, points: model.forecast(input), scores };
  } catch (error) {
    // A hole in the newest days can stop the regression; last week is better than nothing.
    const naive = DIRECT_MODELS[0]!;
    if (!(error instanceof InvalidDataError) || model === naive) throw error;
    return { model: naive.name, points: naive.forecast(input), scores };
  }
}
