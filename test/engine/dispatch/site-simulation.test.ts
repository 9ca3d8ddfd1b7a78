import { describe, expect, it } from 'vitest';
import { POLICIES, type SiteCourse, savingInterval, simulateSite } from '../../../engine/dispatch/site-simulation.ts';
import { createRandom } from '../../../engine/random.ts';

const DAYS = 40;
const SLOTS = DAYS * 96;

/** A building with a working day, a little noise and prices that differ by the hour and the day. */
function course(over: Partial<SiteCourse> = {}): SiteCourse {
  const random = createRandom(4);
  const hour = (t: number) => (t % 96) / 4;
  const levels = Array.from({ length: DAYS }, () => 0.8 + 0.4 * random());
  const series = (value: (t: number) => number) => Float64Array.from({ length: SLOTS }, (_, t) => value(t));
  return {
    hours: 0.25,
    net_kWh: series((t) => (hour(t) >= 7 && hour(t) < 18 ? 8 : 2) + random()),
    forecast_kWh: series(() => Number.NaN),
    price: series((t) => levels[Math.floor(t / 96)]! * (0.25 + 0.15 * Math.cos(((hour(t) - 19) / 12) * Math.PI))),
    feed_in: series(() => 0.05),
    day: Int32Array.from({ length: SLOTS }, (_, t) => Math.floor(t / 96)),
    month: Int32Array.from({ length: SLOTS }, (_, t) => (t < 20 * 96 ? 0 : 1)),
    import_limit_kW: null,
    per_kW: 0,
    store: { capacity_kWh: 40, charge_kW: 20, discharge_kW: 20, charge_efficiency: 0.95, discharge_efficiency: 0.95 },
    ...over,
  };
}
const sum = (values: Float64Array) => values.reduce((total, one) => total + one, 0);

describe('policies over the past of a site', () => {
  const run = simulateSite(course(), POLICIES, createRandom(1));
  const cost = Object.fromEntries(run.courses.map(({ name, daily_cost }) => [name, sum(daily_cost)]));

  it('foresight is never beaten, and a plan with forecasts comes near it', () => {
    for (const { name } of run.courses) expect(cost.perfect!, name).toBeLessThanOrEqual(cost[name]! + 1e-6);
    const captured = (cost.none! - cost.plan!) / (cost.none! - cost.perfect!);
    expect(captured).toBeGreaterThan(0.8);
  });

  it('the control with shuffled forecasts loses the saving', () => {
    expect(cost.none! - cost.shuffled!).toBeLessThan(0.1 * (cost.none! - cost.plan!));
  });

  it('the interval holds the saving', () => {
    const [none, plan] = ['none', 'plan'].map((name) => run.courses.find((one) => one.name === name)!);
    const saving = cost.none! - cost.plan!;
    const { low, high } = savingInterval(none!, plan!, saving, createRandom(2));
    expect(low).toBeLessThan(saving);
    expect(high).toBeGreaterThan(saving);
    expect(low).toBeGreaterThan(0);
  });

  it('leaves out a day with a hole for all, and says so', () => {
    const net_kWh = course().net_kWh;
    net_kWh[5 * 96 + 3] = Number.NaN;
    const { courses, days_left_out } = simulateSite(course({ net_kWh }), ['none', 'plan'], createRandom(1));
    expect(days_left_out).toBe(1);
    for (const { grid_kWh, daily_cost } of courses) {
      expect(daily_cost[5]).toBe(0);
      expect(grid_kWh.slice(5 * 96, 6 * 96).every(Number.isNaN)).toBe(true);
    }
  });

  it('with a price for power the plan and shaving lower the peak', () => {
    const { courses } = simulateSite(course({ per_kW: 12 }), ['none', 'shaving', 'plan'], createRandom(1));
    const peak = (name: string) => courses.find((one) => one.name === name)!.peak_kW;
    expect(peak('shaving')).toBeLessThan(peak('none'));
    expect(peak('plan')).toBeLessThan(peak('none'));
  });
});
