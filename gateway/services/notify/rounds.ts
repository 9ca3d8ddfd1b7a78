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
export type Rounds = { soon(tenant: string): void; start(): void; stop(): void };

const AFTER_ALERT_MS = 300;
const FORGET_EVERY_MS = 24 * 3_600_000;

export function createRounds(deps: Deps): Rounds {
  const { log, bus, site, every_ms } = deps;
  const round = createRound(deps);
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

/** Plans, writes, and hands what is due to the job queue: also what an earlier life of the process left waiting. */
function createRound({ db, clock, site, jobs, settings, queue }: Deps): (tenant: string) => Promise<void> {
  const forgotten = new Map<string, number>();
  return async (tenant) => {
    const now_ms = clock.now();
    const [channels, recipients, rules] = await Promise.all([
      settings().channels(tenant),
      settings().recipients(tenant),
      settings().rules(tenant),
    ]);
    const time_zone = site.get(tenant)?.time_zone ?? 'UTC';
    const due = await db.asTenant(tenant, async (sql) => {
      await planRound(sql, { tenant, now_ms, time_zone, rules, channels, recipients });
      return dueMessages(sql, now_ms);
    });
    for (const message of due) await jobs.send(queue, { tenant, message }, { dedupe: message });
    if (now_ms - (forgotten.get(tenant) ?? Number.NEGATIVE_INFINITY) < FORGET_EVERY_MS) return;
    await db.asTenant(tenant, (sql) => forgetOld(sql, now_ms));
    forgotten.set(tenant, now_ms);
  };
}
