/** Background work on pg-boss: retried with backoff and jitter, kept over restarts, dead letters when all retries failed. */
import { PgBoss, type Queue } from 'pg-boss';
import { UnavailableError } from '../../engine/errors.ts';
import { sha256 } from '../auth/secrets.ts';
import type { Base } from '../services.ts';

export interface JobService {
  /** Declares what a queue does; call before `start`. A handler that throws is retried with backoff and jitter. */
  define<Payload extends object>(
    name: string,
    handler: (payload: Payload, signal: AbortSignal) => Promise<void>,
    options?: JobOptions,
  ): void;
  send(name: string, payload: object, options?: { dedupe?: string; delay_s?: number }): Promise<void>;
  /** Runs `name` on a cron line (UTC) or every so many seconds. */
  schedule(name: string, every: { cron: string } | { seconds: number }, payload: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  depth(): Promise<readonly { name: string; waiting: number; active: number; failed: number }[]>;
}

export type JobOptions = { retries?: number; timeout_s?: number; concurrency?: number };

/** Copies of jobs that failed for good; kept 30 days to look at. */
export const DEAD_LETTER = 'dead-letter';
const RETRIES = 3;
const RETRY_DELAY_S = 5;
const RETRY_LONGEST_S = 600;
const TIMEOUT_S = 300;
/** A job whose worker was killed is taken up again when this long without a sign of life. */
const HEARTBEAT_S = 30;
/** New jobs wake their workers; asking is for retries and delayed ones. */
const ASK_EVERY_S = 10;
const STOP_MS = 1500;
const COMPLAIN_EVERY_MS = 30_000;
const RESCUE_EVERY_MS = 60_000;

type Handler = (payload: object, signal: AbortSignal) => Promise<void>;
type Definition = { handler: Handler; options: JobOptions };
type Every = { cron: string } | { seconds: number };
type Planned = { name: string; every: Every; payload: object; key: string };
/** What pg-boss and `pg` take alike, as connectors/database gives it. */
export type JobConnection = {
  connectionString?: string;
  host?: string;
  port?: number;
  user?: string;
  database?: string;
};

export type JobDeps = Pick<Base, 'db' | 'log' | 'metrics' | 'clock'> & {
  connection: JobConnection;
  /** Tests wait shorter. */
  pace?: { retry_delay_s?: number; ask_every_s?: number };
};

export function createJobService({ db, log, metrics, clock, connection, pace = {} }: JobDeps): JobService {
  const definitions = new Map<string, Definition>();
  const planned: Planned[] = [];
  const timers: NodeJS.Timeout[] = [];
  let stopping = new AbortController();
  let boss: PgBoss | null = null;

  const send: JobService['send'] = async (name, payload, { dedupe, delay_s } = {}) => {
    if (!definitions.has(name)) throw new Error(`there is no queue ${name}`);
    if (!boss) throw new UnavailableError('Background work is not running.', 'Try again when the box has started.');
    // Queues hold one waiting job per key; a job without one gets its own.
    const singletonKey = dedupe ?? crypto.randomUUID();
    await boss.send(name, payload, { singletonKey, ...(delay_s ? { startAfter: Math.ceil(delay_s) } : {}) });
  };

  async function run(name: string, { handler }: Definition, payload: object, signal: AbortSignal): Promise<void> {
    const end = metrics.job_s.startTimer({ queue: name });
    try {
      await handler(payload, AbortSignal.any([signal, stopping.signal]));
      end({ outcome: 'done' });
    } catch (error) {
      end({ outcome: stopping.signal.aborted ? 'stopped' : 'failed' });
      if (!stopping.signal.aborted) log.warn({ err: error, queue: name }, 'a job failed');
      throw error;
    }
  }

  async function work(running: PgBoss, name: string, definition: Definition): Promise<void> {
    const queue = queueOf(definition.options, pace.retry_delay_s ?? RETRY_DELAY_S);
    await running.createQueue(name, { ...queue, policy: 'short' });
    await running.updateQueue(name, queue);
    const ask_s = pace.ask_every_s ?? ASK_EVERY_S;
    const options = {
      localConcurrency: definition.options.concurrency ?? 1,
      pollingIntervalSeconds: Math.min(2, ask_s),
      notifyPollingIntervalSeconds: ask_s,
    };
    await running.work<object>(name, options, async ([job]) => {
      if (job) await run(name, definition, job.data, job.signal);
    });
  }

  function plan(running: PgBoss, { name, every, payload, key }: Planned): void {
    if ('cron' in every) {
      running
        .schedule(name, every.cron, payload, { tz: 'UTC', key, singletonKey: key })
        .catch((error: Error) => log.error({ err: error, queue: name }, 'a schedule could not be kept'));
      return;
    }
    const tick = () => {
      send(name, payload, { dedupe: key }).catch((error: Error) => log.debug({ err: error, queue: name }, 'not sent'));
    };
    tick();
    timers.push(setInterval(tick, every.seconds * 1000));
  }

  return {
    define(name, handler, options = {}) {
      if (boss) throw new Error(`${name} is defined after the start`);
      if (definitions.has(name)) throw new Error(`${name} is defined twice`);
      definitions.set(name, { handler: handler as Handler, options });
    },
    send,
    schedule(name, every, payload) {
      const entry = { name, every, payload, key: `every-${sha256(JSON.stringify([name, payload])).slice(0, 16)}` };
      planned.push(entry);
      if (boss) plan(boss, entry);
    },
    async start() {
      stopping = new AbortController();
      const starting = new PgBoss({
        ...connection,
        schema: 'pgboss',
        createSchema: false,
        application_name: 'luna-jobs',
        max: 4,
        useListenNotify: true,
        monitorIntervalSeconds: 30,
      });
      const complain = complainSeldom(log, () => clock.now());
      const { signal } = stopping;
      starting.on('error', (error) => {
        if (!signal.aborted) complain(error);
      });
      await starting.start();
      boss = starting;
      await starting.createQueue(DEAD_LETTER, { retentionSeconds: 30 * 24 * 3600 });
      for (const [name, definition] of definitions) await work(starting, name, definition);
      await dropForgotten(starting, planned);
      const rescue = () => db.asSystem((sql) => sql(RESCUE));
      await rescue();
      timers.push(setInterval(() => void rescue().catch((error: Error) => complain(error)), RESCUE_EVERY_MS).unref());
      for (const entry of planned) plan(starting, entry);
    },
    async stop() {
      const ending = boss;
      if (!ending) return;
      boss = null;
      for (const timer of timers.splice(0)) clearInterval(timer);
      stopping.abort(new UnavailableError('The box is closing.', 'The job goes on after the next start.'));
      await ending.stop({ graceful: true, timeout: STOP_MS });
    },
    async depth() {
      if (!boss) return [];
      const rows = await db.asSystem((sql) => sql<Depth>(DEPTH));
      const found = new Map(rows.map((row) => [row.name, row]));
      return [...definitions.keys()].map((name) => found.get(name) ?? { name, waiting: 0, active: 0, failed: 0 });
    },
  };
}

/**
 * The queue goes by the clock of its database. What was put off while that was ahead would wait for years when it is
 * right again, and with it all that comes after it under the same key.
 */
const RESCUE = `
  update pgboss.job set start_after = now() where state in ('created', 'retry')
    and start_after > now() + interval '${2 * RETRY_LONGEST_S} s'`;

type Depth = { name: string; waiting: number; active: number; failed: number };
/** Failed ones count until the same queue succeeds again. */
const DEPTH = `
  select name,
    count(*) filter (where state in ('created', 'retry')) as waiting,
    count(*) filter (where state = 'active') as active,
    count(*) filter (where state = 'failed' and completed_on > coalesce(last_done, '-infinity')) as failed
  from (
    select name, state, completed_on, max(completed_on) filter (where state = 'completed') over (partition by name) as last_done
    from pgboss.job
  ) as jobs group by name`;

function queueOf({ retries, timeout_s }: JobOptions, retryDelay: number): Omit<Queue, 'name' | 'policy'> {
  return {
    retryLimit: retries ?? RETRIES,
    retryDelay,
    retryBackoff: true,
    retryDelayMax: RETRY_LONGEST_S,
    expireInSeconds: timeout_s ?? TIMEOUT_S,
    heartbeatSeconds: HEARTBEAT_S,
    retentionSeconds: 14 * 24 * 3600,
    deleteAfterSeconds: 24 * 3600,
    deadLetter: DEAD_LETTER,
    notify: true,
  };
}

/** Schedules live in the database: those that this version no longer has must not go on. */
async function dropForgotten(boss: PgBoss, planned: readonly Planned[]): Promise<void> {
  const kept = new Set(planned.filter(({ every }) => 'cron' in every).map(({ name, key }) => `${name} ${key}`));
  for (const { name, key } of await boss.getSchedules())
    if (!kept.has(`${name} ${key}`)) await boss.unschedule(name, key);
}

/** While the database is away every queue complains every few seconds; one line in half a minute tells it all. */
function complainSeldom(log: Base['log'], now: () => number): (error: Error) => void {
  let last_ms = Number.NEGATIVE_INFINITY;
  return (error) => {
    if (now() - last_ms < COMPLAIN_EVERY_MS) return;
    last_ms = now();
    log.warn({ err: error }, 'the job queue has trouble with the database');
  };
}
