/**
 * The ledger: what a month saved, on what was measured. Each device is taken out in turn, and the difference of two
 * bills is its part, so that the parts add up to the whole difference to the cent; within a part so do the bill's lines.
 */
import type { DeviceOf, PlanDevice } from '../../engine/dispatch/plan-devices.ts';
import { weeklySpans } from '../../engine/dispatch/week-times.ts';
import { batteryTakenBack, type GridCourse, shiftedGrid, takenAtOnce } from '../../engine/dispatch/without-devices.ts';
import { InvalidDataError } from '../../engine/errors.ts';
import type { MeterPoint } from '../../engine/model/site.ts';
import { addMonths, localDate, slotStart } from '../../engine/model/time.ts';
import type { Bill } from '../../engine/tariff/bill.ts';
import type { LineKind } from '../../engine/tariff/line.ts';
import { fromCents, toCents } from '../../engine/tariff/money.ts';
import type { JobService } from '../services.ts';
import type { SimulateResult, SimulateTask } from '../workers/simulate-site.ts';
import { readEnergy } from './bills/energy.ts';
import { monthStart } from './bills.ts';
import { slotColumns } from './data.ts';
import { billCourse, gatherBilling } from './plans/billing.ts';
import type { PlanService } from './plans.ts';
import { gatherCourse, type SimulationDeps } from './simulations.ts';

export type SavingLine = { kind: LineKind; name: string; amount: number };
export type SavingPart = {
  device: string;
  name: string;
  kind: PlanDevice['kind'];
  /** What was not paid thanks to it; negative: it cost. */
  amount: number;
  /** By line of the bill; they add up to `amount`. */
  lines: SavingLine[];
};
export type MonthSavings = {
  month: string;
  currency: string;
  computed_ms: number;
  /** The bill as it was, and as it would have been; the difference is `saving`. */
  actual: number;
  without: number;
  saving: number;
  parts: SavingPart[];
  /** False while the month runs or something is missing. */
  complete: boolean;
  missing_slots: number;
  /** Devices that nothing measures, whose saving cannot be proved. */
  unproved: string[];
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
    const billOne = (grid: GridCourse) => billCourse(billing, grid, deps.isHoliday)[0]!;
    const parts: SavingPart[] = [];
    const unproved: string[] = [];
    let [grid, bill] = [actual, billOne(actual)];
    const first = bill;
    for (const device of devices) {
      const change = await changeOf(tenant, device, energy.at_ms, from_ms, to_ms, site.time_zone);
      if (change === null) {
        unproved.push(device.name);
        continue;
      }
      const without = shiftedGrid(grid, change);
      const next = billOne(without);
      parts.push(partOf(device, bill, next));
      [grid, bill] = [without, next];
    }
    if (first.total === null || bill.total === null)
      throw new InvalidDataError(
        `A price of ${month} is missing, so that it has no bill.`,
        'The page Prices says how its sources do.',
      );
    const missing_slots = grid.import_kWh.reduce((count, kWh) => count + (Number.isNaN(kWh) ? 1 : 0), 0);
    const sub = (a: number, b: number) =>
      fromCents(
        toCents(a, first.currency, first.rounding) - toCents(b, first.currency, first.rounding),
        first.currency,
      );
    return {
      ...{ month, currency: first.currency, computed_ms: clock.now(), actual: first.total, without: bill.total },
      ...{ saving: sub(bill.total, first.total), parts, unproved, missing_slots },
      complete: to_ms === end_ms && missing_slots === 0,
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
    if (!point || device.kind === 'heat-pump') return null;
    const read = (quantity: string) => registerSlots(deps, tenant, point, quantity, from_ms, to_ms);
    if (device.kind === 'battery') return batteryTakenBack(await read('import_kWh'), await read('export_kWh'));
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

/** What the lines of the dearer bill have more, in whole cents. */
function partOf({ id, name, kind }: PlanDevice, bill: Bill, without: Bill): SavingPart {
  const { currency, rounding } = bill;
  const keys = new Map<string, { kind: LineKind; name: string }>();
  const sums = new Map<string, number>();
  const add = (one: Bill, sign: 1 | -1) => {
    for (const line of one.lines) {
      const key = `${line.kind} ${line.name} ${line.period ?? ''} ${line.kind === 'vat' ? line.vat_percent : ''}`;
      keys.set(key, {
        kind: line.kind,
        name:
          [line.name, line.period].filter(Boolean).join(': ') ||
          (line.kind === 'vat' ? `VAT ${line.vat_percent} %` : ''),
      });
      sums.set(key, (sums.get(key) ?? 0) + sign * toCents(line.amount ?? 0, currency, rounding));
    }
  };
  add(without, 1);
  add(bill, -1);
  const lines = [...sums]
    .filter(([, cents]) => cents !== 0)
    .map(([key, cents]) => ({ ...keys.get(key)!, amount: fromCents(cents, currency) }));
  const cents = [...sums.values()].reduce((sum, one) => sum + one, 0);
  return { device: id, name, kind, amount: fromCents(cents, currency), lines };
}
