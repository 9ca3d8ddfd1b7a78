/** Backups of the box: each night, continued every few minutes, watched. The work is done in threads of its own. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ClusterSource } from '../../connectors/database/embedded/base-backup.ts';
import { UnavailableError } from '../../engine/errors.ts';
import type { BackupSummary } from '../backup/folder.ts';
import {
  claimFolder,
  clearLeftovers,
  draftOf,
  dropOld,
  idOf,
  lastRound,
  listIds,
  nextNumber,
  readManifest,
  summaryOf,
} from '../backup/folder.ts';
import { type BackupMade, type BackupOrder, BOX_ID, SERIES_FILE } from '../backup/make.ts';
import type { RoundMade, RoundOrder } from '../backup/round.ts';
import type { Actor, AlertService, AuditService, Base, JobService, SiteService, Workers } from '../services.ts';

export type BackupState = {
  enabled: boolean;
  folder: string;
  /** On the disk of the box itself: who loses that disk loses both. */
  same_disk: boolean;
  at: string;
  every_min: number;
  running_since_ms: number | null;
  /** Newest first. */
  backups: readonly BackupSummary[];
  /** The newest instant that a restore brings back; null without a backup. */
  covered_ms: number | null;
  /** Why the last try failed; null while all is well. */
  fault: { at_ms: number; text: string } | null;
  passphrase: boolean;
  /** False: somebody else's Postgres, QuestDB. */
  database: boolean;
  series: boolean;
};
export interface BackupService {
  state(): Promise<BackupState>;
  /** Makes one now. @throws UnavailableError while another is being made, and when it cannot be made. */
  make(actor: Actor): Promise<BackupSummary>;
}
export type BackupDeps = Pick<Base, 'config' | 'clock' | 'log' | 'metrics' | 'series' | 'journal'> & {
  site: Pick<SiteService, 'tenants'>;
  alerts: Pick<AlertService, 'raise' | 'clear'>;
  audit: Pick<AuditService, 'record'>;
  jobs: Pick<JobService, 'define' | 'schedule'>;
  /** Threads of its own: a forecast must not hold up a backup. */
  threads: Workers;
  cluster: ClusterSource | null;
  journal_dir: string;
  durable: SharedArrayBuffer;
  version: string;
  /** Milliseconds between two looks at what is due, and from the start to the first backup of a new box. */
  pace?: { look_ms: number; first_ms: number };
};

const QUEUE = 'backup';
const PACE = { look_ms: 15_000, first_ms: 5 * 60_000 };
const RETRY_MS = 15 * 60_000;
const ROUND_RETRY_MS = 60_000;
const DAY_MS = 86_400_000;
const BASE_TIMEOUT_MS = 6 * 3_600_000;
const ROUND_TIMEOUT_MS = 10 * 60_000;
const HELD = 'backup-state.json';

/** Where the journal's records begin that the backups lack; asked before the journal is opened. null: no backups. */
export async function readHeld(home: string): Promise<number | null> {
  try {
    const { journal_seq } = JSON.parse(await readFile(join(home, HELD), 'utf8')) as { journal_seq: unknown };
    return typeof journal_seq === 'number' ? journal_seq : null;
  } catch {
    return null;
  }
}

export function createBackupService(deps: BackupDeps): BackupService & { start(): void; stop(): Promise<void> } {
  const { config, clock, log, metrics, series, journal, cluster, pace = PACE } = deps;
  const folder = resolve(config.backup_dir ?? join(config.home, 'backups'));
  const enabled = config.backup_at !== 'off';
  const look_ms = Math.min(pace.look_ms, config.backup_every_min * 30_000);
  const summaries = new Map<string, BackupSummary>();
  let stopping = new AbortController();
  let timer: NodeJS.Timeout | null = null;
  let looking: Promise<void> = Promise.resolve();
  let running_since_ms: number | null = null;
  let fault: BackupState['fault'] = null;
  let tried_ms = Number.NEGATIVE_INFINITY;
  let started_ms = clock.now();
  /** When the newest backup is continued next. */
  let due_ms = Number.NEGATIVE_INFINITY;
  let newest: string | null = null;
  let broken = false;
  const told = new Map<string, string>();

  deps.jobs.define(
    QUEUE,
    async () => {
      if (running_since_ms === null) await makeOne();
    },
    { retries: 2, timeout_s: BASE_TIMEOUT_MS / 1000 },
  );

  async function makeOne(): Promise<BackupSummary> {
    if (running_since_ms !== null)
      throw new UnavailableError(
        `A backup is being made since ${new Date(running_since_ms).toISOString()}.`,
        'Wait until it is done.',
      );
    const begun_ms = clock.now();
    running_since_ms = begun_ms;
    tried_ms = begun_ms;
    try {
      const { summary, journal_seq } = await order(begun_ms);
      summaries.set(summary.id, summary);
      broken = false;
      newest = summary.id;
      due_ms = begun_ms + config.backup_every_min * 60_000;
      await hold(journal_seq);
      const keep = { daily: config.backup_keep_daily, weekly: config.backup_keep_weekly };
      for (const gone of await dropOld(folder, keep, clock.now())) summaries.delete(gone);
      metrics.backups.inc({ what: 'backup', outcome: 'made' });
      await settled(null);
      return summary;
    } catch (error) {
      metrics.backups.inc({ what: 'backup', outcome: 'failed' });
      if (!stopping.signal.aborted) await settled(error as Error);
      throw error;
    } finally {
      running_since_ms = null;
    }
  }

  /** The snapshot of the series store is made by its own worker, everything else in a thread of ours. */
  async function order(begun_ms: number): Promise<BackupMade> {
    const box = await boxId(config.home);
    await claimFolder(folder, box);
    await clearLeftovers(folder);
    const id = idOf(nextNumber(await listIds(folder)), begun_ms);
    const draft = draftOf(folder, id);
    const { released_seq } = journal.stats();
    // Nothing may leave the journal that the snapshot does not hold yet.
    journal.hold?.(Math.min(released_seq, (await readHeld(config.home)) ?? released_seq));
    await mkdir(join(draft, 'series'), { recursive: true, mode: 0o700 });
    const snapshot = await takeSnapshot(join(draft, SERIES_FILE));
    const rest: Omit<BackupOrder, 'id' | 'started_ms' | 'series' | 'after_seq'> = {
      ...{ folder, home: config.home, box, luna: deps.version, cluster },
      ...{ journal_dir: deps.journal_dir, durable: deps.durable, passphrase_file: config.backup_passphrase_file },
      environment: Object.keys(process.env).filter((name) => name.startsWith('LUNA_')),
    };
    const options = { signal: stopping.signal, timeout_ms: BASE_TIMEOUT_MS };
    const task: BackupOrder = { ...rest, id, started_ms: begun_ms, series: snapshot, after_seq: released_seq };
    try {
      return await deps.threads.run<BackupMade>('backup-make', task, options);
    } catch (error) {
      await rm(draft, { recursive: true, force: true }).catch(() => {});
      throw error;
    }
  }

  async function takeSnapshot(file: string): Promise<boolean> {
    if (series.kind !== 'duckdb' || !series.snapshot) return false;
    await series.snapshot(file);
    return true;
  }

  async function copyNew(): Promise<void> {
    const [id] = await listIds(folder);
    if (!id) return;
    const at_ms = clock.now();
    const task: RoundOrder = {
      ...{
        folder,
        id,
        at_ms,
        box: await boxId(config.home),
        home: config.home,
        cluster,
        release: running_since_ms === null,
      },
      ...{ journal_dir: deps.journal_dir, durable: deps.durable, passphrase_file: config.backup_passphrase_file },
    };
    try {
      const options = { signal: stopping.signal, timeout_ms: ROUND_TIMEOUT_MS };
      const { journal_seq } = await deps.threads.run<RoundMade>('backup-round', task, options);
      due_ms = at_ms + config.backup_every_min * 60_000;
      broken = false;
      if (running_since_ms === null && (newest ?? id) === id) await hold(journal_seq);
      metrics.backups.inc({ what: 'round', outcome: 'made' });
      await settled(null);
    } catch (error) {
      if (stopping.signal.aborted) return;
      metrics.backups.inc({ what: 'round', outcome: 'failed' });
      // Whatever stands in the way of continuing, a new backup does not need what was before.
      broken = true;
      due_ms = at_ms + Math.min(ROUND_RETRY_MS, config.backup_every_min * 60_000);
      await settled(error as Error);
    }
  }

  async function hold(journal_seq: number): Promise<void> {
    await writeFile(join(config.home, HELD), JSON.stringify({ journal_seq }), { mode: 0o600 });
    journal.hold?.(journal_seq);
  }

  /** Remembers and tells how it went. */
  async function settled(error: Error | null): Promise<void> {
    const remedy = (error as { remedy?: string } | null)?.remedy;
    if (error) log.error({ err: error }, 'no backup could be made');
    fault = error && { at_ms: fault?.at_ms ?? clock.now(), text: [error.message, remedy].filter(Boolean).join(' ') };
    await tell('backup_failed', fault?.text ?? null, fault?.at_ms ?? 0);
  }

  async function tell(kind: 'backup_failed' | 'backup_stale', problem: string | null, since_ms: number): Promise<void> {
    const now = problem ?? '';
    for (const tenant of deps.site.tenants()) {
      if (told.get(`${kind} ${tenant}`) === now) continue;
      await (problem === null
        ? deps.alerts.clear(tenant, kind, 'backup')
        : deps.alerts.raise(tenant, kind, 'backup', 'fault', { since_ms, problem }));
      told.set(`${kind} ${tenant}`, now);
    }
  }

  async function look(): Promise<void> {
    const now = clock.now();
    const [id] = await listIds(folder);
    const made_ms = id ? ((await summary(id))?.made_ms ?? null) : null;
    const age_ms = now - (made_ms ?? started_ms);
    const stale_ms = config.backup_stale_hours * 3_600_000;
    await tell('backup_stale', age_ms > stale_ms ? 'too old' : null, now - age_ms + stale_ms);
    const covered = await coveredMs();
    metrics.backup_age_s.set(covered === null ? Number.NaN : (now - covered) / 1000);
    const due = id === undefined ? now - started_ms >= pace.first_ms : broken || age_ms > DAY_MS + 3_600_000;
    // Not waited for: the former backup is continued while the new one is made.
    if (due && running_since_ms === null && now - tried_ms >= RETRY_MS) void makeOne().catch(() => {});
    if (id && now >= due_ms) await copyNew();
  }

  async function summary(id: string): Promise<BackupSummary | null> {
    const known = summaries.get(id);
    if (known) return known;
    const read = await readManifest(join(folder, id)).then(summaryOf, () => null);
    if (read) {
      summaries.set(id, read);
      metrics.backup_bytes.set(read.bytes);
      metrics.backup_s.set(read.took_ms / 1000);
    }
    return read;
  }

  async function coveredMs(): Promise<number | null> {
    const [id] = await listIds(folder);
    if (!id) return null;
    return (await lastRound(join(folder, id)))?.at_ms ?? (await summary(id))?.made_ms ?? null;
  }

  const again = async () => {
    looking = look().catch((error: unknown) => log.warn({ err: error }, 'the backups could not be looked after'));
    await looking;
    if (!stopping.signal.aborted) timer = setTimeout(again, look_ms);
  };

  return {
    async state() {
      const backups = (await Promise.all((await listIds(folder)).map(summary))).filter((one) => one !== null);
      return {
        ...{ enabled, folder, running_since_ms, backups, fault, covered_ms: await coveredMs() },
        ...{ at: config.backup_at, every_min: config.backup_every_min },
        same_disk: await sameDisk(config.home, folder),
        passphrase: config.backup_passphrase_file !== null,
        database: cluster !== null,
        series: series.kind === 'duckdb',
      };
    },
    async make(actor) {
      const made = await makeOne();
      metrics.backup_bytes.set(made.bytes);
      metrics.backup_s.set(made.took_ms / 1000);
      await deps.audit.record(actor, 'backup.make', made.id, { bytes: made.bytes, rows: made.rows });
      return made;
    },
    start() {
      stopping = new AbortController();
      started_ms = clock.now();
      if (!enabled) {
        // Nobody comes for what is held.
        journal.hold?.(null);
        return;
      }
      const [hour, minute] = config.backup_at.split(':').map(Number);
      deps.jobs.schedule(QUEUE, { cron: `${minute} ${hour} * * *` }, {});
      timer = setTimeout(again, look_ms);
    },
    async stop() {
      stopping.abort(new UnavailableError('The box is closing.'));
      if (timer) clearTimeout(timer);
      await looking.catch(() => {});
    },
  };
}

/** Tells boxes apart that share a disk for their backups; a restored box is the same one. */
async function boxId(home: string): Promise<string> {
  const file = join(home, BOX_ID);
  const known = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (known) return known;
  const fresh = randomUUID();
  await writeFile(file, `${fresh}\n`, { mode: 0o600, flush: true });
  return fresh;
}

async function sameDisk(home: string, folder: string): Promise<boolean> {
  const [a, b] = await Promise.all([stat(home), stat(folder).catch(() => null)]);
  return b === null || a.dev === b.dev;
}
