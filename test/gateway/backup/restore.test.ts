/** A backup made while the stores go on, continued, and brought back into an empty home. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asOwner } from '../../../connectors/database/postgres/migrate.ts';
import { openJournal } from '../../../connectors/journal/journal.ts';
import { openJournalReader } from '../../../connectors/journal/reader.ts';
import { auditKeyFile, openAuditKey } from '../../../gateway/auth/audit-key.ts';
import { lookAtAudit } from '../../../gateway/backup/audit-look.ts';
import { sealText } from '../../../gateway/backup/manifest.ts';
import { appendHeads } from '../../../gateway/services/audit-head-file.ts';
import { openRig, openStores, type Rig, T0 } from './rig.ts';

let rig: Rig;
const HOUR = 3_600_000;
const repair = (reason: string, at_ms: number) =>
  rig.db.asTenant('acme', (sql) =>
    sql(
      `insert into repair_act (tenant_id, meter_id, quantity, from_ms, to_ms, kind, amount, state, by, at, reason)
       values ('acme', 'm', 'power_W', $1, $2, 'value', 9, 'done', 'anna', $3, $4)`,
      [T0, T0 + 1000, new Date(at_ms), reason],
    ),
  );
/** Readings that wait for a trusted clock, as gateway/services/clock-quarantine.ts keeps them. */
const hold = async (boot: string, values: readonly number[], released_seq = 0) => {
  const dir = join(rig.home, 'clock-quarantine', boot, 'acme');
  const journal = await openJournal({ dir, max_bytes: 1e9, segment_bytes: 1024 ** 2 });
  for (const value of values) {
    const reading = { meter: 'm', quantity: 'power_W', at_ms: -1 - value, value, quality: 0 };
    await journal.append([{ tenant: 'acme', source: 'mqtt', device: 'm', received_ms: value, readings: [reading] }]);
  }
  if (released_seq > 0) await journal.release(released_seq);
  await journal.close();
};
const held = async (home: string, boot: string) => {
  const dir = join(home, 'clock-quarantine', boot, 'acme');
  const journal = await openJournal({ dir, max_bytes: 1e9, segment_bytes: 1024 ** 2 });
  const reader = await openJournalReader(dir);
  const groups = await reader.read(journal.stats().released_seq, 1e9);
  await reader.close();
  await journal.close();
  return groups.flatMap(({ readings }) => readings.map(({ value }) => value));
};
/** Entries of the audit log, the last of them signed. */
const act = async (count: number) => {
  const columns = 'tenant_id, actor, act, object, detail';
  for (let n = 0; n < count; n++)
    await rig.db.asTenant('acme', (sql) =>
      sql(`insert into audit (${columns}) values ('acme', 'anna', 'site.save', $1, '{}')`, [`site ${n}`]),
    );
  const [last] = await rig.db.asTenant('acme', (sql) =>
    sql<{ id: number; hash: string }>('select id, hash from audit order by id desc limit 1'),
  );
  const { sign } = await openAuditKey(rig.home);
  await appendHeads(rig.home, [sign({ tenant: 'acme', ...last!, at: '2026-03-01T00:00:00.000Z' })]);
};
const tamper = (statement: string) =>
  asOwner(rig.db.cluster.connection, async (client) => {
    await client.query(`set session_replication_role = replica`);
    await client.query(statement);
  });
const offset = (home: string) => join(home, 'clock-quarantine/now/offset.json');

beforeAll(async () => {
  rig = await openRig();
  await hold('now', [1, 2]);
  await hold('thrown-away', [10]);
  await rig.record('m', T0, [1, 2, 3]);
  await rig.drain();
  await rig.record('m', T0 + 60_000, [4]);
  await rig.files.write('acme', 'rules.pdf', Buffer.from('a document'));
  await rig.files.write('acme', 'removed.pdf', Buffer.from('a document of somebody'));
  await repair('before', T0 - 2 * HOUR);
  await act(5);
  await rig.backup();
  // By a clock that was a year behind.
  await repair('after', T0 - 365 * 24 * HOUR);
  await rig.record('m', T0 + 120_000, [5, 6]);
  await rig.db.asSystem((sql) => sql(`insert into tenant (id, name) values ('later', 'Later')`));
  await rig.files.write('acme', 'later.pdf', Buffer.from('uploaded later'));
  await rig.files.remove('acme', 'removed.pdf');
  await hold('now', [3]);
  await rm(join(rig.home, 'clock-quarantine/thrown-away'), { recursive: true });
  await rig.round();
  await hold('now', [4], 2);
  await writeFile(offset(rig.home), '{"offset_ms":1000}');
  await rig.drain();
  await rig.record('m', T0 + 180_000, [7]);
  await rig.db.asSystem((sql) => sql(`insert into tenant (id, name) values ('latest', 'Latest')`));
  await rig.files.write('acme', 'later.pdf', Buffer.from('and replaced'));
  await act(1);
  await rig.round();
  await rig.record('m', T0 + 240_000, [8]);
}, 240_000);
afterAll(() => rig?.end());

describe('a restored backup', () => {
  it('holds everything up to the last round, each once', async () => {
    const report = await rig.restore('whole');
    expect(report).toMatchObject({ journal_records: 3, files: 2, audit_entries: 6, until_ms: T0 + 180_000 });
    expect(report.notes).toEqual([
      expect.stringMatching(/^\d+ messages with readings wait for their time/),
      expect.stringMatching(/erased after 2026-03-01T00:03:00.000Z are there again/),
    ]);
    const there = await openStores(join(rig.root, 'whole'));
    try {
      await there.drain();
      expect(await there.values('m')).toEqual([1, 2, 3, 4, 5, 6, 7]);
      expect(await there.series.readings.doubled()).toBe(0);
      expect(await there.tenants()).toEqual(expect.arrayContaining(['acme', 'later', 'latest']));
      // What the copy of the series store lacks is carried out again at the start.
      const acts = await there.db.asTenant('acme', (sql) => sql('select reason, state from repair_act order by n'));
      expect(acts).toEqual([
        { reason: 'before', state: 'done' },
        { reason: 'after', state: 'begun' },
      ]);
      expect((await there.files.read('acme', 'rules.pdf')).toString()).toBe('a document');
      expect((await there.files.read('acme', 'later.pdf')).toString()).toBe('and replaced');
      await expect(there.files.read('acme', 'removed.pdf'), 'a document that was removed').rejects.toThrow();
      expect(await readFile(join(rig.root, 'whole/secret-key'), 'utf8')).toBe(
        'the-key-of-this-box------------------------',
      );
      expect(await readFile(join(rig.root, 'whole/luna.yaml'), 'utf8')).toContain('abc123');
      // Numbers go on, so that no new reading is taken for one that is known.
      await there.record('m', T0 + 300_000, [9]);
      await there.drain();
      expect(await there.values('m')).toEqual([1, 2, 3, 4, 5, 6, 7, 9]);
    } finally {
      await there.close();
    }
  }, 180_000);

  it('holds the readings that wait for a trusted clock: none lost, none that was let through or thrown away', async () => {
    const home = join(rig.root, 'whole');
    expect(await held(home, 'now')).toEqual([3, 4]);
    expect(await readFile(offset(home), 'utf8')).toBe('{"offset_ms":1000}');
    expect(await readdir(join(home, 'clock-quarantine'))).toEqual(['now']);
  }, 180_000);

  it('stands at an earlier round where that is asked for', async () => {
    await rig.restore('earlier', { until_ms: T0 + 120_000 });
    const there = await openStores(join(rig.root, 'earlier'));
    try {
      await there.drain();
      expect(await there.values('m')).toEqual([1, 2, 3, 4, 5, 6]);
      expect(await there.tenants()).toContain('later');
      expect(await there.tenants()).not.toContain('latest');
      expect(await held(join(rig.root, 'earlier'), 'now')).toEqual([1, 2, 3]);
    } finally {
      await there.close();
    }
  }, 180_000);

  it('goes into a clean home only, or what is there goes aside; without the passphrase the keys stay sealed', async () => {
    const home = join(rig.root, 'used');
    await mkdir(home);
    await writeFile(join(home, 'luna.yaml'), 'port: 1234\n');
    await expect(rig.restore('used')).rejects.toThrow(/is not empty \(luna.yaml\)/);
    const told: string[] = [];
    await expect(rig.restore('used', { progress: (line) => told.push(line) })).rejects.toThrow(/is not empty/);
    expect(told, 'refused before the backup is read').toEqual([]);
    await expect(rig.restore('wrong', { passphrase: 'another passphrase' })).rejects.toThrow(
      /passphrase does not open/,
    );
    expect(await readdir(home)).toEqual(['luna.yaml']);
    expect(await readdir(join(rig.root, 'wrong')).catch(() => [])).toEqual([]);
    // What was moved aside is back when the restore fails.
    const manifest = join(rig.newest(), 'manifest.json');
    const text = await readFile(manifest, 'utf8');
    const { series, ...rest } = JSON.parse(text.split('\n')[0]!);
    series.tables.reading.rows += 1;
    await writeFile(manifest, sealText({ ...rest, series }, null));
    const failing = rig.restore('used', { force_aside: true, without_log: true, passphrase: null });
    await expect(failing).rejects.toThrow(/does not hold what the backup says/);
    await writeFile(manifest, text);
    expect((await readdir(home)).filter((name) => !name.startsWith('luna.lock'))).toEqual(['luna.yaml']);
    expect((await readdir(rig.root)).filter((name) => name.includes('aside'))).toEqual([]);
    const { aside, notes } = await rig.restore('used', { force_aside: true, without_log: true, passphrase: null });
    expect(await readFile(join(aside ?? '', 'luna.yaml'), 'utf8')).toBe('port: 1234\n');
    expect(notes.join()).toMatch(/keys stayed sealed.*must be entered again/);
    expect(await readdir(home)).not.toContain('secret-key');
    expect(await readFile(join(home, 'luna.yaml'), 'utf8')).not.toContain('abc123');
    // As of the backup itself, what waited for a trusted clock then.
    expect(await held(home, 'now')).toEqual([1, 2]);
    expect(await held(home, 'thrown-away')).toEqual([10]);
  }, 180_000);

  it('is followed along its audit log first: with an entry changed or cut off nothing is restored', async () => {
    const look = () => lookAtAudit(rig.db.cluster.connection, rig.home, true);
    expect(await look()).toEqual({ entries: 6, other_keys: [] });
    await tamper(`update luna.audit set actor = 'nobody' where id = 2`);
    await expect(look()).rejects.toThrow(/audit log of acme.*Entry 2 .*not as it was written/);
    await tamper(`update luna.audit set actor = 'anna' where id = 2`);
    await rm(auditKeyFile(rig.home));
    expect(await look(), 'a key that was lost says nothing against the entries').toMatchObject({
      other_keys: ['acme'],
    });
    await tamper(`delete from luna.audit where id = (select max(id) from luna.audit)`);
    await rig.backup();
    await expect(rig.restore('cut')).rejects.toThrow(/audit log of acme.*is missing/);
    expect((await readdir(join(rig.root, 'cut'))).filter((name) => !name.startsWith('luna.lock'))).toEqual([]);
  }, 180_000);
});
