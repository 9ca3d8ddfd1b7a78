/** Orders to the processes that touch the backup folder. Nothing else of the box does: the folder may hang. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterSource } from '../../connectors/database/embedded/base-backup.ts';
import { durableSeq } from '../../connectors/journal/reader.ts';
import { linkHeld, linkOffsets } from '../backup/held.ts';
import type { FolderLook } from '../backup/look.ts';
import type { BackupMade, BackupOrder } from '../backup/make.ts';
import { homeFull, requireSnapshotRoom } from '../backup/room.ts';
import type { RoundMade, RoundOrder } from '../backup/round.ts';
import type { Base, Workers } from '../services.ts';
import { type BackupMemory, readHeld } from './backup-memory.ts';
import { HELD_FOLDER } from './clock-quarantine.ts';

const BASE_TIMEOUT_MS = 6 * 3_600_000;
const ROUND_TIMEOUT_MS = 10 * 60_000;
const LOOK_TIMEOUT_MS = 60_000;
/** In the home: where the copy of the series store lies until it is in the backup. */
const SNAPSHOT = '.backup';
/** The same for what waits for a trusted clock, while the last backup is continued. */
const ROUND_HELD = '.backup-round';

export type WorkDeps = Pick<Base, 'config' | 'series' | 'journal'> & {
  /** Processes of their own. */
  processes: Workers;
  cluster: ClusterSource | null;
  journal_dir: string;
  durable: SharedArrayBuffer;
  version: string;
  folder: string;
  memory: BackupMemory;
  /** Whether the time is known: else no old backup is dropped. */
  trusted: () => boolean;
};
export type BackupWork = {
  look(signal: AbortSignal): Promise<FolderLook>;
  /** @param anew takes the folder though the box remembers backups there that are gone */
  make(started_ms: number, signal: AbortSignal, anew: boolean): Promise<BackupMade & { look: FolderLook }>;
  round(
    order: Pick<RoundOrder, 'id' | 'at_ms' | 'release'>,
    signal: AbortSignal,
  ): Promise<RoundMade & { look: FolderLook }>;
};

export function createBackupWork(deps: WorkDeps): BackupWork {
  const { config, series, journal, processes, memory, folder, cluster } = deps;
  const { home } = config;
  const snapshot_dir = join(home, SNAPSHOT);
  const claimOf = async () => ({ folder, box: await memory.box(), claimed: await memory.claimed(folder) });
  /** @param held where what waits for a trusted clock is linked aside: before the journal's end is looked at */
  const common = async (held: string) => {
    await linkHeld(home, held);
    const durable_seq = durableSeq(deps.durable)();
    await linkOffsets(home, held);
    const places = { home, held, journal_dir: deps.journal_dir };
    return { ...places, cluster, passphrase_file: config.backup_passphrase_file, durable_seq };
  };

  /** Held by the writer of the series store for as long as the disk of the box takes, never for the folder's. */
  async function takeSnapshot(): Promise<string | null> {
    await rm(snapshot_dir, { recursive: true, force: true });
    if (series.kind !== 'duckdb' || !series.snapshot) return null;
    await requireSnapshotRoom(home, config.disk_low_bytes);
    await mkdir(snapshot_dir, { mode: 0o700 });
    const file = join(snapshot_dir, 'series.duckdb');
    await series.snapshot(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOSPC' || /ENOSPC|no space left/i.test(error.message)) throw homeFull(error.message);
      throw error;
    });
    return file;
  }

  return {
    look: async (signal) =>
      processes.run('backup-look', { ...(await claimOf()), home }, { signal, timeout_ms: LOOK_TIMEOUT_MS }),

    async make(started_ms, signal, anew) {
      const claim = await claimOf();
      const taken = { ...claim, claimed: claim.claimed && !anew };
      await processes.run('backup-claim', taken, { signal, timeout_ms: LOOK_TIMEOUT_MS });
      await memory.claim(folder);
      const { released_seq } = journal.stats();
      // Nothing may leave the journal that the snapshot does not hold yet.
      journal.hold?.(Math.min(released_seq, (await readHeld(home)) ?? released_seq));
      try {
        const snapshot = await takeSnapshot();
        const keep = { daily: config.backup_keep_daily, weekly: config.backup_keep_weekly };
        const order: BackupOrder = {
          ...{
            ...(await common(join(snapshot_dir, HELD_FOLDER))),
            ...claim,
            claimed: true,
            luna: deps.version,
            started_ms,
            snapshot,
            after_seq: released_seq,
          },
          ...{ keep: deps.trusted() ? keep : null, reserve_bytes: config.disk_low_bytes },
          environment: Object.keys(process.env).filter((name) => name.startsWith('LUNA_')),
        };
        return await processes.run('backup-make', order, { signal, timeout_ms: BASE_TIMEOUT_MS });
      } finally {
        await rm(snapshot_dir, { recursive: true, force: true }).catch(() => {});
      }
    },

    async round(order, signal) {
      const held = join(home, ROUND_HELD);
      await rm(held, { recursive: true, force: true });
      try {
        const task: RoundOrder = { ...(await common(held)), ...(await claimOf()), ...order };
        return await processes.run('backup-round', task, { signal, timeout_ms: ROUND_TIMEOUT_MS });
      } finally {
        await rm(held, { recursive: true, force: true }).catch(() => {});
      }
    },
  };
}
