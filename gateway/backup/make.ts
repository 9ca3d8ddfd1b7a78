/** Makes one backup: everything into a draft folder, then what it holds into the manifest, then its name. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type ClusterSource, copyCluster, releaseLog } from '../../connectors/database/embedded/base-backup.ts';
import { copyJournal } from '../../connectors/journal/copy.ts';
import { seriesFacts } from '../../connectors/series/duckdb/snapshot.ts';
import type { BackupSink } from '../../engine/ports.ts';
import { type Claim, claimFolder, sameDisk } from './claim.ts';
import {
  type BackupSummary,
  clearLeftovers,
  draftOf,
  dropOld,
  idOf,
  type Keep,
  listIds,
  logOf,
  MANIFEST,
  nextNumber,
  STATE,
  summaryOf,
} from './folder.ts';
import { copyHeld } from './held.ts';
import { deriveKeys, readKeyFiles, readPassphrase, sealKeys } from './keys.ts';
import { FORMAT, type Log, type Manifest, sealText } from './manifest.ts';
import { redacted } from './redact.ts';
import { requireRoom } from './room.ts';
import { createSink, type FolderSink, hashFile, type SinkOptions, settle, syncFolder } from './sink.ts';

const compress = promisify(gzip);
/** Which box this is. */
export const BOX_ID = 'box-id';
/** Files of the home that hold no secret; the second is what the audit chain ended with, outside of the database. */
export const PLAIN = [BOX_ID, 'audit-heads.jsonl'];
export const SERIES_FILE = 'series/series.duckdb';

export type BackupOrder = Claim & {
  home: string;
  luna: string;
  started_ms: number;
  passphrase_file: string | null;
  /** Names of the LUNA_… variables that are set. */
  environment: readonly string[];
  /** null: somebody else backs the database up. */
  cluster: ClusterSource | null;
  /** Copy of the series store on the disk of the box, with the journal's cursor in it; null: there is none to copy. */
  snapshot: string | null;
  /** Readings that wait for a trusted clock, linked aside (held.ts). */
  held: string | null;
  /** Where the records begin that no series store in the backup has, when there is none. */
  after_seq: number;
  journal_dir: string;
  /** The journal's newest record that is on disk. */
  durable_seq: number;
  /** Which older ones stay; null: none goes, for nobody knows what time it is. */
  keep: Keep | null;
  /** Left free on the disk of the box. */
  reserve_bytes: number;
};
export type BackupMade = { summary: BackupSummary; journal_seq: number };

/** @throws UnavailableError when the folder or a store does not do it; nothing of it then counts as a backup. */
export async function makeBackup(order: BackupOrder, options: SinkOptions = {}): Promise<BackupMade> {
  const { folder, box, home, cluster } = order;
  await claimFolder(order);
  await clearLeftovers(folder);
  if (order.keep) await dropOld(folder, order.keep, order.started_ms);
  await requireRoom(order);
  const id = idOf(nextNumber(await listIds(folder)), order.started_ms);
  const draft = draftOf(folder, id);
  try {
    await mkdir(draft, { recursive: true, mode: 0o700 });
    const keys = order.passphrase_file ? await deriveKeys(await readPassphrase(order.passphrase_file)) : null;
    const sink = createSink(draft, { ...options, together: true });
    // Before the database: what the audit chain ended with must not be ahead of it.
    await copyConfig(order, sink.under('config'));
    const database = cluster ? await copyCluster(cluster, sink, id) : null;
    const series = order.snapshot ? await takeSeries(order.snapshot, draft, sink) : null;
    const journal = await copyRecords(order, sink.under('journal'), series?.cursor ?? order.after_seq);
    if (order.held) await copyHeld(order.held, sink);
    const files = await copyTree(join(home, 'files'), sink.under('files'));
    const sealed = keys ? await readKeyFiles(home) : null;
    if (keys && sealed) await sink.write('keys/keys.sealed', sealKeys(sealed.files, keys, contextOf(box, id)));
    const { system_id: _, ...described } = database ?? { system_id: '' };
    const manifest: Manifest = {
      ...{
        format: FORMAT,
        id,
        box,
        luna: order.luna,
        made_ms: order.started_ms,
        took_ms: Date.now() - order.started_ms,
      },
      ...{ database: database && (described as Manifest['database']), series, journal, files },
      keys: sealed && Object.keys(sealed.files),
      left_out: sealed?.left_out ?? [],
      entries: sink.entries,
    };
    await publish(folder, manifest, keys?.mac ?? null);
    if (cluster && database) await releaseLog(cluster, database.wal.last);
    if (order.keep) await dropOld(folder, order.keep, order.started_ms);
    return { summary: summaryOf(manifest), journal_seq: journal.last_seq };
  } catch (error) {
    await rm(draft, { recursive: true, force: true }).catch(() => {});
    throw error;
  }
}

export const contextOf = (box: string, id: string): string => `luna backup ${box} ${id}`;

/** The manifest is written last, the log folder stands before, and the rename makes the backup. */
async function publish(folder: string, manifest: Manifest, key: Buffer | null): Promise<void> {
  const draft = draftOf(folder, manifest.id);
  const final = join(folder, manifest.id);
  await createSink(draft).write(MANIFEST, Buffer.from(sealText(manifest, key)));
  await settle(draft);
  const log: Log = { format: FORMAT, backup: manifest.id, box: manifest.box, rounds: [], entries: [] };
  await rm(logOf(final), { recursive: true, force: true });
  await createSink(logOf(final)).write(STATE, Buffer.from(sealText(log, key)));
  await settle(logOf(final));
  await rename(draft, final);
  await syncFolder(folder);
}

/** The snapshot takes its own log in and is counted where it lies; then it goes into the draft. */
async function takeSeries(snapshot: string, draft: string, sink: FolderSink): Promise<Manifest['series']> {
  const facts = await seriesFacts(snapshot);
  if (!(await sameDisk(snapshot, draft))) {
    await sink.copy(SERIES_FILE, snapshot);
    return facts;
  }
  const file = join(draft, SERIES_FILE);
  await mkdir(join(draft, 'series'), { recursive: true, mode: 0o700 });
  await rename(snapshot, file);
  sink.entries.push({ path: SERIES_FILE, ...(await hashFile(file)) });
  return facts;
}

async function copyRecords(order: BackupOrder, sink: BackupSink, after_seq: number): Promise<Manifest['journal']> {
  const journal = { after_seq, last_seq: after_seq, records: 0 };
  for await (const piece of copyJournal(order.journal_dir, after_seq, order.durable_seq)) {
    await sink.write(`${piece.name}.gz`, await compress(piece.bytes, { level: 1 }));
    journal.last_seq = piece.last_seq;
    journal.records += piece.records;
  }
  return journal;
}

/** @returns how many files; one that is removed meanwhile is left out. */
export async function copyTree(
  root: string,
  sink: BackupSink,
  wanted: (path: string, from: string) => Promise<boolean> = async () => true,
): Promise<number> {
  let copied = 0;
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])) {
    const from = join(entry.parentPath, entry.name);
    if (!entry.isFile() || entry.name.startsWith('.draft-')) continue;
    const path = from.slice(root.length + 1).replaceAll('\\', '/');
    if (!(await wanted(path, from))) continue;
    const there = await sink.copy(path, from).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        return false;
      },
    );
    if (there) copied++;
  }
  return copied;
}

/** Names, not values, of what the environment sets: it may hold passwords. */
async function copyConfig({ home, environment }: BackupOrder, sink: BackupSink): Promise<void> {
  await sink.write('environment.json', Buffer.from(`${JSON.stringify([...environment].sort())}\n`));
  const yaml = await readFile(join(home, 'luna.yaml'), 'utf8').catch(() => null);
  if (yaml !== null) await sink.write('luna.yaml', Buffer.from(redacted(yaml)));
  for (const name of PLAIN) {
    const bytes = await readFile(join(home, name)).catch(() => null);
    if (bytes !== null) await sink.write(name, bytes);
  }
}

/** Written beside and renamed, so that it is the old or the new one. */
export async function replaceFile(dir: string, name: string, text: string): Promise<void> {
  const fresh = join(dir, `${name}.tmp`);
  await writeFile(fresh, text, { mode: 0o600, flush: true });
  await rename(fresh, join(dir, name));
  await syncFolder(dir);
}
