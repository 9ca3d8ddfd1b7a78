/** What lies in a backup folder, as far as people want to know it. */
import { join } from 'node:path';
import { sameDisk } from './claim.ts';
import { type BackupSummary, lastRound, listIds, readManifest, summaryOf } from './folder.ts';

export type FolderLook = {
  /** Newest first; damaged ones are left out. */
  backups: readonly BackupSummary[];
  /** The newest instant that a restore brings back; null without a backup. */
  covered_ms: number | null;
  same_disk: boolean;
};

export async function lookAtFolder({ folder, home }: { folder: string; home: string }): Promise<FolderLook> {
  const ids = await listIds(folder);
  const backups: BackupSummary[] = [];
  for (const id of ids) {
    const summary = await readManifest(join(folder, id)).then(summaryOf, () => null);
    if (summary) backups.push(summary);
  }
  const [newest] = ids;
  const round = newest ? await lastRound(join(folder, newest)) : null;
  const made_ms = backups.find(({ id }) => id === newest)?.made_ms ?? null;
  return { backups, covered_ms: round?.at_ms ?? made_ms, same_disk: await sameDisk(home, folder) };
}
