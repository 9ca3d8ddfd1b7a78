/** A plan of the sample building, made by the planner itself from made-up prices and forecasts. */
import { openHighs } from '../../engine/dispatch/highs.ts';
import { type PlanDevice, PlanDeviceSchema, PlanSettingsSchema } from '../../engine/dispatch/plan-devices.ts';
import { reportPlan } from '../../engine/dispatch/plan-report.ts';
import { siteInput } from '../../engine/dispatch/site-input.ts';
import { SLOT_MS, slotStart } from '../../engine/model/time.ts';
import { GridInputsSchema } from '../../gateway/services/grid-signals.ts';
import { type PlanBody, planBody, type StoredPlan } from '../../gateway/services/plans/stored.ts';
import type { MonthSavings } from '../../gateway/services/savings.ts';
import type { StoredSimulation } from '../../gateway/services/simulations.ts';
import type { Services } from '../../gateway/services.ts';

const SLOTS = 160;
type PlanParts = 'plans' | 'gridSignals' | 'setpoints' | 'savings' | 'simulations';

export const SAMPLE_PLAN_DEVICES: readonly PlanDevice[] = [
  {
    ...{ kind: 'battery', id: 'battery', name: 'Battery', capacity_kWh: 100, charge_W: 50_000, discharge_W: 50_000 },
    ...{ soc_meter: 'battery', degradation_per_kWh: 0.02, section_14a: { kind: 'battery', power_W: 50_000 } },
  },
  {
    ...{ kind: 'vehicle', id: 'cars', name: 'Pool cars', capacity_kWh: 120, charge_W: 22_000, arrival_percent: 40 },
    stays: [{ weekdays: [1, 2, 3, 4, 5], arrive: '17:30', depart: '07:30', goal_percent: 80 }],
    section_14a: { kind: 'charger', power_W: 22_000 },
  },
].map((device): PlanDevice => PlanDeviceSchema.parse(device));

/** @param battery_kWh in place of the sample's 100 */
async function makePlan(now_ms: number, battery_kWh = 100): Promise<PlanBody> {
  const from_ms = slotStart(now_ms);
  const series = (value: (hour: number, t: number) => number) =>
    Float64Array.from({ length: SLOTS }, (_, t) => value((new Date(from_ms + t * SLOT_MS).getUTCHours() + 1) % 24, t));
  const devices = SAMPLE_PLAN_DEVICES.flatMap((device): PlanDevice[] =>
    device.kind === 'battery' ? (battery_kWh > 0 ? [{ ...device, capacity_kWh: battery_kWh }] : []) : [device],
  );
  const input = siteInput({
    ...{
      from_ms,
      time_zone: 'Europe/Berlin',
      temperature_C: series(() => 8),
      demand: [],
      reductions: [],
      overrides: [],
    },
    import_price: series(
      (hour) => 0.27 + 0.09 * Math.cos(((hour - 19) / 12) * Math.PI) - 0.05 * Math.cos(((hour - 1) / 6) * Math.PI),
    ),
    export_price: series(() => 0.07),
    ...{
      import_limit_W: series(() => Number.POSITIVE_INFINITY),
      export_limit_W: series(() => Number.POSITIVE_INFINITY),
    },
    load_W: series((hour) => (hour >= 6 && hour < 18 ? 42_000 : 14_000)),
    generation_W: series((hour) => Math.max(0, 40_000 * Math.sin(((hour - 6) / 12) * Math.PI))),
    devices: devices.map((device) => ({ device, percent: 40, running: null })),
    settings: PlanSettingsSchema.parse({ import_limit_W: 90_000 }),
  });
  const { mixed } = await openHighs();
  return planBody(reportPlan(input, mixed), input, {
    ...{ currency: 'EUR', devices },
    assumptions: [{ code: 'arrival', device: 'Pool cars' }],
  });
}

/** What the pages of plans need of the services. */
export function samplePlans(clock: Services['clock'], devices = SAMPLE_PLAN_DEVICES): Pick<Services, PlanParts> {
  let made: Promise<StoredPlan> | undefined;
  const latest = async () => {
    if (devices.length === 0) return null;
    made ??= makePlan(clock.now()).then((body) => ({
      ...body,
      id: 'sample',
      made_ms: clock.now() - 180_000,
      cause: 'schedule',
    }));
    return made;
  };
  const plans: Partial<Services['plans']> = {
    latest,
    problem: () => null,
    devices: async () => [...devices],
    overrides: async () => [],
    overrideCost: async () => ({ cost: 1.23, currency: 'EUR' }),
    whatIf: (_tenant, { battery_kWh }) => makePlan(clock.now(), battery_kWh),
    removeDevice: async () => {},
    saveDevice: async (_actor, device) => PlanDeviceSchema.parse(device),
    settings: async () => PlanSettingsSchema.parse({ import_limit_W: 90_000 }),
    saveSettings: async (_actor, settings) => PlanSettingsSchema.parse(settings),
  };
  const gridSignals: Partial<Services['gridSignals']> = {
    active: () => [],
    minimum_W: async () => ({ minimum_W: 7560, devices: devices.map(({ id }) => id) }),
    list: async () => [],
    draws: async () => [],
    inputs: async () => GridInputsSchema.parse({ modbus: { device: 'sdm630', register: 0 } }),
    saveInputs: async (_actor, inputs) => GridInputsSchema.parse(inputs),
  };
  const month: MonthSavings = {
    ...{
      month: '2026-05',
      currency: 'EUR',
      computed_ms: clock.now(),
      actual: 2412.37,
      without: 2650.02,
      saving: 237.65,
    },
    parts: [
      {
        ...{ device: 'battery', name: 'Battery', kind: 'battery', amount: 199.7 },
        lines: [
          { kind: 'energy', name: 'Market price', amount: 120.31 },
          { kind: 'demand', name: 'Leistungspreis', amount: 47.5 },
          { kind: 'vat', name: 'VAT 19 %', amount: 31.89 },
        ],
      },
      {
        device: 'cars',
        name: 'Pool cars',
        kind: 'vehicle',
        amount: 37.95,
        lines: [{ kind: 'energy', name: 'Market price', amount: 37.95 }],
      },
    ],
    ...{ complete: true, missing_slots: 0, unproved: [], control: { plan: 231.2, shuffled: -12.4 } },
  };
  const policies = (['none', 'self-consumption', 'shaving', 'arbitrage', 'plan', 'perfect'] as const).map(
    (name, i) => ({
      ...{
        name,
        bill: 2650 - 45 * i,
        saving: 45 * i,
        low: 38 * i,
        high: 52 * i,
        capture: i / 5,
        cycles: 4.2 * i,
        peak_kW: 78 - 3 * i,
      },
    }),
  );
  const simulation: StoredSimulation = {
    asked: { from: '2026-04', to: '2026-05', capacity_kWh: 100, power_kW: 50, efficiency: 0.95 },
    ...{ id: 'one', by: 'anna', at_ms: clock.now() - 3_600_000, state: 'done', done: 6, total: 6, problem: null },
    result: { currency: 'EUR', from_ms: 0, to_ms: 0, days: 61, days_left_out: 2, policies },
  };
  const running: StoredSimulation = { ...simulation, id: 'two', state: 'running', done: 3, result: null };
  return {
    savings: { month: async () => month, ledger: async () => [month] },
    simulations: {
      ...{ begin: async () => 'two', list: async () => [running, simulation], get: async () => simulation },
      run: async () => simulation.result!,
    },
    plans: plans as Services['plans'],
    gridSignals: gridSignals as Services['gridSignals'],
    setpoints: { state: () => [], apply: async () => {} },
  };
}
