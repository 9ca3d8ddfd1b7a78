/** What works and what does not, for /readyz, `luna doctor` and the Admin page. */
import type { WorkerSeries } from '../series.ts';
import type { Base, JobService } from '../services.ts';
import { type Certificate, certificateState, endOf } from '../tls.ts';
import { createBoxVolume, type Volume } from './box-volume.ts';
import { createPartLatency, type PartLatency } from './part-latency.ts';
import type { ReadingBook, ReadingCounts } from './reading-counts.ts';
import { createStoreState, type StoreState } from './store-state.ts';

export interface HealthService {
  /** 200 conditions of /readyz, and what the Admin page shows. */
  report(): Promise<{
    ready: boolean;
    parts: HealthPart[];
  }>;
  /** Whether the series store takes readings, what waits for it, and when there will be no more room; costs nothing. */
  store(): StoreState;
  /** Brings what `store` foretells up to date; called every few seconds. */
  look(): Promise<void>;
  /** What came in and what became of it. */
  readings(): ReadingBook;
  /** What the home takes on disk; null until it was measured. */
  volume?(): Volume | null;
  /** Version of the box. */
  luna?: string;
}

export type HealthPart = {
  name: string;
  state: 'ok' | 'degraded' | 'down';
  text: string;
  since_ms: number | null;
  /** Of its probe's last hundred answers. */
  latency?: PartLatency | null;
  /** Of the server behind it, where it tells. */
  version?: string | null;
};
type Part = HealthPart;
/** `check` gives a sentence, or throws one. A part that the box needs makes it not ready. */
export type Probe = {
  name: string;
  needed: boolean;
  check: () => Promise<string> | string;
  /** Asked once it works. */
  version?: () => Promise<string | null>;
};

const PROBE_DEADLINE_MS = 2000;
const NEARLY_FULL = 0.9;

export type HealthDeps = Base & {
  jobs: JobService;
  series: { drain: Pick<WorkerSeries['drain'], 'lag' | 'state'> };
  books: Pick<ReadingCounts, 'book'>;
  /** Parts that only some boxes have. */
  more: readonly Probe[];
  certificate?: Certificate | null;
  luna?: string;
};

/** A part that fails is `down` where the box needs it and `degraded` elsewhere; `since_ms` is its first failure. */
export function createHealthService(deps: HealthDeps): HealthService {
  const { clock } = deps;
  const failingSince = new Map<string, number>();
  const versions = new Map<string, string | null>();
  const latency = createPartLatency();
  const volume = createBoxVolume(deps);
  const state = createStoreState(deps);
  const probes = [...probesOf(deps, state.now), ...certificateProbes(deps), ...deps.more];
  return {
    async report() {
      const parts = await Promise.all(probes.map(run));
      return { ready: parts.every((part) => part.state !== 'down'), parts };
    },
    store: state.now,
    async look() {
      volume.lookNowAndThen();
      await state.look();
    },
    readings: () => deps.books.book(),
    volume: volume.now,
    ...(deps.luna === undefined ? {} : { luna: deps.luna }),
  };

  async function run({ name, needed, check, version }: Probe): Promise<Part> {
    const begun = performance.now();
    try {
      const text = await withDeadline(check());
      latency.note(name, performance.now() - begun);
      failingSince.delete(name);
      if (version && !versions.has(name)) versions.set(name, await withDeadline(version()).catch(() => null));
      const told = { latency: latency.of(name), version: versions.get(name) ?? null };
      return { name, state: 'ok', text, since_ms: null, ...told };
    } catch (error) {
      // Another version may answer when it is back.
      versions.delete(name);
      const since_ms = failingSince.get(name) ?? clock.now();
      failingSince.set(name, since_ms);
      return { name, state: needed ? 'down' : 'degraded', text: (error as Error).message, since_ms };
    }
  }
}

function probesOf({ config, db, series, journal, jobs, books }: HealthDeps, store: () => StoreState): Probe[] {
  return [
    {
      name: 'database',
      needed: true,
      check: async () => {
        await db.ping();
        return config.database === 'embedded' ? 'embedded Postgres answers' : 'Postgres answers';
      },
      version: () =>
        db.asSystem(
          async (sql) => (await sql<{ server_version: string }>('show server_version'))[0]?.server_version ?? null,
        ),
    },
    { name: 'journal', needed: false, check: () => journalState(journal.stats(), config.journal_max_bytes) },
    {
      name: 'series store',
      needed: false,
      check: async () => {
        await series.ping();
        const warning = series.drain.state().warning;
        if (warning) throw new Error(warning);
        return `${series.kind} answers`;
      },
    },
    {
      name: 'drain',
      needed: false,
      check: () => {
        const { up, reason, waiting_records, waiting_readings, full_in_h } = store();
        const waiting = `${waiting_records} records (${waiting_readings} readings)`;
        if (up)
          return [`${waiting} on their way into the series store.`, series.drain.state().recovery].join(' ').trim();
        const room = full_in_h === null ? '' : ` The journal is full in ${hours(full_in_h)} at the present rate.`;
        throw new Error(`${reason} ${waiting} wait in the journal; nothing is lost.${room}`);
      },
    },
    { name: 'readings', needed: false, check: () => balanceOf(books.book()) },
    { name: 'jobs', needed: false, check: () => jobState(jobs) },
  ];
}

function certificateProbes({ certificate, clock, metrics }: HealthDeps): Probe[] {
  if (!certificate) return [];
  const check = () => {
    metrics.certificate_s.set((endOf(certificate) - clock.now()) / 1000);
    return certificateState(certificate, clock.now());
  };
  return [{ name: 'certificate', needed: false, check }];
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

function hours(n: number): string {
  return n < 1 ? 'less than an hour' : `${Math.floor(n)} h`;
}

/** The sum that must come out even. */
function balanceOf({ total, missing, complete }: ReadingBook): string {
  if (!complete) return 'Counting begins when the series store has taken what the journal holds.';
  const { received, stored, duplicate, rejected, dead, waiting } = total;
  const sum = `${received} received = ${stored} stored + ${duplicate} duplicate + ${rejected} rejected + ${dead} dead-lettered + ${waiting} waiting`;
  if (missing !== 0) throw new Error(`${sum}; ${missing} are missing: a disk or the series store has lost readings.`);
  return sum;
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
