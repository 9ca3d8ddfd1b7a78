/**
 * `box.json` in a backup folder says whose it is. A box remembers in its home which folder it has claimed: where the
 * mark is gone then, another disk is mounted there, or none, and nothing is written.
 */
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { misplaced } from './faults.ts';

const MARK = 'box.json';

export type Claim = {
  folder: string;
  box: string;
  /** The box has made backups there before: then the mark must be there. */
  claimed: boolean;
};

/** Takes the folder for this box. @throws ConfigError when it belongs to another one, or is no longer what it was */
export async function claimFolder(claim: Claim): Promise<void> {
  const { folder, box, claimed } = claim;
  const file = join(folder, MARK);
  // Not made anew: an empty mount point is a folder of the box's own disk.
  if (!claimed) await mkdir(folder, { recursive: true, mode: 0o700 }).catch(unreachable(folder));
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    return unreachable(folder)(error);
  });
  if (text === null && claimed)
    throw misplaced(
      'folder_gone',
      `The backups of this box were in ${folder}, and are not there any more: its disk is not mounted, or another one is.`,
      'Connect the disk. To begin anew on this one, press the button under Admin, Backups, or run ./luna backup --new-folder.',
    );
  if (text === null)
    return writeFile(file, `${JSON.stringify({ box })}\n`, { mode: 0o600, flush: true }).catch(unreachable(folder));
  const owner = /"box":"([^"]*)"/.exec(text)?.[1];
  if (owner !== box)
    throw misplaced(
      'folder_of_another',
      `${folder} holds the backups of another box (${owner}).`,
      'Give this box a folder of its own.',
    );
}

const unreachable = (folder: string) => (cause: Error) => {
  throw misplaced(
    'folder_unreachable',
    `The backup folder ${folder} cannot be made or reached: ${cause.message}`,
    'Is its disk there?',
  );
};

/** Whether one broken disk takes both; a folder that is not there yet would be made on the disk of the home. */
export async function sameDisk(home: string, folder: string): Promise<boolean> {
  const [a, b] = await Promise.all([stat(home), stat(folder).catch(() => null)]);
  return b === null || a.dev === b.dev;
}
