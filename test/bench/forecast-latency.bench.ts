/** How long forecasts take from trained models: all meters of a fleet over 96 slots, and one meter at a time. */
import { BAND_LEVELS, calendarOf, type History } from '../../engine/forecast/box/model-port.ts';
import { gridOf, panelOf, slotsOfHours } from '../../engine/forecast/box/slot-panel.ts';
import { createEnsemble, type EnsembleState, type WeightedMethod } from '../../engine/forecast/ensemble.ts';
import {
  createDaysAlike,
  createLoadRidgeMethod,
  createLoadTreesMethod,
  createPasts,
  createWeekMean,
} from '../../engine/forecast/load-methods.ts';
import { HOUR_MS, SLOT_MS } from '../../engine/model/time.ts';
import { createRandom } from '../../engine/random.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about = '--meters 200 --days 60 --ones 40: seconds from trained models to 96 slots each';

const DAY_MS = 24 * HOUR_MS;
const ZONE = 'Europe/Berlin';
const START_MS = Date.UTC(2026, 0, 1);
/** Days on which weights and bands settle before the models are stored. */
const SETTLE_DAYS = 10;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const [meters, days, ones] = [Number(options.meters ?? 200), Number(options.days ?? 60), Number(options.ones ?? 40)];
  const random = createRandom(Number(options.seed ?? 1));
  const histories = Array.from({ length: meters }, () => historyOf(days, random));
  const methods = histories.map((history) => methodsOf(history));
  // All meters are trained; the trees with few rounds less would hide their cost, so they have as many as in use.
  const began = performance.now();
  const states = histories.map((history, k) => {
    if (k % 25 === 0) progress(`${k} of ${meters} meters trained`);
    return train(history, methods[k]!);
  });
  const train_s = Math.round(performance.now() - began) / 1000;
  const fleet = performance.now();
  for (let k = 0; k < meters; k++) checkSlots(forecast(histories[k]!, methods[k]!, states[k]!));
  const fleet_ms = Math.round(performance.now() - fleet);
  const single = Array.from({ length: ones }, (_, k) => {
    const from = performance.now();
    checkSlots(forecast(histories[k % meters]!, methods[k % meters]!, states[k % meters]!));
    return performance.now() - from;
  }).sort((a, b) => a - b);
  const one_p95_ms = Math.round(10 * single[Math.min(ones - 1, Math.floor(0.95 * ones))]!) / 10;
  return { fleet_ms, one_p95_ms, meters, days, train_s };
}

/** A works day of random size, weather and noise, 15-minute slots. */
function historyOf(days: number, random: () => number): History {
  const [size, swing, phase] = [2000 + 8000 * random(), random(), 6 * random()];
  const n = days * 96;
  const at_ms = Float64Array.from({ length: n }, (_, i) => START_MS - HOUR_MS + i * SLOT_MS);
  const values = at_ms.map((at) => {
    const hour = (at % DAY_MS) / HOUR_MS;
    const weather = Math.sin(at / (3 * DAY_MS) + phase);
    return (
      size * (1 + 0.4 * Math.sin(((hour - 7) / 24) * 2 * Math.PI) + 0.2 * swing * weather + 0.1 * (random() - 0.5))
    );
  });
  const columns = { at_ms, values, quality: new Int32Array(n) };
  return { kind: 'load', columns, from_ms: START_MS - HOUR_MS + days * DAY_MS, time_zone: ZONE, holidays: [] };
}

function methodsOf(history: History): WeightedMethod[] {
  const calendar = calendarOf(history);
  const pasts = createPasts(calendar, 'level');
  return [
    { method: createLoadTreesMethod(pasts, { calendar, unit: 'level', seed: 1, refit_days: 1000 }), prior: 8 },
    { method: createLoadRidgeMethod(pasts, 100), prior: 4 },
    { method: createDaysAlike(pasts), prior: 2 },
    { method: createWeekMean(pasts), prior: 1 },
  ];
}

function train(history: History, methods: readonly WeightedMethod[]): EnsembleState {
  const grid = gridOf(history);
  const panel = panelOf(history, 'day-ahead', grid);
  const ensemble = createEnsemble({ methods, levels: BAND_LEVELS, every_days: 1000 });
  for (let day = grid.days - 1 - SETTLE_DAYS; day < grid.days - 1; day++) ensemble.forecast(panel, day);
  return JSON.parse(JSON.stringify(ensemble.serialise())) as EnsembleState;
}

/** From the stored state to slots with quantiles. */
function forecast(history: History, methods: readonly WeightedMethod[], state: EnsembleState) {
  const grid = gridOf(history);
  const panel = panelOf(history, 'day-ahead', grid);
  const ensemble = createEnsemble({ methods, levels: BAND_LEVELS, every_days: 1000 }, state);
  const { mean, quantiles } = ensemble.forecast(panel, grid.days - 1);
  const hours = Array.from(mean, (value, hour) => ({
    ...{ day: panel.first_day + grid.days - 1, hour, mean: value },
    quantiles: quantiles.map((ofLevel) => ofLevel[hour]!),
  }));
  return slotsOfHours(history, grid, hours, { slots: 96, floor: 0 });
}

function checkSlots(points: readonly { mean: number }[]): void {
  if (points.length !== 96 || points.some(({ mean }) => !Number.isFinite(mean)))
    throw new Error(`${points.length} slots were forecast, not 96.`);
}
