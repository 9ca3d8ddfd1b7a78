/** The interval of a measured effect, on days whose true effect is known. */
import { describe, expect, it } from 'vitest';
import { SLOT_MS } from '../../../../engine/model/time.ts';
import type { Columns } from '../../../../engine/ports.ts';
import { createRandom } from '../../../../engine/random.ts';
import { effectErrors } from '../../../../gateway/services/advice/effect-errors.ts';
import type { Measure } from '../../../../recommender/action.ts';
import { gaussian } from '../../../../recommender/bandit/lift.ts';
import { effectRange, sumOfEffects } from '../../../../recommender/effect.ts';
import { NOW_MS } from '../../../recommender/context.ts';

const DAY_MS = 86_400_000;
const FORECAST_W = 50_000;
const columnsOf = (from_ms: number, to_ms: number, value: (at_ms: number) => number): Columns => {
  const at_ms = Float64Array.from({ length: (to_ms - from_ms) / SLOT_MS }, (_, i) => from_ms + i * SLOT_MS);
  return { at_ms, values: at_ms.map(value), quality: new Uint8Array(at_ms.length) } as unknown as Columns;
};
/** A load that is off its forecast by an amount that lasts all day, as errors of forecasts do. */
const depsOf = (offOn: (day: number) => number) => ({
  data: {
    balance: async (_tenant: string, _series: string, from_ms: number, to_ms: number) =>
      columnsOf(from_ms, to_ms, (at) => FORECAST_W + offOn(Math.floor(at / DAY_MS))),
  },
  forecasts: {
    past: async (_tenant: string, _series: string, from_ms: number, to_ms: number) =>
      columnsOf(from_ms, to_ms, () => FORECAST_W),
  },
});
/** Two hours that cost 0.40 a kWh. */
const measure: Measure = {
  ...{ kind: 'energy', series: 'load' },
  slots: Array.from({ length: 8 }, (_, i) => ({
    ...{ at_ms: NOW_MS + (16 + i) * SLOT_MS, gain_per_kWh: -0.4, expected_W: FORECAST_W },
  })),
};

describe('the interval of a measured effect', () => {
  it('holds the true effect about as often as it says, with errors that last a day', async () => {
    const random = createRandom(3);
    let [held, rounds] = [0, 0];
    for (let round = 0; round < 120; round++) {
      const off = new Map<number, number>();
      const offOn = (day: number) => off.get(day) ?? off.set(day, 3000 * gaussian(random)).get(day)!;
      const errors = await effectErrors(depsOf(offOn), 't', measure, NOW_MS, 'UTC');
      // 2 h · 10 kW less at 0.40 is worth 8; the day's own error is measured with it.
      const amount = 8 - 2 * 0.4 * (offOn(Math.floor(NOW_MS / DAY_MS)) / 1000);
      const range = effectRange(amount, errors)!;
      if (range.low <= 8 && 8 <= range.high) held++;
      rounds++;
    }
    // 90 % of 120 is 108; a binomial draw below 97 or above 118 has a chance of less than 0.2 %.
    expect(rounds).toBe(120);
    expect(held).toBeGreaterThanOrEqual(97);
    expect(held).toBeLessThanOrEqual(118);
  });

  it('counts no day from the advice on, and is not known without a week of days before', async () => {
    const today = Math.floor(NOW_MS / DAY_MS);
    // Its windows are tomorrow's, so that a day before them is the day of the advice itself.
    const slots = measure.kind === 'energy' ? measure.slots.map((s) => ({ ...s, at_ms: s.at_ms + DAY_MS })) : [];
    const errors = await effectErrors(
      depsOf((day) => (day >= today ? 1e9 : 0)),
      't',
      { kind: 'energy', series: 'load', slots },
      NOW_MS,
      'UTC',
    );
    expect(errors.length).toBeGreaterThan(20);
    expect(Math.max(...errors.map(Math.abs))).toBe(0);
    expect(effectRange(1, errors.slice(0, 7))).toBeNull();
  });

  it('knows the other kinds of measures', async () => {
    const deps = depsOf((day) => (day % 2 === 0 ? 1000 : -1000));
    const peak: Measure = {
      kind: 'peak',
      from_ms: NOW_MS,
      to_ms: NOW_MS + 4 * SLOT_MS,
      expected_W: 1,
      gain_per_kW: 10,
    };
    const night: Measure = { kind: 'night', reference_W: 1, gain_per_W: 0.01 };
    const share: Measure = { kind: 'yield', reference: 0.5, gain: 100 };
    const found = await Promise.all([peak, night, share].map((one) => effectErrors(deps, 't', one, NOW_MS, 'UTC')));
    const most = found.map((errors) => Math.max(...errors.map(Math.abs)));
    for (const errors of found) expect(errors.length).toBeGreaterThan(20);
    // The forecast of the peak has load and generation alike: all of the grid's power is its error.
    expect(most[0]).toBeCloseTo(510, 6);
    // A night of +1 kW against the mean of one of −1 kW and one of +1 kW.
    expect(most[1]).toBeCloseTo(10, 6);
    expect(most[2]).toBeLessThan(100 * 0.03);
  });

  it('of a battery is against what is usual at the same time of day', async () => {
    // 20 kW every day at the hour that is asked for, nothing at any other: no error at all.
    const hour = (at_ms: number) => Math.floor(at_ms / (4 * SLOT_MS)) % 24;
    const deps = {
      ...depsOf(() => 0),
      data: {
        balance: async (_tenant: string, _series: string, from_ms: number, to_ms: number) =>
          columnsOf(from_ms, to_ms, (at) => ([11, 12].includes(hour(at)) ? 20_000 : 0)),
      },
    };
    const slots = measure.kind === 'energy' ? measure.slots.map((slot) => ({ ...slot, expected_W: null })) : [];
    const errors = await effectErrors(deps, 't', { kind: 'energy', series: 'battery', slots }, NOW_MS, 'UTC');
    expect(errors.length).toBeGreaterThan(20);
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(1e-9);
  });

  it('of several effects is narrower than of all of them at once', () => {
    const one = { amount: 2, low: 1, high: 4 };
    expect(sumOfEffects([one, one, one, one])).toEqual({ amount: 8, low: 6, high: 12 });
    expect(sumOfEffects([one, { amount: 1, low: null, high: null }])).toEqual({ amount: 3, low: null, high: null });
    expect(sumOfEffects([])).toBeNull();
  });
});
