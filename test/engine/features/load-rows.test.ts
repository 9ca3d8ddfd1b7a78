import { describe, expect, it } from 'vitest';
import { createLoadHistory } from '../../../engine/features/load-past.ts';
import { LOAD_FEATURES, loadDay } from '../../../engine/features/load-rows.ts';
import { createPanel, DAY_HOURS } from '../../../engine/features/panel.ts';
import { createLoadRidge } from '../../../engine/forecast/load-ridge.ts';
import { createLoadRows, forecastLoadTrees, trainLoadTrees } from '../../../engine/forecast/load-trees.ts';
import { createRandom } from '../../../engine/random.ts';

const HOUR_MS = 3_600_000;
const DAYS = 120;
const TODAY = 110;
const calendar = { holiday: (day: number) => day % 37 === 0, special: () => false };

/** An office: by day and weekday, with a level that wanders. */
function office(seed: number, change?: (values: Float64Array) => void) {
  const random = createRandom(seed);
  let level = 100;
  const values = Float64Array.from({ length: DAYS * DAY_HOURS }, (_, k) => {
    const [day, hour] = [Math.floor(k / DAY_HOURS), k % DAY_HOURS];
    if (hour === 0) level = 100 + 0.9 * (level - 100) + 70 * (random() - 0.5);
    const off = day % 7 === 0 || day % 7 === 6 || day % 37 === 0;
    return level * (0.3 + (off ? 0 : Math.max(0, Math.sin(((hour - 5) * Math.PI) / 14)))) + 4 * random();
  });
  change?.(values);
  return createPanel({
    // Day 0 is a Sunday.
    first_day: 37 * 7 * 3 + 3 - ((37 * 7 * 3 + 3 + 4) % 7),
    series: [{ name: 'office', unit: 'kWh', values, known_ms: values.map((_, k) => (k + 1) * HOUR_MS) }],
    origin: (day) => day * DAY_HOURS * HOUR_MS,
  });
}
const history = (seed: number, change?: (values: Float64Array) => void) =>
  createLoadHistory(office(seed, change), calendar);

describe('features of loads', () => {
  it('do not see the day to come: bit-identical whatever it brings', () => {
    const scrambled = history(1, (values) => values.fill(1e6, TODAY * DAY_HOURS));
    expect([...loadDay(scrambled, TODAY, 'level', 0).x]).toEqual([...loadDay(history(1), TODAY, 'level', 0).x]);
    const yesterday = history(1, (values) => values.fill(1e6, (TODAY - 1) * DAY_HOURS));
    expect([...loadDay(yesterday, TODAY, 'level', 0).x]).not.toEqual([...loadDay(history(1), TODAY, 'level', 0).x]);
  });

  it('have a name each, and a past that ends with yesterday', () => {
    const { x } = loadDay(history(1), TODAY, 'level', 0);
    expect(x.length).toBe(LOAD_FEATURES.length * DAY_HOURS);
    expect(new Set(LOAD_FEATURES).size).toBe(LOAD_FEATURES.length);
    const past = history(1).before(TODAY);
    expect(past.at(TODAY, 0)).toBeNaN();
    expect(past.at(TODAY - 1, 0)).toBeGreaterThan(0);
  });

  it('fill what is missing with the same hour a week before', () => {
    const holes = history(1, (values) => values.fill(NaN, 100 * DAY_HOURS, 101 * DAY_HOURS));
    const past = holes.before(TODAY);
    expect([...past.hours(100)]).toEqual([...past.hours(93)]);
  });
});

describe('forecasts of loads', () => {
  const naive = (panel: ReturnType<typeof office>, day: number) => {
    const view = panel.viewAt(Infinity);
    return Float64Array.from({ length: DAY_HOURS }, (_, hour) => view.value(0, day - 7, hour));
  };
  const errorOf = (made: Float64Array, panel: ReturnType<typeof office>, day: number) => {
    const view = panel.viewAt(Infinity);
    return made.reduce((sum, value, hour) => sum + Math.abs(value - view.value(0, day, hour)) / DAY_HOURS, 0);
  };

  it('of trees over two meters and of ridge beat last week, and stay bit-identical whatever comes', () => {
    const make = (change?: (values: Float64Array) => void) => {
      const histories = [history(1, change), history(2)];
      const rows = createLoadRows(histories, 'level');
      const booster = trainLoadTrees(rows, TODAY, {
        unit: 'level',
        window_days: 80,
        seed: 1,
        rounds: 60,
        learning_rate: 0.1,
      });
      return [
        forecastLoadTrees(booster, rows, 0, TODAY, 'level'),
        ...createLoadRidge(histories[0]!, [30]).forecast(TODAY),
      ];
    };
    const made = make();
    const scrambled = make((values) => values.fill(7e5, TODAY * DAY_HOURS));
    expect(scrambled.map((one) => [...one])).toEqual(made.map((one) => [...one]));
    const panel = office(1);
    for (const one of made)
      expect(errorOf(one, panel, TODAY)).toBeLessThan(0.9 * errorOf(naive(panel, TODAY), panel, TODAY));
  });

  it('say so where too little is known', () => {
    const rows = createLoadRows([history(1)], 'level');
    expect(() => trainLoadTrees(rows, 30, { unit: 'level', window_days: 80, seed: 1 })).toThrow(/hours/);
    expect(() => createLoadRidge(history(1), [30]).forecast(25)).toThrow(/days/);
  });
});
