/** What works and what does not, for /readyz, `luna doctor` and the Admin page. */
import type { Base, HealthService, JobService } from '../services.ts';

type Part = Awaited<ReturnType<HealthService['report']>>['parts'][number];
/** `check` gives a sentence, or throws one. A part that the box needs makes it not ready. */
export type Probe = { name: string; needed: boolean; check: () => Promise<string> | string };

const PROBE_DEADLINE_MS = 2000;
const NEARLY_FULL = 0.9;

export type HealthDeps = Base & {
  jobs: JobService;
  drain: {
    lag(): number;
    /** Why the store does not take readings, or null. */
    fault(): string | null;
    /** What was mended when the store was opened, or null. */
    recovery(): string | null;
  };
  /** Parts that only some boxes have. */
  more: readonly Probe[];
};

/** A part that fails is `down` where the box needs it and `degraded` elsewhere; `since_ms` is its first failure. */
export function createHealthService(deps: HealthDeps): HealthService {
  const { clock } = deps;
  const failingSince = new Map<string, number>();
  const probes = [...probesOf(deps), ...deps.more];
  return {
    async report() {
      const parts = await Promise.all(probes.map(run));
      return { ready: parts.every((part) => part.state !== 'down'), parts };
    },
  };

  async function run({ name, needed, check }: Probe): Promise<Part> {
    try {
      const text = await withDeadline(check());
      failingSince.delete(name);
      return { name, state: 'ok', text, since_ms: null };
    } catch (error) {
      const since_ms = failingSince.get(name) ?? clock.now();
      failingSince.set(name, since_ms);
      return { name, state: needed ? 'down' : 'degraded', text: (error as Error).message, since_ms };
    }
  }
}

function probesOf({ config, db, series, journal, jobs, drain }: HealthDeps): Probe[] {
  return [
    {
      name: 'database',
      needed: true,
      check: async () => {
        await db.ping();
        return config.database === 'embedded' ? 'embedded Postgres answers' : 'Postgres answers';
      },
    },
    { name: 'journal', needed: false, check: () => journalState(journal.stats(), config.journal_max_bytes) },
    {
      name: 'series store',
      needed: false,
      check: async () => {
        await series.ping();
        return `${series.kind} answers`;
      },
    },
    {
      name: 'drain',
      needed: false,
      check: () => {
        const fault = drain.fault();
        if (fault) throw new Error(`${fault} ${drain.lag()} records wait in the journal; nothing is lost.`);
        return [`${drain.lag()} records on their way into the series store.`, drain.recovery()]
          .filter(Boolean)
          .join(' ');
      },
    },
    { name: 'jobs', needed: false, check: () => jobState(jobs) },
  ];
}

function journalState(
  stats: { bytes: number; last_seq: number; quarantined: readonly string[] },
  max_bytes: number,
): string {
  if (stats.quarantined.length > 0)
    throw new Error(`Damaged segments were set aside: ${stats.quarantined.join(', ')}. Everything else is intact.`);
  if (stats.bytes > NEARLY_FULL * max_bytes)
    throw new Error(
      `The journal is ${Math.round((100 * stats.bytes) / max_bytes)} % full: the series store does not take its readings.`,
    );
  return `${stats.last_seq} records so far, ${Math.round(stats.bytes / 1e6)} MB on disk`;
}

async function jobState(jobs: JobService): Promise<string> {
  const depth = await jobs.depth();
  const failed = depth.filter((queue) => queue.failed > 0);
  if (failed.length > 0)
    throw new Error(`Jobs failed for good: ${failed.map((q) => `${q.name} (${q.failed})`).join(', ')}.`);
  return `${depth.reduce((sum, queue) => sum + queue.waiting + queue.active, 0)} jobs waiting or running`;
}

async function withDeadline<T>(work: Promise<T> | T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`No answer within ${PROBE_DEADLINE_MS / 1000} s.`)), PROBE_DEADLINE_MS);
  });
  try {
    return await Promise.race([Promise.resolve(work), late]);
  } finally {
    clearTimeout(timer);
  }
}
