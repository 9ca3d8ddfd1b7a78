/** The stores of a box without the box: what a backup copies, and a way to fill and to compare them. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedPostgres } from '../../../connectors/database/embedded/embedded.ts';
import { readMigrations } from '../../../connectors/database/postgres/migrate.ts';
import { openFolderFiles } from '../../../connectors/files/folder.ts';
import { openJournal } from '../../../connectors/journal/journal.ts';
import { durableSeq, openJournalReader } from '../../../connectors/journal/reader.ts';
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import type { Reading } from '../../../engine/model/reading.ts';
import { linkHeld, linkOffsets } from '../../../gateway/backup/held.ts';
import { type BackupMade, type BackupOrder, makeBackup } from '../../../gateway/backup/make.ts';
import { type RestoreOptions, type RestoreReport, restoreBackup } from '../../../gateway/backup/restore.ts';
import { copyRound, type RoundMade } from '../../../gateway/backup/round.ts';
import type { SinkOptions } from '../../../gateway/backup/sink.ts';
import { copyTemplate, FAST, silent } from '../../setup/database.ts';

export const PASSPHRASE = 'correct horse battery staple';
export const T0 = Date.parse('2026-03-01T00:00:00Z');
export const KNOWN = readMigrations().map(({ name }) => name);

export type Rig = Awaited<ReturnType<typeof openRig>>;

/** @param options `passphrase`: false makes backups without keys; `old`: with the first migration only, as an older version had */
export async function openRig(options: { passphrase?: boolean; old?: boolean } = {}) {
  const root = await mkdtemp(join(tmpdir(), 'luna-backup-'));
  const home = join(root, 'home');
  const folder = join(root, 'backups');
  await mkdir(home, { recursive: true });
  await writeFile(join(root, 'passphrase'), `${PASSPHRASE}\n`, { mode: 0o600 });
  await writeFile(join(home, 'secret-key'), 'the-key-of-this-box------------------------', { mode: 0o600 });
  await writeFile(join(home, 'luna.yaml'), 'entsoe_token: abc123\nlog_level: warn\n');
  await copyTemplate(home, options.old ? 'first' : 'migrated');
  const stores = await openStores(home, options.old ? 1 : undefined);
  await stores.db.asSystem((sql) =>
    sql(`insert into tenant (id, name) values ('acme', 'Acme') on conflict do nothing`),
  );
  const passphrase_file = options.passphrase === false ? null : join(root, 'passphrase');
  let clock_ms = T0;
  let last: string | null = null;
  const next_ms = () => {
    clock_ms += 60_000;
    return clock_ms;
  };
  const room = { keep: null, reserve_bytes: 0, claimed: false };
  const common = { folder, box: 'box-1', passphrase_file, cluster: stores.db.cluster, ...room };
  const journal = async () => {
    const held = join(home, '.held');
    await rm(held, { recursive: true, force: true });
    await linkHeld(home, held);
    const durable_seq = durableSeq(stores.journal.durable)();
    await linkOffsets(home, held);
    return { journal_dir: join(home, 'journal'), durable_seq, held };
  };
  return {
    ...{ root, home, folder, ...stores },
    async backup(sink: SinkOptions = {}, change: Partial<BackupOrder> = {}): Promise<BackupMade> {
      const started_ms = next_ms();
      const snapshot = join(home, '.backup', 'series.duckdb');
      await rm(join(home, '.backup'), { recursive: true, force: true });
      await mkdir(join(home, '.backup'));
      await stores.series.snapshot?.(snapshot);
      const order = { ...common, home, luna: '0.1.0', started_ms, environment: ['LUNA_PORT'], snapshot, after_seq: 0 };
      const made = await makeBackup({ ...order, ...change, ...(await journal()) }, sink);
      last = made.summary.id;
      return made;
    },
    async round(sink: SinkOptions = {}): Promise<RoundMade> {
      return copyRound(
        { ...common, ...(await journal()), id: last ?? '', at_ms: next_ms(), release: true, home },
        sink,
      );
    },
    restore(to: string, change: Partial<RestoreOptions> = {}): Promise<RestoreReport> {
      const passphrase = passphrase_file ? PASSPHRASE : null;
      return restoreBackup({ from: folder, home: join(root, to), passphrase, migrations: KNOWN, ...change });
    },
    newest: () => join(folder, last ?? ''),
    async end() {
      await stores.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Opens what lies in a home, restored or not. */
export async function openStores(home: string, migrations?: number) {
  const known = readMigrations().slice(0, migrations);
  const db = await openEmbeddedPostgres({ home, log: silent, settings: FAST, migrations: known });
  const journal = await openJournal({
    dir: join(home, 'journal'),
    max_bytes: 64 * 1024 ** 2,
    segment_bytes: 1024 ** 2,
  });
  const series = await openDuckDbSeries({ file: join(home, 'series.duckdb'), memory: '256MB' });
  const files = await openFolderFiles({ dir: join(home, 'files') });
  return {
    ...{ db, journal, series, files },
    /** Readings into the journal; resolves when they are acknowledged. */
    record: (meter: string, from_ms: number, values: readonly number[]) =>
      journal.append([
        {
          tenant: 'acme',
          source: 'test',
          device: null,
          received_ms: from_ms,
          readings: readings(meter, from_ms, values),
        },
      ]),
    /** What the journal holds into the series store. */
    async drain() {
      const reader = await openJournalReader(join(home, 'journal'));
      const groups = await reader.read(await series.readings.cursor(), 1e9);
      if (groups.length > 0) await series.readings.append(groups);
      await reader.close();
    },
    async values(meter: string): Promise<number[]> {
      const range = { meter, quantity: 'power_W', from_ms: 0, to_ms: 1e15 };
      return [...(await series.readings.read('acme', range)).values];
    },
    tenants: () =>
      db.asSystem(async (sql) => (await sql<{ id: string }>('select id from tenant order by 1')).map((t) => t.id)),
    async close() {
      for (const store of [files, series, journal, db]) await store.close();
    },
  };
}

function readings(meter: string, from_ms: number, values: readonly number[]): Reading[] {
  return values.map((value, i) => ({ meter, quantity: 'power_W', at_ms: from_ms + i * 1000, value, quality: 0 }));
}
