/** Backups of the box: each night, continued every few minutes, watched. The work is done in processes of its own. */
import { join, resolve } from 'node:path';
import { dropSlot } from '../../connectors/database/embedded/base-backup.ts';
import { LogGapError, NotAllowedError, UnavailableError } from '../../engine/errors.ts';
import { unavailable } from '../backup/faults.ts';
import type { BackupSummary } from '../backup/folder.ts';
import type { FolderLook } from '../backup/look.ts';
import type { Actor, AlertService, AuditService, Base, JobService } from '../services.ts';
import { type BackupFault, createBackupFaults, OWNER } from './backup-faults.ts';
import { createBackupMemory } from './backup-memory.ts';
import { createBackupWork, type WorkDeps } from './backup-work.ts';

export { readHeld } from './backup-memory.ts';

export type BackupState = {
  enabled: boolean;
  folder: string;
  /** On the disk of the box itself: who loses that disk loses both. */
  same_disk: boolean;
  at: string;
  every_min: number;
  running_since_ms: number | null;
  /** Newest first, as the folder held them when it was last reached. */
  backups: readonly BackupSummary[];
  /** The newest instant that a restore brings back; null without a backup. */
  covered_ms: number | null;
  /** The newest one is older than it should be. */
  stale: boolean;
  /** Why the last try failed; null while all is well. */
  fault: BackupFault | null;
  passphrase: boolean;
  /** False: somebody else's Postgres, QuestDB. */
  database: boolean;
  series: boolean;
};
export interface BackupService {
  /** What was last known: the folder is not asked. @throws NotAllowedError for others than the owner's admins */
  state(actor: Actor): BackupState;
  /**
   * Makes one now.
   * @param options `new_folder`: takes the folder though the backups that the box remembers there are gone
   * @throws UnavailableError while another is being made, and when it cannot be made; NotAllowedError
   */
  make(actor: Actor, options?: { new_folder?: boolean }): Promise<BackupSummary>;
  /** One sentence. @throws Error that says what is wrong. */
  check(): string;
}
export type BackupDeps = Pick<Base, 'clock' | 'log' | 'metrics'> &
  Omit<WorkDeps, 'folder' | 'memory' | 'trusted'> & {
    alerts: Pick<AlertService, 'raise' | 'clear'>;
    audit: Pick<AuditService, 'record'>;
    jobs: Pick<JobService, 'define' | 'schedule'>;
    /** Whether the time is known. */
    trusted?: () => boolean;
    /** Milliseconds between two looks at what is due, and from the start to the first backup of a new box. */
    pace?: { look_ms: number; first_ms: number };
  };

const QUEUE = 'backup';
const PACE = { look_ms: 15_000, first_ms: 5 * 60_000 };
const RETRY_MS = 15 * 60_000;
const ROUND_RETRY_MS = 60_000;
const HOUR_MS = 3_600_000;
const JOB_TIMEOUT_S = 6 * 3600;
const LONG_AGO = Number.NEGATIVE_INFINITY;

export function createBackupService(deps: BackupDeps): BackupService & { start(): void; stop(): Promise<void> } {
  const { config, clock, log, metrics, series, journal, cluster, pace = PACE, trusted = () => true } = deps;
  const folder = resolve(config.backup_dir ?? join(config.home, 'backups'));
  const enabled = config.backup_at !== 'off';
  const every_ms = config.backup_every_min * 60_000;
  const look_ms = Math.min(pace.look_ms, every_ms / 2);
  const memory = createBackupMemory(config.home);
  const work = createBackupWork({ ...deps, folder, memory, trusted });
  const faults = createBackupFaults(deps);
  /** Ages are counted, not told by the wall clock, which may jump by years. */
  const counted = () => clock.monotonic?.() ?? clock.now();
  let stopping = new AbortController();
  let timer: NodeJS.Timeout | null = null;
  let looking: Promise<void> = Promise.resolve();
  let making: Promise<unknown> = Promise.resolve();
  let seen: FolderLook | null = null;
  let running_since_ms: number | null = null;
  /** Readings of the counter: the start, the newest backup, the newest covered instant, the last and next tries. */
  let started = counted();
  let made: number | null = null;
  let covered: number | null = null;
  let tried = LONG_AGO;
  let due = LONG_AGO;
  let looked = LONG_AGO;
  let failed = false;
  /** The newest backup cannot be continued. */
  let broken = false;

  deps.jobs.define(
    QUEUE,
    async () => {
      if (running_since_ms === null) await makeOne();
    },
    { retries: 2, timeout_s: JOB_TIMEOUT_S },
  );

  async function makeOne(anew = false): Promise<BackupSummary> {
    if (running_since_ms !== null) throw alreadyRunning(running_since_ms);
    const begun = counted();
    running_since_ms = clock.now();
    tried = begun;
    try {
      const { summary, journal_seq, look } = await work.make(running_since_ms, stopping.signal, anew);
      know(look, begun);
      [made, due, broken, failed] = [begun, begun + every_ms, false, false];
      if (enabled) await hold(journal_seq);
      else await letGo();
      if (summary.left_out.length > 0) log.warn({ files: summary.left_out }, 'too large to be keys: not in the backup');
      metrics.backups.inc({ what: 'backup', outcome: 'made' });
      await faults.over('backup', 'copies', 'folder');
      return summary;
    } catch (error) {
      failed = true;
      metrics.backups.inc({ what: 'backup', outcome: 'failed' });
      if (!stopping.signal.aborted) {
        log.error({ err: error }, 'no backup could be made');
        await faults.set('backup', error as Error);
      }
      throw error;
    } finally {
      running_since_ms = null;
    }
  }

  async function copyNew(id: string): Promise<void> {
    const begun = counted();
    const is_newest = running_since_ms === null;
    try {
      const order = { id, at_ms: clock.now(), release: is_newest };
      const { journal_seq, look } = await work.round(order, stopping.signal);
      // A backup that was made meanwhile is what counts from now on.
      if (newestId() === id) {
        know(look, begun);
        due = begun + every_ms;
        if (is_newest && running_since_ms === null) await hold(journal_seq);
      }
      broken = false;
      metrics.backups.inc({ what: 'round', outcome: 'made' });
      await faults.over('copies', 'folder');
    } catch (error) {
      if (stopping.signal.aborted) return;
      metrics.backups.inc({ what: 'round', outcome: 'failed' });
      // Whatever stands in the way of continuing, a new backup does not need what was before.
      broken = true;
      due = begun + Math.min(ROUND_RETRY_MS, every_ms);
      // After a restore, or with another passphrase: a new backup is begun, and nobody needs to do anything.
      if (error instanceof LogGapError) return log.info({ reason: error.message }, 'a new backup is begun');
      log.error({ err: error }, 'the last backup could not be continued');
      await faults.set('copies', error as Error);
    }
  }

  const newestId = () => seen?.backups[0]?.id ?? null;

  function know(look: FolderLook, covered_at: number | null): void {
    seen = look;
    covered = covered_at;
    const [newest] = look.backups;
    if (!newest) return;
    metrics.backup_bytes.set(newest.bytes);
    metrics.backup_s.set(newest.took_ms / 1000);
  }

  async function hold(journal_seq: number): Promise<void> {
    await memory.hold(journal_seq);
    journal.hold?.(journal_seq);
  }

  /** Nobody comes for what is held: neither for the journal's records nor for the database's log. */
  async function letGo(): Promise<void> {
    journal.hold?.(null);
    if (cluster) await dropSlot(cluster).catch((error) => log.warn({ err: error }, 'the log of the database is kept'));
  }

  /** What is there already at the start. A time ahead of ours was written by a wrong clock, or ours is wrong. */
  async function lookFirst(): Promise<void> {
    if (counted() - looked < ROUND_RETRY_MS) return;
    looked = counted();
    try {
      const look = await work.look(stopping.signal);
      const since = (at_ms: number | null | undefined) =>
        at_ms == null ? null : at_ms > clock.now() ? LONG_AGO : counted() - (clock.now() - at_ms);
      know(look, since(look.covered_ms));
      made = since(look.backups[0]?.made_ms);
      await faults.over('folder');
    } catch (error) {
      if (!stopping.signal.aborted) await faults.set('folder', error as Error);
    }
  }

  const stale_ms = config.backup_stale_hours * HOUR_MS;
  /** One of a wrong clock has no age: what counts is how long none was made since. */
  const age = () => counted() - (made === null || made === LONG_AGO ? started : made);

  async function look(): Promise<void> {
    if (!seen) await lookFirst();
    await faults.stale(age() > stale_ms ? clock.now() - age() + stale_ms : null);
    metrics.backup_age_s.set(covered === null ? Number.NaN : (counted() - covered) / 1000);
    const id = newestId();
    const wait_ms = broken && !failed ? ROUND_RETRY_MS : RETRY_MS;
    if (isDue() && running_since_ms === null && counted() - tried >= wait_ms)
      // Not waited for: the former backup is continued while the new one is made.
      making = makeOne().catch(() => {});
    if (id && counted() >= due) await copyNew(id);
  }

  function isDue(): boolean {
    if (broken || failed) return true;
    if (made === null) return seen !== null && counted() - started >= pace.first_ms;
    return counted() - made > 25 * HOUR_MS;
  }

  const again = async () => {
    looking = look().catch((error: unknown) => log.warn({ err: error }, 'the backups could not be looked after'));
    await looking;
    if (!stopping.signal.aborted) timer = setTimeout(again, look_ms);
  };

  return {
    state(actor) {
      requireOwner(actor);
      return {
        ...{ enabled, folder, running_since_ms, fault: faults.first(), stale: enabled && age() > stale_ms },
        ...{ at: config.backup_at, every_min: config.backup_every_min },
        ...{ backups: seen?.backups ?? [], covered_ms: seen?.covered_ms ?? null, same_disk: seen?.same_disk ?? false },
        passphrase: config.backup_passphrase_file !== null,
        database: cluster !== null,
        series: series.kind === 'duckdb',
      };
    },
    async make(actor, { new_folder = false } = {}) {
      requireOwner(actor);
      const summary = await makeOne(new_folder);
      const { id, bytes, rows } = summary;
      await deps.audit.record(actor, 'backup.make', id, { bytes, rows, ...(new_folder && { new_folder }) });
      return summary;
    },
    check() {
      const fault = faults.first();
      if (fault) throw new Error(fault.text);
      if (!enabled) return 'No backups are made (backup_at: off).';
      if (age() > stale_ms) throw new Error('The newest backup is too old.');
      const [newest] = seen?.backups ?? [];
      const keys = config.backup_passphrase_file === null ? NO_KEYS : '';
      return `${newest ? `The newest backup is ${newest.id}.` : 'No backup yet.'}${keys}`;
    },
    start() {
      stopping = new AbortController();
      started = counted();
      if (!enabled) {
        void letGo().then(async () => {
          if (await memory.claimed(folder)) await lookFirst();
        });
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
      await making;
    },
  };
}

const NO_KEYS =
  ' It holds no keys, for there is no backup_passphrase_file: after a restore stored passwords must be entered again.';

const alreadyRunning = (since_ms: number): Error =>
  unavailable('running', `A backup is being made since ${new Date(since_ms).toISOString()}.`, 'Wait until it is done.');

function requireOwner(actor: Actor): void {
  if (actor.role !== 'admin' || actor.tenant !== OWNER)
    throw new NotAllowedError(
      'Backups hold the data of all organisations: they belong to the organisation that the box belongs to.',
      'Ask one of its admins.',
    );
}
