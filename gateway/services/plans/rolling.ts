/** When a plan is made anew: each quarter of an hour, with news, and when reality is not where the plan has it. */
import type { PlanDevice } from '../../../engine/dispatch/plan-devices.ts';
import { InvalidDataError } from '../../../engine/errors.ts';
import { SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import type { Base, JobService, LiveValues, MeterService } from '../../services.ts';
import type { GridSignalService } from '../grid-signals.ts';
import { liveLoad } from './course.ts';
import { socOf } from './gather.ts';
import { type PlanCause, type StoredPlan, slotIndex } from './stored.ts';

export type RollingDeps = Pick<Base, 'log' | 'bus' | 'clock'> & {
  jobs: Pick<JobService, 'define' | 'send' | 'schedule'>;
  signals: Pick<GridSignalService, 'onChange'>;
  meters: Pick<MeterService, 'list'>;
  live: Pick<LiveValues, 'of'>;
  tenants: () => readonly string[];
  devices: (tenant: string) => Promise<PlanDevice[]>;
  /** The newest plan in memory. */
  plan: (tenant: string) => StoredPlan | undefined;
  refresh: (tenant: string, cause: PlanCause) => Promise<unknown>;
  /** The tariff changed: what is in memory may be another site's. */
  forget: (tenant: string) => void;
};

const QUEUE = 'plan';
/** News settle before a plan is made for them. */
const SETTLE_MS = 2500;
const WATCH_MS = 60_000;
/** Reality makes a new plan at most this often. */
const REALITY_MS = 5 * 60_000;
const OFF_PERCENT = 5;
/** What the building takes is off by more than this share of the plan's largest load, and not by a trifle. */
const OFF_SHARE = 0.25;
const OFF_LEAST_W = 1000;

export type Rolling = {
  /** Declares the job and its schedule (before the job service starts), and listens to news. */
  start(): void;
  stop(): void;
  /** A plan for this news, once the news have settled. */
  soon(tenant: string, cause: PlanCause): void;
  /** Holds the plans against what is measured. */
  watch(): Promise<void>;
};

export function createRolling(deps: RollingDeps): Rolling {
  const { log, bus, clock } = deps;
  const waiting = new Map<string, NodeJS.Timeout>();
  const reality_ms = new Map<string, number>();
  let endings: (() => void)[] = [];

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

  async function watch(): Promise<void> {
    for (const tenant of deps.tenants()) {
      const plan = deps.plan(tenant);
      if (!plan || clock.now() - (reality_ms.get(tenant) ?? 0) < REALITY_MS) continue;
      const devices = await deps.devices(tenant);
      if (!isOff(deps, tenant, devices, plan, clock.now())) continue;
      reality_ms.set(tenant, clock.now());
      soon(tenant, 'reality');
    }
  }

  async function run({ tenant, cause }: { tenant?: string; cause?: PlanCause }): Promise<void> {
    for (const one of tenant === undefined ? deps.tenants() : [tenant]) {
      if ((await deps.devices(one)).length === 0) continue;
      await deps.refresh(one, cause ?? 'schedule').catch((error: unknown) => {
        // What is missing comes with news of its own; trying again gives the same.
        if (!(error instanceof InvalidDataError)) throw error;
        log.debug({ tenant_id: one, reason: error.message }, 'no plan');
      });
    }
  }

  return {
    soon,
    watch,
    start() {
      deps.jobs.define<{ tenant?: string; cause?: PlanCause }>(QUEUE, run, { retries: 1 });
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
            deps.forget(event.tenant);
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

/** Something else moves a store, or the building needs more or less than was thought. */
function isOff(
  deps: Pick<RollingDeps, 'live' | 'meters'>,
  tenant: string,
  devices: readonly PlanDevice[],
  plan: StoredPlan,
  now_ms: number,
): boolean {
  const t = slotIndex(plan, now_ms);
  if (t < 0) return false;
  if (devices.some((device) => storeIsOff(deps, tenant, device, plan, t, now_ms))) return true;
  const net_W = liveLoad(deps, tenant, now_ms, devices);
  if (net_W === null) return false;
  const off_W = Math.abs(net_W - (plan.load_W[t]! - plan.generation_W[t]!));
  return off_W > Math.max(OFF_LEAST_W, OFF_SHARE * Math.max(...plan.load_W));
}

function storeIsOff(
  deps: Pick<RollingDeps, 'live'>,
  tenant: string,
  device: PlanDevice,
  plan: StoredPlan,
  t: number,
  now_ms: number,
): boolean {
  if (device.kind !== 'battery' || t < 1) return false;
  const planned = plan.devices.find(({ id }) => id === device.id);
  const measured = socOf(deps, tenant, device.soc_meter, now_ms);
  if (!planned || measured === null) return false;
  const share = (now_ms - slotStart(now_ms)) / SLOT_MS;
  const energy = planned.energy_kWh[t - 1]! * (1 - share) + planned.energy_kWh[t]! * share;
  return Math.abs((100 * energy) / device.capacity_kWh - measured) > OFF_PERCENT;
}
