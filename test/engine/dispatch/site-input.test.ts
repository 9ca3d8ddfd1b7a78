import { describe, expect, it } from 'vitest';
import { baselines } from '../../../engine/dispatch/baselines.ts';
import { openHighs } from '../../../engine/dispatch/highs.ts';
import { PlanDeviceSchema, PlanSettingsSchema } from '../../../engine/dispatch/plan-devices.ts';
import { reportPlan } from '../../../engine/dispatch/plan-report.ts';
import { copOf, type DeviceFact, type SiteFacts, siteInput } from '../../../engine/dispatch/site-input.ts';
import { weeklySpans } from '../../../engine/dispatch/week-times.ts';
import { InvalidDataError } from '../../../engine/errors.ts';
import { SLOT_MS } from '../../../engine/model/time.ts';

const FROM = Date.parse('2026-03-02T17:00Z');
const SLOTS = 96;
const ZONE = 'Europe/Berlin';
const fill = (value: number) => new Float64Array(SLOTS).fill(value);
/** Cheap from 02:00 to 05:00 local, dear from 17:00 to 20:00. */
const price = Float64Array.from({ length: SLOTS }, (_, t) => {
  const hour = new Date(FROM + t * SLOT_MS).getUTCHours() + 1;
  return hour >= 2 && hour < 5 ? 0.1 : hour >= 17 && hour < 20 ? 0.5 : 0.3;
});

const battery = PlanDeviceSchema.parse({
  ...{ kind: 'battery', id: 'store', name: 'Battery', capacity_kWh: 20, charge_W: 5000, discharge_W: 5000 },
  soc_meter: 'b',
});
const car = PlanDeviceSchema.parse({
  ...{ kind: 'vehicle', id: 'car', name: 'Car', capacity_kWh: 60, charge_W: 11_000, arrival_percent: 40 },
  stays: [{ weekdays: [1, 2, 3, 4, 5], arrive: '18:00', depart: '07:30', goal_percent: 80 }],
});
const pump = PlanDeviceSchema.parse({
  ...{ kind: 'heat-pump', id: 'pump', name: 'Heat pump', electric_W: 4000, store_kWh: 15, start_percent: 50 },
  heat_loss_W_per_K: 250,
});
const known = (device: DeviceFact['device'], percent: number | null = 50): DeviceFact => ({
  device,
  percent,
  running: null,
});
const facts = (over: Partial<SiteFacts> = {}): SiteFacts => ({
  ...{ from_ms: FROM, time_zone: ZONE, import_price: price, export_price: fill(0.08) },
  ...{ import_limit_W: fill(Infinity), export_limit_W: fill(Infinity) },
  ...{ load_W: fill(2000), generation_W: null, temperature_C: fill(4), demand: [], reductions: [], overrides: [] },
  devices: [known(battery), known(car), known(pump)],
  settings: PlanSettingsSchema.parse({}),
  ...over,
});

describe('the input of a plan', () => {
  it('names what is missing and assumes nothing', () => {
    const load_W = fill(2000);
    load_W[7] = Number.NaN;
    const asked = () =>
      siteInput(facts({ load_W, temperature_C: fill(Number.NaN), devices: [known(battery, null), known(pump)] }));
    expect(asked).toThrow(InvalidDataError);
    try {
      asked();
    } catch (error) {
      const places = (error as InvalidDataError).faults.map(({ where }) => where);
      expect(places).toEqual(['Battery', 'the outside temperature', 'the load forecast']);
    }
  });

  it('a car that is away comes back as full as said, and its next trip uses what it arrives without', () => {
    const [vehicle] = siteInput(facts({ from_ms: FROM - 6 * 3_600_000 })).vehicles;
    expect(vehicle!.energy_kWh).toBe(24);
    expect(vehicle!.stays.map(({ goal_kWh, used_kWh }) => [goal_kWh, used_kWh])).toEqual([[48, 0]]);
    expect(new Date(vehicle!.stays[0]!.to_ms).toISOString()).toBe('2026-03-03T06:30:00.000Z');
  });

  it('weekly times cross midnight and the change of the clock', () => {
    const night = { weekdays: [6], from: '22:00', to: '06:00' };
    const [span] = weeklySpans(
      [night],
      (one) => one,
      Date.parse('2026-03-28T00:00Z'),
      Date.parse('2026-03-30T00:00Z'),
      ZONE,
    );
    expect((span!.to_ms - span!.from_ms) / 3_600_000).toBe(7);
  });

  it('a heat pump is worse in the cold', () => {
    const of = (outside: number) => copOf({ supply_C: 40, quality: 0.45 }, outside);
    expect(of(-10)).toBeCloseTo(2.82, 2);
    expect(of(7)).toBeGreaterThan(of(-10));
  });
});

describe('a plan with its report', () => {
  it('costs no more than any simple rule, gives a reason for every slot, and keeps every limit', async () => {
    const { mixed } = await openHighs();
    const { plan, baselines: others, reasons } = reportPlan(siteInput(facts()), mixed);
    expect(plan.gave_way).toEqual([]);
    for (const { name, cost } of others) expect(plan.cost.total, name).toBeLessThanOrEqual(cost.total + 0.01);
    const none = others.find(({ name }) => name === 'none')!;
    expect(none.cost.total - plan.cost.total).toBeGreaterThan(1);
    for (const { id } of plan.devices) expect(reasons[id]).toHaveLength(SLOTS);
  });

  it('a person is obeyed, the slot says so, and it costs', async () => {
    const { mixed } = await openHighs();
    const free = reportPlan(siteInput(facts()), mixed).plan;
    const override = { device: 'store', from_ms: FROM, to_ms: FROM + 4 * SLOT_MS, power_W: -2000 };
    const { plan, reasons } = reportPlan(siteInput(facts({ overrides: [override] })), mixed);
    const course = plan.devices.find(({ id }) => id === 'store')!.power_W;
    for (let t = 0; t < 4; t++) expect(course[t]).toBeCloseTo(-2000, 0);
    expect(reasons.store![0]!.code).toBe('by-hand');
    expect(plan.cost.total).toBeGreaterThan(free.cost.total + 0.1);
    expect(plan.proof.gap).toBeLessThan(0.01);
  });

  it('rules never feed the grid from the battery nor pass its reserve', () => {
    for (const { name, grid_W } of baselines(siteInput(facts())))
      expect(Math.min(...grid_W), name).toBeGreaterThanOrEqual(-1e-6);
  });
});
