/** When it is worked out who is to be told: each few seconds, and at once after an alert; one round a tenant at a time. */
import type { Base, JobService, SiteService } from '../../services.ts';
import { dueMessages, forgetOld, planRound } from './outbox.ts';
import type { NotifySettings } from './settings.ts';

type Deps = Pick<Base, 'db' | 'clock' | 'log' | 'bus'> & {
  site: Pick<SiteService, 'get' | 'tenants'>;
  jobs: Pick<JobService, 'send'>;
  settings: () => NotifySettings;
  /** Takes `{ tenant, message }`. */
  queue: string;
  every_ms: number;
};
export type Rounds = {
  soon(tenant: string): void;
  /** Something was delivered or refused: the next round looks again. */
  changed(tenant: string): void;
  start(): void;
  stop(): void;
};

const AFTER_ALERT_MS = 300;
const FORGET_EVERY_MS = 24 * 3_600_000;
/** So often it is looked although nothing is known to be due: for repetitions, and windows that become shorter. */
const LOOK_AGAIN_MS = 60_000;

export function createRounds(deps: Deps): Rounds {
  const { log, bus, site, every_ms } = deps;
  const { round, changed } = createRound(deps);
  const running = new Map<string, Promise<void>>();
  /** Rounds that an alert asked for; more alerts in the same moment ask for the same round. */
  const asked = new Map<string, NodeJS.Timeout>();
  let timer: NodeJS.Timeout | null = null;
  let stopListening: (() => void) | null = null;

  /** One that fails is made up for by the next. */
  function run(tenant: string): void {
    if (running.has(tenant)) return;
    const started = round(tenant)
      .catch((error: unknown) =>
        log.warn({ err: error, tenant_id: tenant }, 'who is to be told could not be worked out'),
      )
      .finally(() => running.delete(tenant));
    running.set(tenant, started);
  }
  function soon(tenant: string): void {
    changed(tenant);
    if (stopListening === null || asked.has(tenant)) return;
    const begin = () => {
      asked.delete(tenant);
      // A round that runs already may have read before the alert.
      void (running.get(tenant) ?? Promise.resolve()).then(() => run(tenant));
    };
    asked.set(tenant, setTimeout(begin, AFTER_ALERT_MS));
  }
  return {
    soon,
    changed,
    start() {
      stopListening = bus.subscribe((event) => {
        if (event.type === 'alert') soon(event.tenant);
      });
      const all = () => site.tenants().forEach(run);
      timer = setInterval(all, every_ms);
      all();
    },
    stop() {
      stopListening?.();
      stopListening = null;
      if (timer) clearInterval(timer);
      for (const one of asked.values()) clearTimeout(one);
      asked.clear();
    },
  };
}

type Known = { planned_ms: number; next_ms: number; time_zone: string };

/**
 * Plans, writes, and hands what is due to the job queue: also what an earlier life of the process left waiting. It plans
 * when something changed or the last plan said that it is time, or when the clock was set back behind it.
 */
function createRound({ db, clock, site, jobs, settings, queue }: Deps) {
  const forgotten = new Map<string, number>();
  const known = new Map<string, Known>();

  async function plan(tenant: string, now_ms: number, time_zone: string): Promise<void> {
    // What changes while this reads asks for another look.
    const look: Known = { planned_ms: now_ms, next_ms: now_ms + LOOK_AGAIN_MS, time_zone };
    known.set(tenant, look);
    try {
      const [channels, recipients, rules] = await Promise.all([
        settings().channels(tenant),
        settings().recipients(tenant),
        settings().rules(tenant),
      ]);
      const { made, next_ms } = await db.asTenant(tenant, (sql) =>
        planRound(sql, { tenant, now_ms, time_zone, rules, channels, recipients }),
      );
      // Who was told just now may be the beginning of the next step.
      look.next_ms = made > 0 ? now_ms : Math.min(look.next_ms, next_ms);
    } catch (error) {
      known.delete(tenant);
      throw error;
    }
  }

  async function round(tenant: string): Promise<void> {
    const now_ms = clock.now();
    const time_zone = site.get(tenant)?.time_zone ?? 'UTC';
    const last = known.get(tenant);
    const rests = last && last.time_zone === time_zone && now_ms >= last.planned_ms && now_ms < last.next_ms;
    if (!rests) await plan(tenant, now_ms, time_zone);
    const due = await db.asTenant(tenant, (sql) => dueMessages(sql, now_ms));
    for (const message of due) await jobs.send(queue, { tenant, message }, { dedupe: message });
    if (now_ms - (forgotten.get(tenant) ?? Number.NEGATIVE_INFINITY) < FORGET_EVERY_MS) return;
    await db.asTenant(tenant, (sql) => forgetOld(sql, now_ms));
    forgotten.set(tenant, now_ms);
  }
  return { round, changed: (tenant: string) => void known.delete(tenant) };
}
