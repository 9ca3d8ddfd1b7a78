/**
 * The ledger: what a month saved, on what was measured: the bill as it was against the bill with each device as it would
 * have run by itself (plans/ledger.ts adds up to the cent).
 */
import type { DeviceOf, PlanDevice } from '../../engine/dispatch/plan-devices.ts';
import { copOf } from '../../engine/dispatch/site-input.ts';
import { weeklySpans } from '../../engine/dispatch/week-times.ts';
import {
  batteryTakenBack,
  type GridCourse,
  type HeatCourse,
  takenAsNeeded,
  takenAtOnce,
} from '../../engine/dispatch/without-devices.ts';
import { InvalidDataError } from '../../engine/errors.ts';
import type { MeterPoint } from '../../engine/model/site.ts';
import { addMonths, HOUR_MS, localDate, localTime, slotStart } from '../../engine/model/time.ts';
import type { JobService, WeatherService } from '../services.ts';
import type { SimulateResult, SimulateTask } from '../workers/simulate-site.ts';
import { readEnergy } from './bills/energy.ts';
import { monthStart } from './bills.ts';
import { slotColumns } from './data.ts';
import { billCourse, gatherBilling } from './plans/billing.ts';
import { type DeviceChange, type Ledger, ledgerOf } from './plans/ledger.ts';
import type { PlanService } from './plans.ts';
import { gatherCourse, type SimulationDeps } from './simulations.ts';

export type MonthSavings = Ledger & {
  month: string;
  computed_ms: number;
  /** False while the month runs or something is missing. */
  complete: boolean;
  /** The same month planned again with what was forecast, and with forecasts whose times are shuffled: the latter must
   * save next to nothing. null: without a battery, or with too little data. */
  control: { plan: number; shuffled: number } | null;
};

export interface SavingsService {
  /** From the ledger where the month is settled, otherwise worked out now. @throws InvalidDataError */
  month(tenant: string, month: string): Promise<MonthSavings>;
  /** Those of the ledger, newest first. */
  ledger(tenant: string): Promise<MonthSavings[]>;
}

export type SavingsDeps = SimulationDeps & {
  devices: PlanService['devices'];
  isHoliday: Parameters<typeof billCourse>[2];
  jobs: Pick<JobService, 'define' | 'schedule'>;
  tenants: () => readonly string[];
  weather: Pick<WeatherService, 'hours'>;
};

const QUEUE = 'savings';
const CONTROL_MS = 120_000;
const SEED = 5;
/** Readings may come late for some days. */
const SETTLED_MS = 5 * 86_400_000;

/** `start` declares the nightly job, before the job service starts. */
export function createSavings(deps: SavingsDeps): SavingsService & { start(): void } {
  const { db, clock } = deps;

  async function compute(tenant: string, month: string): Promise<MonthSavings> {
    const site = deps.site.get(tenant);
    if (!site) throw new InvalidDataError('There is no site yet.', 'Set the site up first.');
    const from_ms = monthStart(month, site.time_zone);
    const end_ms = addMonths(from_ms, 1, site.time_zone);
    const to_ms = Math.min(end_ms, slotStart(clock.now()));
    if (!(from_ms < to_ms)) throw new InvalidDataError(`${month} is still to come.`, 'Ask for a month that began.');
    const devices = (await deps.devices(tenant)).toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
    const versions = deps.tariffs.versions(tenant);
    const billing = await gatherBilling(deps, tenant, versions, [from_ms, to_ms]);
    const energy = await readEnergy(deps, tenant, from_ms, to_ms, []);
    const actual: GridCourse = {
      import_kWh: energy.import_kWh,
      export_kWh: energy.export_kWh ?? energy.import_kWh.map((kWh) => kWh * 0),
    };
    const changes: DeviceChange[] = [];
    for (const device of devices)
      changes.push({ device, change: await changeOf(tenant, device, energy.at_ms, from_ms, to_ms, site.time_zone) });
    const ledger = ledgerOf(actual, changes, (grid) => billCourse(billing, grid, deps.isHoliday)[0]!);
    return {
      ...{ ...ledger, month, computed_ms: clock.now() },
      complete: to_ms === end_ms && ledger.missing_slots === 0,
      control: await controlOf(tenant, month, devices, site.time_zone),
    };
  }

  /** kWh that the building would have taken more in each slot without the device being moved; null: nothing measures it. */
  async function changeOf(
    tenant: string,
    device: PlanDevice,
    at_ms: Float64Array,
    from_ms: number,
    to_ms: number,
    zone: string,
  ) {
    const id = device.kind === 'battery' ? device.soc_meter : device.meter;
    const point = id === null ? undefined : deps.meters.get(tenant, id);
    if (!point) return null;
    const read = (quantity: string) => registerSlots(deps, tenant, point, quantity, from_ms, to_ms);
    if (device.kind === 'battery') return batteryTakenBack(await read('import_kWh'), await read('export_kWh'));
    if (device.kind === 'heat-pump') {
      const used_kWh = await read('import_kWh');
      const heat = heatOf(device, at_ms, zone, await deps.weather.hours(tenant, from_ms, to_ms));
      return heat && takenAsNeeded(used_kWh, heat, device.electric_W / 1000);
    }
    return takenAtOnce(at_ms, await read('import_kWh'), spansOf(device, from_ms, to_ms, zone), powerOf(device) / 1000);
  }

  async function controlOf(
    tenant: string,
    month: string,
    devices: readonly PlanDevice[],
    zone: string,
  ): Promise<MonthSavings['control']> {
    const batteries = devices.filter((device): device is DeviceOf<'battery'> => device.kind === 'battery');
    if (batteries.length === 0) return null;
    const asked = {
      ...{ from: month, to: month },
      capacity_kWh: batteries.reduce(
        (sum, one) => sum + (one.capacity_kWh * (one.max_percent - one.reserve_percent)) / 100,
        0,
      ),
      power_kW: batteries.reduce((sum, one) => sum + Math.min(one.charge_W, one.discharge_W) / 1000, 0),
      efficiency: Math.min(...batteries.map((one) => Math.min(one.charge_efficiency, one.discharge_efficiency))),
    };
    try {
      const { course, billing } = await gatherCourse(deps, tenant, asked, zone);
      const task: SimulateTask = { course, names: ['none', 'plan', 'shuffled'], seed: SEED, billing };
      const { policies } = await deps.workers.run<SimulateResult>('simulate-site', task, { timeout_ms: CONTROL_MS });
      const [none, plan, shuffled] = policies.map(({ bill }) => bill);
      if (none == null || plan == null || shuffled == null) return null;
      const cents = (amount: number) => Math.round(amount * 100) / 100;
      return { plan: cents(none - plan), shuffled: cents(none - shuffled) };
    } catch (error) {
      if (error instanceof InvalidDataError) return null;
      throw error;
    }
  }

  async function computeAndKeep(tenant: string, month: string): Promise<MonthSavings> {
    const found = await compute(tenant, month);
    await db.asTenant(tenant, (sql) =>
      sql(
        `insert into savings_month (tenant_id, site_id, month, computed_at, body) values ($1, $2, $3, to_timestamp($4 / 1000.0), $5)
         on conflict (tenant_id, site_id, month) do update set computed_at = excluded.computed_at, body = excluded.body`,
        [tenant, deps.site.get(tenant)!.id, month, found.computed_ms, JSON.stringify(found)],
      ),
    );
    return found;
  }

  const ledger = (tenant: string) =>
    db.asTenant(tenant, async (sql) =>
      (await sql<{ body: MonthSavings }>('select body from savings_month order by month desc limit 60')).map(
        ({ body }) => body,
      ),
    );

  return {
    ledger,
    async month(tenant, month) {
      const zone = deps.site.get(tenant)?.time_zone ?? 'UTC';
      const end_ms = addMonths(monthStart(month, zone), 1, zone);
      const kept = (await ledger(tenant)).find((one) => one.month === month);
      return kept?.complete && kept.computed_ms > end_ms + SETTLED_MS ? kept : computeAndKeep(tenant, month);
    },
    start() {
      deps.jobs.define(
        QUEUE,
        async () => {
          for (const tenant of deps.tenants()) {
            if ((await deps.devices(tenant)).length === 0) continue;
            const zone = deps.site.get(tenant)?.time_zone ?? 'UTC';
            for (const back of [-1, 0]) {
              const month = localDate(addMonths(clock.now(), back, zone), zone).slice(0, 7);
              await computeAndKeep(tenant, month).catch((error: unknown) => {
                if (!(error instanceof InvalidDataError)) throw error;
                deps.log.debug({ tenant_id: tenant, month, reason: error.message }, 'no savings of this month');
              });
            }
          }
        },
        { retries: 1, timeout_s: 900 },
      );
      deps.jobs.schedule(QUEUE, { cron: '40 3 * * *' }, {});
    },
  };
}

/** Need of heat and efficiency by the weather that was measured; null where none of it is known. */
function heatOf(
  device: DeviceOf<'heat-pump'>,
  at_ms: Float64Array,
  zone: string,
  hours: Awaited<ReturnType<SavingsDeps['weather']['hours']>>,
): HeatCourse | null {
  const outside = new Map(hours.map((hour) => [hour.at_ms, hour.temperature_C ?? Number.NaN]));
  const outside_C = at_ms.map((at) => outside.get(Math.floor(at / HOUR_MS) * HOUR_MS) ?? Number.NaN);
  if (outside_C.every(Number.isNaN)) return null;
  return {
    day: Int32Array.from(at_ms, (at) => dayNumber(at, zone)),
    demand: outside_C.map((now_C) => device.heat_loss_W_per_K * Math.max(0, device.heating_below_C - now_C)),
    cop: outside_C.map((now_C) => copOf(device, now_C)),
  };
}

function dayNumber(at_ms: number, zone: string): number {
  const { year, month, day } = localTime(at_ms, zone);
  return Date.UTC(year, month - 1, day) / (24 * HOUR_MS);
}

const ORDER: readonly PlanDevice['kind'][] = ['battery', 'vehicle', 'load', 'heat-pump'];

async function registerSlots(
  deps: SavingsDeps,
  tenant: string,
  point: MeterPoint,
  quantity: string,
  from_ms: number,
  to_ms: number,
) {
  return (await slotColumns(deps, tenant, point, quantity, from_ms, to_ms)).values;
}

function spansOf(device: DeviceOf<'vehicle'> | DeviceOf<'load'>, from_ms: number, to_ms: number, zone: string) {
  if (device.kind === 'load') return weeklySpans(device.windows, (rule) => rule, from_ms, to_ms, zone);
  const times = (rule: DeviceOf<'vehicle'>['stays'][number]) => ({
    weekdays: rule.weekdays,
    from: rule.arrive,
    to: rule.depart,
  });
  return weeklySpans(device.stays, times, from_ms, to_ms, zone);
}

const powerOf = (device: DeviceOf<'vehicle'> | DeviceOf<'load'>) =>
  device.kind === 'load' ? device.power_W : device.charge_W;
