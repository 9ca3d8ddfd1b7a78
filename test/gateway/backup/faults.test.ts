/** What goes wrong while a backup is made, and backups of other versions. */
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkBackup } from '../../../gateway/backup/check.ts';
import { clearLeftovers, dropOld, idOf, keptIds, listIds, logOf, timeOf } from '../../../gateway/backup/folder.ts';
import { sealText } from '../../../gateway/backup/manifest.ts';
import { redacted } from '../../../gateway/backup/redact.ts';
import { KNOWN, openRig, openStores, PASSPHRASE, type Rig, T0 } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
  await rig.record('m', T0, [1, 2, 3]);
  await rig.drain();
  await rig.backup();
}, 120_000);
afterAll(() => rig?.end());

const whole = () => checkBackup(rig.newest(), { passphrase: PASSPHRASE, migrations: KNOWN });
const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
/** Runs out of space at the nth piece. */
const fullAt = (n: number) => {
  let pieces = 0;
  return () => {
    pieces++;
    if (pieces === n) throw full;
  };
};

describe('a disk that is full', () => {
  it.each([1, 40, 400])('at piece %i of a backup: none is made, nothing is left, the older one stays', async (n) => {
    await expect(rig.backup({ onPiece: fullAt(n) })).rejects.toThrow(/disk of the backups is full/);
    expect((await readdir(rig.folder)).filter((name) => name.startsWith('.'))).toEqual([]);
    await whole();
  });

  it.each([1, 2])(
    'at piece %i of a continuation: what was copied before stays whole, and the next one makes up for it',
    async (n) => {
      await rig.record('m', T0 + n * 60_000, [n]);
      const before = (await whole()).rounds.length;
      await expect(rig.round({ onPiece: fullAt(n) })).rejects.toThrow(/disk of the backups is full/);
      expect((await whole()).rounds).toHaveLength(before);
      await rig.round();
      expect((await whole()).rounds).toHaveLength(before + 1);
    },
  );
});

describe('a kill', () => {
  it('in the middle of a backup leaves a draft, which is never taken for one, and goes at the next', async () => {
    const before = await listIds(rig.folder);
    const stopped = new AbortController();
    const killed = rig.backup({ signal: stopped.signal, onPiece: () => stopped.abort(new Error('killed')) });
    await expect(killed).rejects.toThrow();
    // As kill -9 leaves it: everything but the name.
    const draft = join(rig.folder, `.draft-${idOf(1, T0)}`);
    await cp(rig.newest(), draft, { recursive: true });
    expect(await listIds(rig.folder)).toEqual(before);
    await clearLeftovers(rig.folder);
    expect(await readdir(rig.folder)).not.toContain(`.draft-${idOf(1, T0)}`);
  });

  it('in the middle of a continuation leaves the backup whole', async () => {
    const { rounds } = await whole();
    const half = join(logOf(rig.newest()), `r${rounds.length + 1}`, 'wal');
    await mkdir(half, { recursive: true });
    await writeFile(join(half, '000000010000000000000009.gz'), 'half');
    expect((await whole()).rounds).toHaveLength(rounds.length);
    await rig.round();
    expect((await whole()).rounds).toHaveLength(rounds.length + 1);
  });
});

describe('a backup of another version', () => {
  it('that is newer is refused by name', async () => {
    const known = KNOWN.slice(0, -1);
    const check = checkBackup(rig.newest(), { passphrase: PASSPHRASE, migrations: known });
    await expect(check).rejects.toThrow(new RegExp(`newer Luna.*${KNOWN.at(-1)}`));
  });

  it('that is older is restored, and its database migrated at the next start', async () => {
    const old = await openRig({ old: true });
    try {
      await old.record('m', T0, [1, 2]);
      await old.backup();
      await old.restore('now');
      const now = await openStores(join(old.root, 'now'));
      try {
        const done = await now.db.asSystem((sql) => sql<{ name: string }>('select name from migration order by name'));
        expect(done.map(({ name }) => name)).toEqual(KNOWN);
        expect(await now.tenants()).toContain('acme');
        await now.drain();
        expect(await now.values('m')).toEqual([1, 2]);
      } finally {
        await now.close();
      }
    } finally {
      await old.end();
    }
  }, 90_000);
});

it('that does not hold the rows it says is not restored, however well it is sealed', async () => {
  const file = join(rig.newest(), 'manifest.json');
  const text = await readFile(file, 'utf8');
  const manifest = JSON.parse(text.split('\n')[0]!);
  manifest.series.tables.reading.rows += 1;
  await writeFile(file, sealText(manifest, null));
  const restored = rig.restore('short', { passphrase: null, without_log: true });
  await expect(restored).rejects.toThrow(
    /series store does not hold what the backup says: reading \(3 rows, 4 stated\)/,
  );
  expect((await readdir(join(rig.root, 'short'))).filter((name) => !name.startsWith('luna.lock'))).toEqual([]);
  await writeFile(file, text);
}, 60_000);

describe('which backups stay', () => {
  it('the newest of each of the last days and weeks, and always two', () => {
    const DAY = 86_400_000;
    const ids = Array.from({ length: 60 }, (_, n) => idOf(n + 1, T0 + n * DAY + 3_600_000));
    const kept = [...keptIds(ids, { daily: 7, weekly: 4 }, T0 + 61 * DAY)].sort().reverse();
    expect(kept.slice(0, 7)).toEqual(ids.slice(-7).reverse());
    expect(kept.length).toBeGreaterThanOrEqual(9);
    expect(kept.length).toBeLessThanOrEqual(11);
    expect(timeOf(kept.at(-1)!)).toBeGreaterThan(T0 + 59 * DAY - 29 * DAY);
    expect(keptIds(ids.slice(0, 2), { daily: 0, weekly: 0 }, T0 + 61 * DAY)).toHaveLength(2);
  });

  it('and nothing else in the folder is touched', async () => {
    await writeFile(join(rig.folder, 'holiday.jpg'), 'a picture');
    // Older ones, of which only the names count here.
    const older = [1, 2].map((n) => idOf(0, T0 - n * 86_400_000));
    for (const id of older) await mkdir(join(rig.folder, id));
    const before = await listIds(rig.folder);
    const gone = await dropOld(rig.folder, { daily: 0, weekly: 0 }, Date.now());
    expect(gone).toEqual(before.slice(2));
    expect(gone.length).toBeGreaterThan(0);
    expect(await listIds(rig.folder)).toEqual(before.slice(0, 2));
    expect(await readdir(rig.folder)).toEqual(expect.arrayContaining(['holiday.jpg', 'box.json']));
    await whole();
  });
});

describe('what a backup must not tell', () => {
  it('holds no key and no token in the clear', async () => {
    const { manifest } = await whole();
    for (const { path } of manifest.entries) {
      const text = (await readFile(join(rig.newest(), path))).toString('latin1');
      expect(text.includes('the-key-of-this-box------------------------'), path).toBe(false);
      expect(text.includes('abc123'), path).toBe(false);
    }
  });

  it('leaves secrets out of the configuration, and names them', () => {
    const yaml = 'port: 80\nercot_password: x\ntls_key: /etc/key.pem\ndatabase: postgres://a:geheim@h/d\nhost: h\n';
    const queried = redacted('provider_urls:\n  entsoe: https://mirror.local/api?securityToken=geheim\nport: 80\n');
    expect(queried).toBe('# Left out of this copy, because they hold secrets: provider_urls\nport: 80\n');
    expect(redacted(yaml)).toBe(
      '# Left out of this copy, because they hold secrets: ercot_password, database\nport: 80\ntls_key: /etc/key.pem\nhost: h\n',
    );
  });
});

it('takes no folder of another box', async () => {
  await expect(rig.backup({}, { box: 'box-2' })).rejects.toThrow(/backups of another box/);
});
