/** One site with its plans, signals and tariff on a real database, the real planner, and a clock of its own. */
import { createMemoryBus } from '../../../connectors/bus/memory.ts';
import { openHighs } from '../../../engine/dispatch/highs.ts';
import { reportPlan } from '../../../engine/dispatch/plan-report.ts';
import type { PlanInput } from '../../../engine/dispatch/site.ts';
import type { Device, MeterPoint } from '../../../engine/model/site.ts';
import { SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import type { Forecast } from '../../../engine/ports.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { createGridSignals } from '../../../gateway/services/grid-signals.ts';
import { createPlanService, type PlanDeps } from '../../../gateway/services/plans.ts';
import { createSiteService } from '../../../gateway/services/site.ts';
import { createTariffService } from '../../../gateway/services/tariffs.ts';
import type { Actor } from '../../../gateway/services.ts';
import { silent, type TestDatabase } from '../../setup/database.ts';

export const NOW = Date.parse('2026-06-15T10:03Z');
export const admin: Actor = { tenant: 'default', person: 'anna', role: 'admin', language: 'en' };
export const BATTERY = {
  ...{
    kind: 'battery',
    id: 'store',
    name: 'Battery',
    soc_meter: 'store',
    capacity_kWh: 20,
    charge_W: 10_000,
    discharge_W: 10_000,
  },
  section_14a: { kind: 'battery', power_W: 10_000 },
};
export const CAR = {
  ...{ kind: 'vehicle', id: 'car', name: 'Car', capacity_kWh: 60, charge_W: 11_000, arrival_percent: 40 },
  stays: [{ weekdays: [1, 2, 3, 4, 5, 6, 7], arrive: '09:00', depart: '17:00', goal_percent: 80 }],
  section_14a: { kind: 'charger', power_W: 11_000 },
};
export const TARIFF = `name: Two prices
currency: EUR
time_zone: Europe/Berlin
vat_percent: 19
energy:
  - name: Energy
    periods:
      - { name: night, price_per_kWh: 0.1, when: { hours: 00:00-06:00 } }
      - { name: day, price_per_kWh: 0.3 }
demand:
  - { name: Power, per: month, price_per_kW: 8 }
`;

/** Nothing is stored before `found`. */
export function setUp(test: TestDatabase) {
  let now_ms = NOW;
  const clock = { now: () => now_ms };
  const bus = createMemoryBus({ log: silent });
  const site = createSiteService({ db: test.db });
  const tariffs = createTariffService({ db: test.db, bus, log: silent, clock, site });
  const live = new Map<string, Map<string, { at_ms: number; received_ms: number; value: number; quality: number }>>();
  const measured = (meter: string, quantity: string, value: number) => {
    const values = live.get(meter) ?? new Map();
    live.set(meter, values.set(quantity, { at_ms: now_ms, received_ms: now_ms, value, quality: 0 }));
  };
  let load: Forecast | null = null;
  const forecast = () => {
    const from_ms = slotStart(now_ms);
    const points = Array.from({ length: 200 }, (_, t) => ({
      at_ms: from_ms + t * SLOT_MS,
      mean: 3000,
      quantiles: { '0.1': 2000, '0.9': 5000 },
    }));
    load = { series: 'load', unit: 'W', made_at_ms: now_ms, model: 'm', inputs_known_ms: now_ms, points };
  };
  const point = (id: string, role: MeterPoint['role']): MeterPoint => ({
    ...{
      tenant: 'default',
      id,
      site: 'works',
      name: id,
      role,
      device: null,
      channel: 'main',
      parent: null,
      virtual: null,
    },
  });
  const points = [point('grid', 'grid'), point('store', 'battery'), point('wallbox', 'load')];
  const meters: PlanDeps['meters'] = {
    list: () => points,
    get: (_tenant, id) => points.find((one) => one.id === id) ?? null,
  };
  const box = new Map<string, Device>();
  const boxDevice = (_tenant: string, id: string) => box.get(id) ?? null;
  const add = (id: string, connection: Device['connection']) =>
    box.set(id, { tenant: 'default', id, name: id, profile: null, connection, enabled: true, firmware: null });
  add('controller', { kind: 'push' });
  const queued: { tenant?: string; cause?: string }[] = [];
  const jobs: PlanDeps['jobs'] = {
    define: () => {},
    schedule: () => {},
    send: async (_queue, data) => void queued.push(data as { cause?: string }),
  };
  const empty = { at_ms: new Float64Array(), values: new Float64Array(), quality: new Int32Array() };
  const series = {
    readings: { read: async () => ({ ...empty, from_ms: null }) },
    slots: {
      read: async () => empty,
      spans: async () => [],
      totalsColumns: async () => ({ meters: [], values: empty.values, quality: empty.quality, slots: empty.quality }),
    },
  } as unknown as PlanDeps['series'];
  const signals = createGridSignals({
    ...{ db: test.db, clock, log: silent, site, live: { of: (_tenant, meter) => live.get(meter) ?? new Map() } },
    devices: (tenant) => plans.devices(tenant),
    boxDevice,
  });
  const plans: ReturnType<typeof createPlanService> = createPlanService({
    ...{
      db: test.db,
      log: silent,
      bus,
      clock,
      metrics: createMetrics({ defaults: false }),
      site,
      tariffs,
      jobs,
      series,
      signals,
    },
    meters,
    prices: { context: async () => ({ isHoliday: () => false, market: () => undefined }) },
    forecasts: {
      latest: async (_tenant, name) => (name === 'load' ? load : null),
      reason: () => 'Too little history.',
    },
    weather: { hours: async () => [] },
    data: { query: async () => ({ unit: 'kWh', columns: empty }) },
    live: { of: (_tenant, meter) => live.get(meter) ?? new Map() },
    tenants: () => ['default'],
    boxDevice,
    workers: {
      run: async <Output>(_task: string, input: unknown) => {
        const { mixed } = await openHighs();
        return structuredClone(reportPlan(input as PlanInput, mixed)) as Output;
      },
    },
  });
  return {
    ...{ boxDevice, meters, series },
    /** A device of the box. */
    add,
    /** Plans that were asked for. */
    queued,
    async found() {
      await site.start();
      // A second rig over the same database finds it there.
      if (!site.get('default'))
        await site.save(admin, {
          ...{ id: 'works', name: 'Works', place: '', latitude: null, longitude: null },
          ...{ time_zone: 'Europe/Berlin', country: 'DE', currency: 'EUR' },
          energy_price: { kind: 'fixed', per_kWh: 0.3, vat_percent: 19 },
        });
      await tariffs.start();
      if (tariffs.current('default')?.yaml !== TARIFF) await tariffs.save(admin, '1970-01-01', TARIFF);
    },
    site,
    tariffs,
    signals,
    plans,
    bus,
    clock,
    measured,
    forecast,
    live,
    pass(ms: number) {
      now_ms += ms;
    },
  };
}
