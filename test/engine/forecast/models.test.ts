import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseModel } from '../../../engine/forecast/choose.ts';
import { createHourlyRidge } from '../../../engine/forecast/hourly-ridge.ts';
import { createSeasonalNaive } from '../../../engine/forecast/seasonal-naive.ts';
import { HOUR_MS, instantOf, localTime, SLOT_MS } from '../../../engine/model/time.ts';
import type { Columns, ForecastInput } from '../../../engine/ports.ts';

const TZ = 'Europe/Berlin';
const DAY_MS = 24 * HOUR_MS;

/** Uniform in [0, 1), the same for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A building: by the wall clock, less on Sundays, with a level that wanders from day to day and noise. */
function building(
  from_ms: number,
  to_ms: number,
  options: { noise?: number; wander?: number; seed?: number } = {},
): Columns {
  const { noise = 0, wander = 0, seed = 1 } = options;
  const next = random(seed);
  const n = (to_ms - from_ms) / SLOT_MS;
  const columns = { at_ms: new Float64Array(n), values: new Float64Array(n), quality: new Int32Array(n) };
  let [level, last] = [0, -1];
  for (let i = 0; i < n; i++) {
    const at = from_ms + i * SLOT_MS;
    const { day, hour, minute, year, month } = localTime(at, TZ);
    if (day !== last) level = 0.8 * level + wander * (next() - 0.5);
    last = day;
    const sunday = new Date(Date.UTC(year, month - 1, day)).getUTCDay() === 0;
    const shape = 1000 + (sunday ? 0 : 500 * Math.sin((Math.PI * (hour * 60 + minute)) / 1440));
    columns.at_ms[i] = at;
    columns.values[i] = shape + level + noise * (next() - 0.5);
  }
  return columns;
}

function inputOf(history: Columns, from_ms: number, change: Partial<ForecastInput> = {}): ForecastInput {
  return { history, from_ms, slots: 192, time_zone: TZ, quantiles: [0.1, 0.5, 0.9], floor: 0, ...change };
}

/** Mean absolute error and share inside the 10–90 % band. */
function scoreOf(points: ReturnType<ReturnType<typeof createHourlyRidge>['forecast']>, truth: Columns) {
  const actual = new Map(Array.from(truth.at_ms, (at, i) => [at, truth.values[i]!]));
  let [error, inside] = [0, 0];
  for (const { at_ms, mean, quantiles } of points) {
    const value = actual.get(at_ms)!;
    error += Math.abs(value - mean) / points.length;
    if (value >= quantiles['0.1']! && value <= quantiles['0.9']!) inside += 1 / points.length;
  }
  return { error, inside };
}

const FROM = instantOf(TZ, 2026, 3, 28, 9, 30);
const MODELS = [createSeasonalNaive(), createHourlyRidge()];

for (const model of MODELS)
  describe(model.name, () => {
    it('never looks at or after the instant it forecasts from', () => {
      const history = building(FROM - 60 * DAY_MS, FROM + 3 * DAY_MS, { noise: 200, wander: 200 });
      const made = model.forecast(inputOf(history, FROM));
      fc.assert(
        fc.property(fc.nat(287), fc.double({ min: -1e6, max: 1e6 }), (k, value) => {
          const changed = { ...history, values: history.values.slice() };
          changed.values[history.at_ms.indexOf(FROM) + k] = value;
          expect(model.forecast(inputOf(changed, FROM))).toEqual(made);
        }),
        { numRuns: 5 },
      );
      const cut = history.at_ms.indexOf(FROM);
      const before = {
        at_ms: history.at_ms.slice(0, cut),
        values: history.values.slice(0, cut),
        quality: history.quality.slice(0, cut),
      };
      expect(model.forecast(inputOf(before, FROM))).toEqual(made);
      const last = { ...before, values: before.values.slice() };
      last.values[cut - 96 * 7 + 3]! += 500;
      expect(model.forecast(inputOf(last, FROM))).not.toEqual(made);
    });

    it('repeats a perfect week by the wall clock, over a clock change', () => {
      const history = building(FROM - 60 * DAY_MS, FROM);
      const truth = building(FROM, FROM + 2 * DAY_MS);
      const points = model.forecast(inputOf(history, FROM));
      expect(points.map((p) => p.at_ms)).toEqual([...truth.at_ms]);
      expect(scoreOf(points, truth).error).toBeLessThan(8);
    });

    it('quantiles rise, and nothing is below the floor', () => {
      const history = building(FROM - 40 * DAY_MS, FROM, { noise: 3000, seed: 3 });
      const points = model.forecast(inputOf(history, FROM, { quantiles: [0.9, 0.05, 0.5, 0.1, 0.95] }));
      for (const { mean, quantiles } of points) {
        expect(mean).toBeGreaterThanOrEqual(0);
        const values = ['0.05', '0.1', '0.5', '0.9', '0.95'].map((level) => quantiles[level]!);
        expect(values).toEqual([...values].sort((a, b) => a - b));
        expect(values[0]).toBeGreaterThanOrEqual(0);
      }
    });

    it('the 10–90 % band holds about eight of ten values', () => {
      let [inside, runs] = [0, 0];
      for (let k = 0; k < 6; k++) {
        const from = FROM + k * 5 * DAY_MS;
        const all = building(from - 90 * DAY_MS, from + 2 * DAY_MS, { noise: 300, wander: 100, seed: k + 1 });
        inside += scoreOf(model.forecast(inputOf(all, from)), all).inside;
        runs++;
      }
      expect(inside / runs).toBeGreaterThan(0.7);
      expect(inside / runs).toBeLessThan(0.9);
    });

    it('lives with holes', () => {
      const history = building(FROM - 60 * DAY_MS, FROM, { noise: 100 });
      for (let i = 0; i < history.values.length; i++) if ((i >> 5) % 7 === 3) history.values[i] = NaN;
      const points = model.forecast(inputOf(history, FROM));
      expect(points.every((p) => Number.isFinite(p.mean))).toBe(true);
      expect(scoreOf(points, building(FROM, FROM + 2 * DAY_MS)).error).toBeLessThan(100);
    });

    it('says what is missing when there is not enough history', () => {
      expect(() => model.forecast(inputOf(building(FROM - 6 * HOUR_MS, FROM), FROM))).toThrow(
        /6\.0 hours|days to learn/,
      );
      const nothing = { at_ms: new Float64Array(0), values: new Float64Array(0), quality: new Int32Array(0) };
      expect(() => model.forecast(inputOf(nothing, FROM))).toThrow(/history|learn/);
    });

    it('60 days of history take well below a second', () => {
      const history = building(FROM - 60 * DAY_MS, FROM, { noise: 100 });
      const began = performance.now();
      model.forecast(inputOf(history, FROM));
      expect(performance.now() - began).toBeLessThan(700);
    });
  });

describe('seasonal-naive/1 with a short history', () => {
  it('takes a day of the same type, else the newest', () => {
    const monday = instantOf(TZ, 2026, 6, 15);
    const points = MODELS[0]!.forecast(inputOf(building(monday - 3 * DAY_MS, monday), monday, { slots: 48 }));
    // Friday, not Sunday.
    expect(points[47]!.mean).toBeGreaterThan(1400);
    const weekend = MODELS[0]!.forecast(inputOf(building(monday - 2 * DAY_MS, monday), monday, { slots: 48 }));
    expect(weekend[47]!.mean).toBe(1000);
  });
});

describe('the choice', () => {
  it('a regression wins where the level wanders, and is better on days nobody has seen', () => {
    const all = building(FROM - 90 * DAY_MS, FROM + DAY_MS, { noise: 20, wander: 800 });
    const history = building(FROM - 90 * DAY_MS, FROM, { noise: 20, wander: 800 });
    const input = inputOf(history, FROM, { slots: 96 });
    const { winner, scores } = chooseModel(MODELS, input);
    expect(winner.name).toBe('hourly-ridge/1');
    expect(scores[1]!.mae!).toBeLessThan(scores[0]!.mae!);
    expect(scoreOf(MODELS[1]!.forecast(input), all).error).toBeLessThan(scoreOf(MODELS[0]!.forecast(input), all).error);
  });

  it('the naive stays where the challenger cannot forecast every held-out day', () => {
    const history = building(FROM - 30 * DAY_MS, FROM, { noise: 20, wander: 800 });
    const { winner, scores } = chooseModel(MODELS, inputOf(history, FROM));
    expect(winner.name).toBe('seasonal-naive/1');
    expect(scores[1]!.mae).toBeNull();
  });
});
