/**
 * Plans of a site: made anew every quarter of an hour and when prices, forecasts or reality move, kept, and explained.
 * Where an input is missing there is no new plan, and what is missing is said by name.
 */
import type { PlanDevice } from '../../engine/dispatch/plan-devices.ts';
import type { PlanReport } from '../../engine/dispatch/plan-report.ts';
import type { Override, PlanInput } from '../../engine/dispatch/site.ts';
import { siteInput } from '../../engine/dispatch/site-input.ts';
import { type Fault, InvalidDataError, NotFoundError, UnavailableError } from '../../engine/errors.ts';
import type { TariffVersion } from '../../engine/tariff/tariff.ts';
import type { Actor, Base, Workers } from '../services.ts';
import { writeAudit } from './audit.ts';
import type { GridSignalService } from './grid-signals.ts';
import { createTurns } from './in-turn.ts';
import { readDevices, readOverrides, readPlanSettings, type StoredOverride, storeOverride } from './plans/devices.ts';
import { type GatherDeps, gatherFacts } from './plans/gather.ts';
import { createPlanKeeper, type KeeperDeps, type PlanKeeper } from './plans/keeper.ts';
import { createRolling, type Rolling, type RollingDeps } from './plans/rolling.ts';
import { insertPlan, newestPlan, type PlanBody, type PlanCause, planBody, type StoredPlan } from './plans/stored.ts';

export interface PlanService extends PlanKeeper {
  /** The newest plan, however old it is; null where none was made yet. */
  latest(tenant: string): Promise<StoredPlan | null>;
  /** Why the last attempt gave no plan; null where it did, or none was made. */
  problem(tenant: string): PlanProblem | null;
  /** Makes and keeps a plan now. @throws InvalidDataError that names what is missing */
  refresh(tenant: string, cause: PlanCause): Promise<StoredPlan>;
  /** What the plan would be under other circumstances; nothing is kept. @throws InvalidDataError */
  whatIf(tenant: string, change: PlanChange): Promise<PlanBody>;
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
    /** What grid operators ask now. */
    signals: Pick<GridSignalService, 'reductions' | 'onChange'>;
  } & Pick<RollingDeps, 'jobs' | 'tenants'> &
  Pick<KeeperDeps, 'boxDevice'>;

const PLAN_MS = 60_000;
const LONGEST_OVERRIDE_MS = 48 * 3_600_000;

/** `start` declares the job and its schedule (before the job service starts). */
export function createPlanService(deps: PlanDeps): PlanService & Pick<Rolling, 'start' | 'stop' | 'watch'> {
  const { db, bus, clock } = deps;
  const newest = new Map<string, StoredPlan>();
  const problems = new Map<string, PlanProblem>();
  const inTurn = createTurns();

  const siteOf = (tenant: string): string => {
    const site = deps.site.get(tenant);
    if (!site) throw new InvalidDataError('There is no site yet.', 'Set the site up first.');
    return site.id;
  };

  const keeper = createPlanKeeper({ ...deps, siteOf, changed: (tenant) => rolling.soon(tenant, 'devices') });
  const devices = async (tenant: string) => (deps.site.get(tenant) ? keeper.devices(tenant) : []);

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
    const { known, settings, overrides } = await db.asTenant(tenant, async (sql) => ({
      known: await readDevices(sql, siteOf(tenant)),
      settings: await readPlanSettings(sql),
      overrides: await readOverrides(sql, siteOf(tenant), now_ms),
    }));
    if (known.length === 0)
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
        devices: scaled(known, change.battery_kWh),
      },
      reductions: deps.signals
        .reductions(tenant)
        .map((one) => ({ ...one, devices: one.devices.filter((id) => known.some((device) => device.id === id)) })),
      ...(change.tariff ? { draft: [{ valid_from: '1970-01-01', tariff: change.tariff }] } : {}),
    };
    const { facts, currency, assumptions } = await gatherFacts(deps, asked);
    const input: PlanInput = siteInput(facts);
    const report = await deps.workers.run<PlanReport>('site-plan', input, { timeout_ms: PLAN_MS });
    return planBody(report, input, { currency, devices: known, assumptions });
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
        // A solver that takes too long is said as well: the plan on the page grows old.
        if (error instanceof InvalidDataError || error instanceof UnavailableError) {
          const faults = error instanceof InvalidDataError ? error.faults : [];
          problems.set(tenant, { at_ms: clock.now(), message: error.message, remedy: error.remedy ?? null, faults });
          bus.publish({ type: 'plan', tenant });
        }
        throw error;
      }
    });

  const rolling = createRolling({
    ...{ ...deps, devices, refresh, plan: (tenant) => newest.get(tenant) },
    forget: (tenant) => newest.delete(tenant),
  });

  async function overrideCost(tenant: string, override: Override): Promise<{ cost: number; currency: string }> {
    checkOverride(override, clock.now());
    const known = await devices(tenant);
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
    ...keeper,
    devices,
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
      rolling.soon(actor.tenant, 'override');
    },
  };

  return { ...service, start: rolling.start, stop: rolling.stop, watch: rolling.watch };
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

/** @throws InvalidDataError */
function checkOverride({ from_ms, to_ms, power_W }: Override, now_ms: number): void {
  if (!(from_ms < to_ms)) throw new InvalidDataError('The end is not after the begin.', 'Swap them.');
  if (to_ms <= now_ms) throw new InvalidDataError('That time is over.', 'Choose a time to come.');
  if (to_ms - now_ms > LONGEST_OVERRIDE_MS)
    throw new InvalidDataError('A plan reaches 48 hours; this ends later.', 'Choose an earlier end.');
  if (!Number.isFinite(power_W))
    throw new InvalidDataError('The power is no number.', 'Give watts: + discharges, − charges.');
}
