/**
 * What DuckDB leaves to its host about the write-ahead log beside its file (`series.duckdb.wal`): that its name is on
 * disk, and that a commit which a power cut tore does not spoil those before it.
 */
import { copyFileSync, readFileSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * DuckDB syncs the log's content with each commit, but never the folder: after a power cut a new log may have no name,
 * or a removed one may be back and be taken for the newest. @returns what makes the names durable, to be called after
 * each commit and before anybody relies on it; it costs something only when the log was made anew or removed.
 */
export function createNameSync(file: string): () => Promise<void> {
  let known: string | null = null;
  return async () => {
    const log = await stat(`${file}.wal`, { bigint: true }).catch(() => null);
    const now = log ? `${log.ino} ${log.birthtimeNs}` : 'none';
    if (now === known) return;
    const folder = await open(dirname(file), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
    known = now;
  };
}

/** Entries begin with their size and a checksum, u64 each; DuckDB tells where the content of a bad one would begin. */
const BAD_ENTRY = /entry at byte position (\d+)/;
const ENTRY_HEAD_BYTES = 16;
/** The entry that ends each transaction: five bytes that are always the same, so their checksum is too. */
const COMMIT = Buffer.from('0500000000000000e7fe7d722fed3d5e640064ffff', 'hex');

/**
 * Cuts the log at the entry that DuckDB's error `cause` names; a copy of the whole goes to `aside`.
 * Commits are written and synced one after another, so what a power cut tears is the last one only, which nobody was
 * told of. More than one commit behind the bad entry means that the disk damaged what it had confirmed.
 * @returns whether only the last, unfinished commit was cut off; null when the error names no entry
 */
export async function cutBadEntry(log: string, aside: string, cause: string): Promise<{ torn: boolean } | null> {
  const position = Number(BAD_ENTRY.exec(cause)?.[1] ?? Number.NaN) - ENTRY_HEAD_BYTES;
  const bytes = readFileSync(log);
  if (!(position > 0 && position < bytes.length)) return null;
  const tail = bytes.subarray(position);
  const commit = tail.indexOf(COMMIT);
  const torn = commit < 0 || commit + COMMIT.length === tail.length;
  if (!torn) copyFileSync(log, aside);
  const file = await open(log, 'r+');
  try {
    await file.truncate(position);
    await file.sync();
  } finally {
    await file.close();
  }
  return { torn };
}
