/**
 * Plans of a site: made anew every quarter of an hour and when prices, forecasts or reality move, kept, and explained.
 * Where an input is missing there is no new plan, and what is missing is said by name.
 */
import {
  type PlanDevice,
  PlanDeviceSchema,
  type PlanSettings,
  PlanSettingsSchema,
} from '../../engine/dispatch/plan-devices.ts';
import type { PlanReport } from '../../engine/dispatch/plan-report.ts';
import type { Override, PlanInput } from '../../engine/dispatch/site.ts';
import { siteInput } from '../../engine/dispatch/site-input.ts';
import { type Fault, InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import { SLOT_MS, slotStart } from '../../engine/model/time.ts';
import type { TariffVersion } from '../../engine/tariff/tariff.ts';
import type { Actor, Base, JobService, Workers } from '../services.ts';
import { writeAudit } from './audit.ts';
import type { GridSignalService } from './grid-signals.ts';
import { createTurns } from './in-turn.ts';
import {
  dropDevice,
  parseWith,
  readDevices,
  readOverrides,
  readPlanSettings,
  type StoredOverride,
  storeDevice,
  storeOverride,
  storePlanSettings,
} from './plans/devices.ts';
import { type GatherDeps, gatherFacts, socOf } from './plans/gather.ts';
import {
  insertPlan,
  newestPlan,
  type PlanBody,
  type PlanCause,
  planBody,
  type StoredPlan,
  slotIndex,
} from './plans/stored.ts';

export interface PlanService {
  /** The newest plan, however old it is; null where none was made yet. */
  latest(tenant: string): Promise<StoredPlan | null>;
  /** Why the last attempt gave no plan; null where it did, or none was made. */
  problem(tenant: string): PlanProblem | null;
  /** Makes and keeps a plan now. @throws InvalidDataError that names what is missing */
  refresh(tenant: string, cause: PlanCause): Promise<StoredPlan>;
  /** What the plan would be under other circumstances; nothing is kept. @throws InvalidDataError */
  whatIf(tenant: string, change: PlanChange): Promise<PlanBody>;
  devices(tenant: string): Promise<PlanDevice[]>;
  /** @throws InvalidDataError with every fault */
  saveDevice(actor: Actor, device: unknown): Promise<PlanDevice>;
  removeDevice(actor: Actor, id: string): Promise<void>;
  settings(tenant: string): Promise<PlanSettings>;
  saveSettings(actor: Actor, settings: unknown): Promise<PlanSettings>;
  /** Those that are not over. */
  overrides(tenant: string): Promise<StoredOverride[]>;
  /** What it would cost more than the plan does, without setting it. */
  overrideCost(tenant: string, override: Override): Promise<{ cost: number; currency: string }>;
  override(actor: Actor, override: Override): Promise<StoredOverride>;
  liftOverride(actor: Actor, id: string): Promise<void>;
}

export type PlanProblem = { at_ms: number; message: string; remedy: string | null; faults: readonly Fault[] };
export type PlanChange = {
  /** All batteries together as large as this, in power likewise; 0: none. */
  battery_kWh?: number;
  /** In place of the site's. */
  tariff?: TariffVersion['tariff'];
};

export type PlanDeps = Pick<Base, 'db' | 'log' | 'bus' | 'metrics'> &
  GatherDeps & {
    workers: Pick<Workers, 'run'>;
    jobs: Pick<JobService, 'define' | 'send' | 'schedule'>;
    /** What grid operators ask now. */
    signals: Pick<GridSignalService, 'reductions' | 'onChange'>;
    tenants: () => readonly string[];
  };

const QUEUE = 'plan';
const PLAN_MS = 60_000;
/** News settle before a plan is made for them. */
const SETTLE_MS = 2500;
const WATCH_MS = 60_000;
/** Reality makes a new plan at most this often. */
const REALITY_MS = 5 * 60_000;
const OFF_PERCENT = 5;
const LONGEST_OVERRIDE_MS = 48 * 3_600_000;

/** `start` declares the job and its schedule (before the job service starts). */
export function createPlanService(deps: PlanDeps): PlanService & { start(): void; stop(): void } {
  const { db, log, bus, clock } = deps;
  const newest = new Map<string, StoredPlan>();
  const problems = new Map<string, PlanProblem>();
  const waiting = new Map<string, NodeJS.Timeout>();
  const reality_ms = new Map<string, number>();
  const inTurn = createTurns();
  let endings: (() => void)[] = [];

  const siteOf = (tenant: string): string => {
    const site = deps.site.get(tenant);
    if (!site) throw new InvalidDataError('There is no site yet.', 'Set the site up first.');
    return site.id;
  };

  async function latest(tenant: string): Promise<StoredPlan | null> {
    if (!deps.site.get(tenant)) return null;
    const known = newest.get(tenant);
    if (known) return known;
    const stored = await db.asTenant(tenant, (sql) => newestPlan(sql, siteOf(tenant)));
    if (stored) newest.set(tenant, stored);
    return stored;
  }

  type Change = PlanChange & { overrides?: readonly Override[] };
  async function compute(tenant: string, change: Change = {}): Promise<PlanBody> {
    const now_ms = clock.now();
    const { devices, settings, overrides } = await db.asTenant(tenant, async (sql) => ({
      devices: await readDevices(sql, siteOf(tenant)),
      settings: await readPlanSettings(sql),
      overrides: await readOverrides(sql, siteOf(tenant), now_ms),
    }));
    if (devices.length === 0)
      throw new InvalidDataError(
        'The plan has no device that it could move.',
        'An admin adds batteries, cars, heat pumps or loads on the page Plan.',
        [{ where: 'devices', problem: 'there is none' }],
      );
    const set =
      change.overrides ?? overrides.map(({ device, from_ms, to_ms, power_W }) => ({ device, from_ms, to_ms, power_W }));
    const asked = {
      ...{
        tenant,
        settings,
        overrides: set,
        before: await latest(tenant),
        devices: scaled(devices, change.battery_kWh),
      },
      reductions: deps.signals
        .reductions(tenant)
        .map((one) => ({ ...one, devices: one.devices.filter((id) => devices.some((device) => device.id === id)) })),
      ...(change.tariff ? { draft: [{ valid_from: '1970-01-01', tariff: change.tariff }] } : {}),
    };
    const { facts, currency, assumptions } = await gatherFacts(deps, asked);
    const input: PlanInput = siteInput(facts);
    const report = await deps.workers.run<PlanReport>('site-plan', input, { timeout_ms: PLAN_MS });
    return planBody(report, input, { currency, devices, assumptions });
  }

  const refresh = (tenant: string, cause: PlanCause) =>
    inTurn(tenant, async () => {
      try {
        const body = await compute(tenant);
        const made_ms = clock.now();
        const id = await db.asTenant(tenant, (sql) => insertPlan(sql, tenant, siteOf(tenant), made_ms, cause, body));
        const plan = { ...body, id, made_ms, cause };
        newest.set(tenant, plan);
        problems.delete(tenant);
        bus.publish({ type: 'plan', tenant });
        return plan;
      } catch (error) {
        if (error instanceof InvalidDataError) {
          const { message, remedy = null, faults } = error;
          problems.set(tenant, { at_ms: clock.now(), message, remedy, faults });
          bus.publish({ type: 'plan', tenant });
        }
        throw error;
      }
    });

  function soon(tenant: string, cause: PlanCause): void {
    if (waiting.has(tenant)) return;
    const timer = setTimeout(() => {
      waiting.delete(tenant);
      deps.jobs
        .send(QUEUE, { tenant, cause }, { dedupe: `plan ${tenant}` })
        .catch((error: unknown) => log.warn({ err: error, tenant_id: tenant }, 'a plan was not queued'));
    }, SETTLE_MS);
    waiting.set(tenant, timer.unref());
  }

  /** A battery that is not where the plan has it: something else moves it, or the building needs more than was thought. */
  async function watch(): Promise<void> {
    for (const tenant of deps.tenants()) {
      const plan = newest.get(tenant);
      if (!plan || clock.now() - (reality_ms.get(tenant) ?? 0) < REALITY_MS) continue;
      const devices = await db.asTenant(tenant, (sql) => readDevices(sql, siteOf(tenant)));
      if (!devices.some((device) => isOff(deps, tenant, device, plan, clock.now()))) continue;
      reality_ms.set(tenant, clock.now());
      soon(tenant, 'reality');
    }
  }

  async function changed(actor: Actor, cause: PlanCause): Promise<void> {
    soon(actor.tenant, cause);
  }

  async function overrideCost(tenant: string, override: Override): Promise<{ cost: number; currency: string }> {
    checkOverride(override, clock.now());
    const known = await service.devices(tenant);
    if (!known.some(({ id }) => id === override.device))
      throw new NotFoundError(
        `There is no device "${override.device}" in the plan.`,
        'GET /api/v1/plan/devices lists them.',
      );
    const others = (await service.overrides(tenant)).filter(
      ({ device, from_ms, to_ms }) =>
        device !== override.device || to_ms <= override.from_ms || from_ms >= override.to_ms,
    );
    const [free, bound] = [
      await compute(tenant, { overrides: others }),
      await compute(tenant, { overrides: [...others, override] }),
    ];
    return { cost: bound.cost.total - free.cost.total, currency: free.currency };
  }

  const service: PlanService = {
    latest,
    refresh,
    problem: (tenant) => problems.get(tenant) ?? null,
    whatIf: (tenant, change) => compute(tenant, change),
    devices: async (tenant) =>
      deps.site.get(tenant) ? db.asTenant(tenant, (sql) => readDevices(sql, siteOf(tenant))) : [],
    async saveDevice(actor, value) {
      const device = parseWith(PlanDeviceSchema, value, 'The device');
      if (device.kind === 'battery' && !deps.meters.get(actor.tenant, device.soc_meter))
        throw new InvalidDataError(
          `There is no meter point "${device.soc_meter}".`,
          'Name the one that shows its state of charge.',
          [{ where: 'soc_meter', problem: 'there is no such meter point' }],
        );
      await db.asTenant(actor.tenant, async (sql) => {
        const former = await storeDevice(sql, actor, siteOf(actor.tenant), device, clock.now());
        const writes = device.control.way !== 'none' && device.control.writing;
        await writeAudit(sql, actor, former ? 'change plan device' : 'add plan device', device.id, {
          ...{ settings: device, writing: writes },
        });
      });
      await changed(actor, 'devices');
      return device;
    },
    async removeDevice(actor, id) {
      await db.asTenant(actor.tenant, async (sql) => {
        await dropDevice(sql, siteOf(actor.tenant), id);
        await writeAudit(sql, actor, 'remove plan device', id);
      });
      await changed(actor, 'devices');
    },
    settings: (tenant) => db.asTenant(tenant, readPlanSettings),
    async saveSettings(actor, value) {
      const settings = parseWith(PlanSettingsSchema, value, 'The settings of the plan');
      await db.asTenant(actor.tenant, async (sql) => {
        await storePlanSettings(sql, actor.tenant, settings);
        await writeAudit(sql, actor, 'change plan settings', siteOf(actor.tenant), settings);
      });
      await changed(actor, 'devices');
      return settings;
    },
    overrides: async (tenant) =>
      deps.site.get(tenant) ? db.asTenant(tenant, (sql) => readOverrides(sql, siteOf(tenant), clock.now())) : [],
    overrideCost,
    async override(actor, override) {
      const { cost } = await overrideCost(actor.tenant, override);
      const row = { ...override, cost };
      const id = await db.asTenant(actor.tenant, async (sql) => {
        await sql(
          `delete from plan_override where site_id = $1 and device_id = $2
             and from_at < to_timestamp($4 / 1000.0) and to_at > to_timestamp($3 / 1000.0)`,
          [siteOf(actor.tenant), override.device, override.from_ms, override.to_ms],
        );
        const stored = await storeOverride(sql, actor, siteOf(actor.tenant), row, clock.now());
        await writeAudit(sql, actor, 'override plan', override.device, row);
        return stored;
      });
      await refresh(actor.tenant, 'override');
      return { ...row, id, by: actor.person };
    },
    async liftOverride(actor, id) {
      await db.asTenant(actor.tenant, async (sql) => {
        const gone = await sql<{ device_id: string }>(
          'delete from plan_override where id::text = $1 returning device_id',
          [id],
        );
        if (!gone[0]) throw new NotFoundError('There is no such override.', 'It may be over already.');
        await writeAudit(sql, actor, 'lift override', gone[0].device_id);
      });
      await changed(actor, 'override');
    },
  };

  return {
    ...service,
    start() {
      deps.jobs.define<{ tenant?: string; cause?: PlanCause }>(
        QUEUE,
        async ({ tenant, cause }) => {
          for (const one of tenant === undefined ? deps.tenants() : [tenant]) {
            if ((await service.devices(one)).length === 0) continue;
            await refresh(one, cause ?? 'schedule').catch((error: unknown) => {
              // What is missing comes with news of its own; trying again gives the same.
              if (!(error instanceof InvalidDataError)) throw error;
              log.debug({ tenant_id: one, reason: error.message }, 'no plan');
            });
          }
        },
        { retries: 1 },
      );
      // A little after the forecasts of the slot, which come a minute into it.
      deps.jobs.schedule(QUEUE, { cron: '2,17,32,47 * * * *' }, {});
      const timer = setInterval(() => {
        watch().catch((error: unknown) => log.warn({ err: error }, 'plans could not be held against reality'));
      }, WATCH_MS).unref();
      endings = [
        () => clearInterval(timer),
        deps.signals.onChange((tenant) => soon(tenant, 'signal')),
        bus.subscribe((event) => {
          if (event.type === 'prices') for (const tenant of deps.tenants()) soon(tenant, 'prices');
          else if (event.type === 'forecast') soon(event.tenant, 'forecast');
          else if (event.type === 'tariff') {
            newest.delete(event.tenant);
            soon(event.tenant, 'tariff');
          }
        }),
      ];
    },
    stop() {
      for (const end of endings.splice(0)) end();
      for (const timer of waiting.values()) clearTimeout(timer);
      waiting.clear();
    },
  };
}

/** All batteries in the same proportion, so that they are `battery_kWh` together. */
function scaled(devices: readonly PlanDevice[], battery_kWh: number | undefined): PlanDevice[] {
  if (battery_kWh === undefined) return [...devices];
  const all = devices.reduce((sum, device) => sum + (device.kind === 'battery' ? device.capacity_kWh : 0), 0);
  return devices.flatMap((device): PlanDevice[] => {
    if (device.kind !== 'battery') return [device];
    const factor = battery_kWh / all;
    if (!(factor > 0)) return [];
    const { capacity_kWh, charge_W, discharge_W } = device;
    return [
      {
        ...device,
        capacity_kWh: capacity_kWh * factor,
        charge_W: charge_W * factor,
        discharge_W: discharge_W * factor,
      },
    ];
  });
}

function isOff(deps: GatherDeps, tenant: string, device: PlanDevice, plan: StoredPlan, now_ms: number): boolean {
  if (device.kind !== 'battery') return false;
  const planned = plan.devices.find(({ id }) => id === device.id);
  const measured = socOf(deps, tenant, device.soc_meter, now_ms);
  const t = slotIndex(plan, now_ms);
  if (!planned || measured === null || t < 1) return false;
  const share = (now_ms - slotStart(now_ms)) / SLOT_MS;
  const energy = planned.energy_kWh[t - 1]! * (1 - share) + planned.energy_kWh[t]! * share;
  return Math.abs((100 * energy) / device.capacity_kWh - measured) > OFF_PERCENT;
}

/** @throws InvalidDataError */
function checkOverride({ from_ms, to_ms, power_W }: Override, now_ms: number): void {
  if (!(from_ms < to_ms)) throw new InvalidDataError('The end is not after the begin.', 'Swap them.');
  if (to_ms <= now_ms) throw new InvalidDataError('That time is over.', 'Choose a time to come.');
  if (to_ms - now_ms > LONGEST_OVERRIDE_MS)
    throw new InvalidDataError('A plan reaches 48 hours; this ends later.', 'Choose an earlier end.');
  if (!Number.isFinite(power_W))
    throw new InvalidDataError('The power is no number.', 'Give watts: + discharges, − charges.');
}
