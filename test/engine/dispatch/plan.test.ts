import { beforeAll, describe, expect, it } from 'vitest';
import { explainSlot } from '../../../engine/dispatch/explain.ts';
import { type HighsSolver, openHighs } from '../../../engine/dispatch/highs.ts';
import { planSite } from '../../../engine/dispatch/plan.ts';
import type { Battery, PlanInput } from '../../../engine/dispatch/site.ts';
import { InvalidDataError } from '../../../engine/errors.ts';
import { randomSite, seeded } from '../../bench/dispatch/random-site.ts';
import { imbalance_W, unreported } from '../../bench/dispatch-fuzz.bench.ts';

const BATTERY: Battery = {
  id: 'battery',
  capacity_kWh: 10,
  min_kWh: 0,
  max_kWh: 10,
  charge_W: 5000,
  discharge_W: 5000,
  charge_efficiency: 0.9,
  discharge_efficiency: 0.9,
  keep_per_hour: 1,
  energy_kWh: 0,
  degradation_per_kWh: 0,
  end_value_per_kWh: 0,
  end_kWh: null,
  charge_from_grid: true,
  discharge_to_grid: true,
};

function site(prices: number[], more: Partial<PlanInput> = {}): PlanInput {
  const constant = (value: number) => prices.map(() => value);
  return {
    from_ms: Date.UTC(2026, 0, 1),
    slot_min: 60,
    import_price: prices,
    export_price: constant(0.05),
    load_W: constant(1000),
    generation_W: constant(0),
    curtailable: false,
    grid: { import_limit_W: null, export_limit_W: null },
    demand: [],
    batteries: [],
    vehicles: [],
    heat_pumps: [],
    loads: [],
    reductions: [],
    soft: {
      import_per_kWh: 100,
      export_per_kWh: 100,
      goal_per_kWh: 50,
      reserve_per_kWh: 60,
      heat_per_kWh: 40,
      load_per_kWh: 30,
    },
    ...more,
  };
}

describe('plans of a site', () => {
  let highs: HighsSolver;
  beforeAll(async () => {
    highs = await openHighs();
  }, 60_000);

  it('charges where energy is cheap and discharges where it is dear', () => {
    const { plan } = planSite(site([0.1, 0.5, 0.5], { batteries: [BATTERY] }));
    const { power_W } = plan.devices[0]!;
    expect(power_W[0]).toBeCloseTo(-2000 / 0.81, 0);
    expect(power_W[1]).toBeCloseTo(1000, 0);
    expect(power_W[2]).toBeCloseTo(1000, 0);
    expect(plan.gave_way).toEqual([]);
  });

  it('never charges and discharges in one slot, even where burning energy would pay', () => {
    const input = site([-0.3, -0.3, -0.3, 0.2], { export_price: [-0.3, -0.3, -0.3, 0.1], batteries: [BATTERY] });
    for (const mixed of [undefined, highs.mixed]) {
      const { plan, state } = planSite(input, mixed ? { mixed } : {});
      const wide = state.solution.x;
      // The linear program alone would burn: the test has something to hold against.
      expect(Math.max(...wide)).toBeGreaterThan(0);
      expect(imbalance_W(input, plan)).toBeLessThan(1);
      expect(plan.devices[0]!.energy_kWh.every((energy) => energy >= -1e-9 && energy <= 10 + 1e-6)).toBe(true);
      if (mixed) expect(plan.proof.method).toBe('branch-and-bound');
    }
  });

  it('says which limit gave way, by how much and when, instead of being infeasible', () => {
    const hour = 3_600_000;
    const from_ms = Date.UTC(2026, 0, 1);
    const car = {
      id: 'car',
      capacity_kWh: 50,
      energy_kWh: 10,
      charge_W: 10_000,
      min_charge_W: 0,
      discharge_W: 0,
      charge_efficiency: 1,
      discharge_efficiency: 1,
      degradation_per_kWh: 0,
      end_value_per_kWh: 0,
      stays: [{ from_ms, to_ms: from_ms + 2 * hour, goal_kWh: 45, used_kWh: 0 }],
    };
    const { plan } = planSite(site([0.3, 0.3, 0.3], { vehicles: [car] }));
    expect(plan.gave_way).toHaveLength(1);
    expect(plan.gave_way[0]).toMatchObject({ limit: 'departure-goal', id: 'car', from_ms: from_ms + hour });
    expect(plan.gave_way[0]!.energy_kWh).toBeCloseTo(15, 2);
    expect(explainSlot(site([0.3, 0.3, 0.3], { vehicles: [car] }), plan, 'car', 0).code).toBe('charges-for-departure');
  });

  it('names missing input instead of taking it as 0', () => {
    const input = site([0.1, 0.2], { load_W: [1000, null] });
    expect(() => planSite(input)).toThrow(InvalidDataError);
    expect(() => planSite(input)).toThrow(/load_W: is missing in slot 1/);
    expect(() => planSite(site([0.1, Number.NaN]))).toThrow(/import_price: is missing in slot 1/);
  });

  it('gives the same plan for the same input, bit for bit', () => {
    for (let k = 0; k < 5; k++) {
      const [a, b] = [planSite(randomSite(seeded(k)), highs), planSite(randomSite(seeded(k)), highs)];
      expect(b.plan).toEqual(a.plan);
    }
  });

  it('agrees with HiGHS on the optimum of its linear program', () => {
    for (let k = 20; k < 30; k++) {
      const { state } = planSite(randomSite(seeded(k)), highs);
      const { objective } = highs.linear(state.site.program);
      expect(Math.abs(state.solution.objective - objective) / Math.max(1, Math.abs(objective))).toBeLessThan(1e-6);
    }
  });

  it('keeps least running times and starts of a heat pump', () => {
    const pump = {
      id: 'pump',
      power_W: 2000,
      min_W: 2000,
      windows: [{ from_ms: Date.UTC(2026, 0, 1), to_ms: Date.UTC(2026, 0, 1, 8), energy_kWh: 6 }],
      running: { min_on_min: 180, min_off_min: 120, max_starts: 1, on: false, since_min: 600 },
    };
    const { plan } = planSite(site([0.1, 0.6, 0.1, 0.5, 0.3, 0.2, 0.25, 0.5], { loads: [pump] }), highs);
    const on = Array.from(plan.devices[0]!.power_W, (power) => (power < -1 ? 1 : 0)).join('');
    expect(on).toBe('00001110');
    expect(plan.gave_way).toEqual([]);
  });

  it('says so where no solver for running rules is at hand and a rule is broken', () => {
    const load = {
      id: 'pump',
      power_W: 2000,
      min_W: 2000,
      windows: [{ from_ms: Date.UTC(2026, 0, 1), to_ms: Date.UTC(2026, 0, 1, 4), energy_kWh: 4 }],
      running: { min_on_min: 120, min_off_min: 60, max_starts: 1, on: false, since_min: 600 },
    };
    const { plan } = planSite(site([0.1, 0.9, 0.1, 0.9], { loads: [load] }));
    expect(plan.gave_way.map(({ limit }) => limit)).toContain('running');
  });

  it('plans random sites without exception, in balance, and reports every limit that gives way', () => {
    for (let k = 100; k < 140; k++) {
      const input = randomSite(seeded(k));
      const { plan } = planSite(input, highs);
      expect(imbalance_W(input, plan)).toBeLessThan(1);
      expect(unreported(input, plan)).toEqual([]);
    }
  }, 60_000);
});
