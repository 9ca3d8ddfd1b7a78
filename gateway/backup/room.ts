/** Whether there is room for a copy before it is begun: a disk that runs full takes others' work with it. */
import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { sameDisk } from './claim.ts';
import { unavailable } from './faults.ts';

export type RoomOrder = {
  folder: string;
  home: string;
  snapshot: string | null;
  cluster: { data_dir: string } | null;
  reserve_bytes: number;
};

/** @throws UnavailableError when the folder has no room for one more backup, or the disk of the box would run short */
export async function requireRoom({ folder, home, snapshot, cluster, reserve_bytes }: RoomOrder): Promise<void> {
  const together = await sameDisk(home, folder);
  const parts = [
    cluster ? await bytesBelow(cluster.data_dir) : 0,
    await bytesBelow(join(home, 'files')),
    // On the same disk the snapshot is moved, not copied.
    snapshot && !together ? (await stat(snapshot)).size : 0,
  ];
  const needed = parts.reduce((sum, bytes) => sum + bytes, 0) + (together ? reserve_bytes : 0);
  const free = await freeBytes(folder);
  if (free < needed)
    throw unavailable(
      'folder_full',
      `There is no room for a backup in ${folder}: ${megabytes(free)} MB are free, ${megabytes(needed)} MB are needed.`,
      'Free space on its disk, or keep fewer backups (backup_keep_daily, backup_keep_weekly).',
    );
}

/** Room for the snapshot of the series store beside it. @throws UnavailableError */
export async function requireSnapshotRoom(home: string, reserve_bytes: number): Promise<void> {
  const sizes = ['series.duckdb', 'series.duckdb.wal'].map((name) => stat(join(home, name)).catch(() => null));
  const needed = (await Promise.all(sizes)).reduce((sum, file) => sum + (file?.size ?? 0), reserve_bytes);
  const free = await freeBytes(home);
  if (free < needed) throw homeFull(`${megabytes(free)} MB are free, ${megabytes(needed)} MB are needed`);
}

export const homeFull = (why: string): Error =>
  unavailable(
    'home_full',
    `The disk of the box has no room for the copy of the series store that a backup begins with (${why}).`,
    'Free space on it, or shorten the retention of raw readings.',
  );

/** Bytes that an unprivileged process may still write. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

export async function bytesBelow(root: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []))
    if (entry.isFile()) sum += (await stat(join(entry.parentPath, entry.name)).catch(() => null))?.size ?? 0;
  return sum;
}

const megabytes = (bytes: number) => Math.ceil(bytes / 1e6);
