/** What a plan gives the advice, on small plans whose sums can be done by hand. */
import { describe, expect, it } from 'vitest';
import { type PlanDevice, PlanDeviceSchema } from '../../../../engine/dispatch/plan-devices.ts';
import { SLOT_MS } from '../../../../engine/model/time.ts';
import { batteryLimits, planFacts } from '../../../../gateway/services/advice/plan-facts.ts';
import type { StoredPlan } from '../../../../gateway/services/plans/stored.ts';
import { proposeActions } from '../../../../recommender/catalogue/catalogue.ts';
import { contextOf, NOW_MS } from '../../../recommender/context.ts';

const SLOTS = 96;
const device = (value: unknown): PlanDevice => PlanDeviceSchema.parse(value);
const battery = device({
  ...{ kind: 'battery', id: 'store', name: 'Store', soc_meter: 'm', capacity_kWh: 100, reserve_percent: 10 },
  ...{ charge_W: 40_000, discharge_W: 40_000, charge_efficiency: 0.9, discharge_efficiency: 1 },
});
/** The plan begins on a Tuesday at 08:00 local time. */
const car = device({
  ...{ kind: 'vehicle', id: 'car', name: 'Van', capacity_kWh: 60, charge_W: 20_000, arrival_percent: 40 },
  stays: [{ weekdays: [2], arrive: '09:00', depart: '16:00', goal_percent: 90 }],
});
const pump = device({
  ...{ kind: 'load', id: 'pump', name: 'Well pump', power_W: 8000 },
  windows: [{ weekdays: [2], from: '08:00', to: '20:00', energy_kWh: 4 }],
});
const writing = { way: 'mqtt', writing: true, device: 'd' };

/** Powers by the hour since the plan begins: + discharges, − charges or draws. */
function planOf(
  powers: Record<string, (hour: number) => number>,
  price: (hour: number) => number = (hour) => (hour < 5 ? 0.1 : 0.4),
): StoredPlan {
  const slots = Array.from({ length: SLOTS }, (_, t) => t / 4);
  const row = (value: (hour: number) => number) => slots.map(value);
  return {
    ...{ id: 'p', made_ms: NOW_MS, cause: 'schedule', from_ms: NOW_MS, slot_min: 15, currency: 'EUR' },
    ...{ import_price: row(price), export_price: row(() => 0.05), grid_W: row(() => 50_000) },
    devices: Object.entries(powers).map(([id, power]) => ({ id, power_W: row(power) })),
  } as unknown as StoredPlan;
}

describe('what a plan gives the advice', () => {
  it('a battery: the block that charges most before the one it is used in, with the saving by the plan’s prices', () => {
    const plan = planOf({ store: (hour) => (hour >= 1 && hour < 3 ? -20_000 : hour >= 10 && hour < 12 ? 18_000 : 0) });
    const facts = planFacts(plan, [battery], NOW_MS, 'Europe/Berlin');
    expect(facts.plan).toMatchObject({
      id: 'p',
      charge: { from_ms: NOW_MS + 4 * SLOT_MS, to_ms: NOW_MS + 12 * SLOT_MS },
      discharge: { from_ms: NOW_MS + 40 * SLOT_MS, to_ms: NOW_MS + 48 * SLOT_MS },
    });
    // 36 kWh given for 0.40, 40 kWh taken for 0.10
    expect(facts.plan?.energy_kWh).toBeCloseTo(36, 9);
    expect(facts.plan?.saving.amount).toBeCloseTo(36 * 0.4 - 40 * 0.1, 9);
    expect(facts.plan!.saving.low).toBeLessThan(facts.plan!.saving.amount);
    const advised = proposeActions(
      contextOf((hour) => (hour < 5 ? 0.1 : 0.4), {
        battery: { daily_kWh: 30, ...batteryLimits([battery]) },
        ...facts,
      }),
    ).find(({ kind }) => kind === 'run_battery');
    expect(advised?.evidence).toEqual({ slots: [facts.plan!.charge, facts.plan!.discharge], plan: 'p' });
  });

  it('a car: charging as planned against charging when it comes, before it leaves', () => {
    // comes at hour 1, the plan charges 10 kWh from 3 to 4; at once it would be from 1 to 1.5, at 0.40
    const plan = planOf({ car: (hour) => (hour >= 3 && hour < 4 ? -10_000 : 0) }, (hour) => (hour < 3 ? 0.4 : 0.1));
    const [use] = planFacts(plan, [car], NOW_MS, 'Europe/Berlin').planned!;
    expect(use).toMatchObject({
      ...{ device: 'car', kind: 'vehicle', plan: 'p', until_ms: NOW_MS + 8 * 4 * SLOT_MS },
      run: [{ from_ms: NOW_MS + 12 * SLOT_MS, to_ms: NOW_MS + 16 * SLOT_MS }],
      instead: { from_ms: NOW_MS + 4 * SLOT_MS, to_ms: NOW_MS + 6 * SLOT_MS },
    });
    expect(use!.saving.amount).toBeCloseTo(10 * 0.3, 9);
    const advised = proposeActions(contextOf(() => 0.2, { planned: [use!] })).filter(({ evidence }) => evidence.plan);
    expect(advised.map(({ id }) => id)).toEqual(['charge_vehicles:car:2026-03-10']);
    expect(advised[0]!.why.en).toContain('before it leaves at 16:00');
    expect(advised[0]!.text.de).toContain('11:00–12:00 laden');
  });

  it('a load with a name: to the hours of the plan', () => {
    const plan = planOf({ pump: (hour) => (hour >= 6 && hour < 6.5 ? -8000 : 0) }, (hour) => (hour < 6 ? 0.3 : 0.1));
    const [use] = planFacts(plan, [pump], NOW_MS, 'Europe/Berlin').planned!;
    expect(use).toMatchObject({ kind: 'load', energy_kWh: 4 });
    expect(use!.saving.amount).toBeCloseTo(4 * 0.2, 9);
    const ids = proposeActions(contextOf(() => 0.2, { planned: [use!] })).map(({ id }) => id);
    expect(ids).toContain('shift_load:pump:2026-03-10');
  });

  it('nothing for what the box sets itself, and nothing from an old plan', () => {
    const powers = { store: (hour: number) => (hour < 2 ? -20_000 : hour < 20 ? 5000 : 0), car: () => -5000 };
    const plan = planOf(powers);
    const set = [device({ ...battery, control: writing }), device({ ...car, control: writing })];
    expect(planFacts(plan, set, NOW_MS, 'Europe/Berlin')).toEqual({ plan: null, planned: [] });
    expect(batteryLimits(set)).toMatchObject({ by_box: true });
    const context = contextOf((hour) => (hour < 5 ? 0.05 : 0.5), { battery: { daily_kWh: 60, ...batteryLimits(set) } });
    expect(proposeActions(context).map(({ kind }) => kind)).not.toContain('run_battery');
    expect(planFacts(plan, [battery, car], NOW_MS + 3 * 3_600_000, 'Europe/Berlin')).toEqual({});
  });
});
