/** What the home remembers about its backups: which box it is, what of the journal they hold, and where they lie. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BOX_ID, replaceFile } from '../backup/make.ts';

const FILE = 'backup-state.json';
type Kept = { journal_seq?: number; claimed?: string };

export type BackupMemory = {
  /** Tells boxes apart that share a disk for their backups; a restored box is the same one. */
  box(): Promise<string>;
  /** Whether backups were made in this folder before. */
  claimed(folder: string): Promise<boolean>;
  claim(folder: string): Promise<void>;
  /** The backups hold the journal up to here. */
  hold(journal_seq: number): Promise<void>;
};

/** Where the journal's records begin that the backups lack; asked before the journal is opened. null: no backups. */
export async function readHeld(home: string): Promise<number | null> {
  return (await read(home)).journal_seq ?? null;
}

export function createBackupMemory(home: string): BackupMemory {
  let writing: Promise<void> = Promise.resolve();
  const keep = (change: Kept) => {
    writing = writing
      .catch(() => {})
      .then(async () => replaceFile(home, FILE, JSON.stringify({ ...(await read(home)), ...change })));
    return writing;
  };
  return {
    async box() {
      const file = join(home, BOX_ID);
      const known = (await readFile(file, 'utf8').catch(() => '')).trim();
      if (known) return known;
      const fresh = randomUUID();
      await replaceFile(home, BOX_ID, `${fresh}\n`);
      return fresh;
    },
    claimed: async (folder) => (await read(home)).claimed === folder,
    claim: (folder) => keep({ claimed: folder }),
    hold: (journal_seq) => keep({ journal_seq }),
  };
}

async function read(home: string): Promise<Kept> {
  try {
    const { journal_seq, claimed } = JSON.parse(await readFile(join(home, FILE), 'utf8')) as Record<string, unknown>;
    return {
      ...(typeof journal_seq === 'number' && { journal_seq }),
      ...(typeof claimed === 'string' && { claimed }),
    };
  } catch {
    return {};
  }
}
