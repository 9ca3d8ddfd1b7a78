/** `luna move` as people use it: a box into servers of its own, killed on the way and gone on with, and back into files. */
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeSite } from '../bench/load/box.ts';
import { NODE_ENVIRONMENT, NODE_FLAGS, startBox } from '../setup/box.ts';
import { copyTemplate } from '../setup/database.ts';
import { ROOT } from '../setup/environment.ts';
import { type ExternalPostgres, startExternalPostgres } from '../setup/external-postgres.ts';
import { hasQuestdb, type QuestdbServer, startQuestdb } from '../setup/questdb.ts';
import { type FakeS3, startFakeS3 } from '../setup/s3-fake.ts';

const T0 = Date.UTC(2026, 2, 1);
const READINGS = 600;
/** Stores of the embedded size; everything else in a home goes along. */
const STORES = /^(postgres|series\.duckdb.*|files)$/;
type Moved = { database: { tables: number; rows: number }; files: { files: number }; series: Record<string, number> };

describe.skipIf(!hasQuestdb)('luna move', () => {
  let folder: string;
  let questdb: QuestdbServer;
  let postgres: ExternalPostgres;
  let s3: FakeS3;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'luna-move-'));
    [questdb, postgres, s3] = await Promise.all([startQuestdb(), startExternalPostgres(), startFakeS3()]);
  }, 300_000);
  afterAll(async () => {
    await Promise.all([questdb?.stop(), postgres?.stop(), s3?.close()]);
    await rm(folder, { recursive: true, force: true });
  });

  it('carries everything there and back, though it is killed on the way', async () => {
    const [home, other] = [join(folder, 'home'), join(folder, 'other')];
    await mkdir(home);
    await copyTemplate(home);
    const key = await fill(home);
    const place = await postgres.database();
    const target = [
      '--to',
      questdb.url,
      '--postgres',
      place.url,
      '--postgres-owner',
      place.owner_url,
      '--files',
      s3.url,
    ];
    // The tables are in the target by then, and the series are not.
    expect(await move(home, target, {}, /files: 1 of 1/)).toBeNull();
    const there = await move(home, target);
    expect(there?.series).toMatchObject({ reading: READINGS });
    expect(there?.database.rows).toBeGreaterThan(10);
    expect(there?.files.files).toBe(1);
    expect(s3.objects.size).toBe(1);

    await cp(home, other, { recursive: true, filter: (path) => !STORES.test(path.slice(home.length + 1)) });
    expect((await readdir(other)).filter((name) => STORES.test(name))).toEqual([]);
    const servers = {
      ...{ LUNA_SERIES: questdb.url, LUNA_DATABASE: place.url, LUNA_DATABASE_OWNER: place.owner_url },
      LUNA_FILES: s3.url,
    };
    const back = await move(other, ['--to', 'duckdb', '--postgres', 'embedded', '--files', 'folder'], servers);
    expect(back).toEqual(there);
    const box = await startBox({}, other);
    try {
      expect(await values(box.url, key)).toEqual(Array.from({ length: READINGS }, (_, n) => n));
    } finally {
      await box.stop();
    }
  }, 300_000);

  /** A site, a meter with readings, a document. @returns an API key */
  async function fill(home: string): Promise<string> {
    const box = await startBox({}, home);
    try {
      const { key } = await box.lunaJson<{ key: string }>('key', 'create', '--role', 'admin');
      await makeSite(box.url, key);
      await box.luna('user', 'add', 'ada', '--role', 'admin', '--password', 'nine rivers and a bridge');
      await box.luna('device', 'create', 'grid');
      const file = join(folder, 'readings.csv');
      const rows = Array.from({ length: READINGS }, (_, n) => `${new Date(T0 + n * 60_000).toISOString()},grid,${n}`);
      await writeFile(file, `at,meter,power_W\n${rows.join('\n')}\n`);
      await box.luna('import', file);
      const form = new FormData();
      form.set(
        'file',
        new Blob(['<html><body><h1>1 Rules</h1><p>Gates are shut at night.</p></body></html>']),
        'rules.html',
      );
      const answer = await fetch(`${box.url}/api/v1/documents`, {
        ...{ method: 'POST', headers: { authorization: `Bearer ${key}` }, body: form },
      });
      expect(answer.status, await answer.text()).toBeLessThan(300);
      return key;
    } finally {
      await box.stop();
    }
  }
});

/** @param kill_at killed once it says this. @returns what it told; null where it was killed */
function move(
  home: string,
  args: readonly string[],
  environment: Record<string, string> = {},
  kill_at?: RegExp,
): Promise<Moved | null> {
  const child = spawn(process.execPath, [...NODE_FLAGS, join(ROOT, 'gateway/main.ts'), 'move', ...args, '--json'], {
    env: { PATH: process.env.PATH, ...NODE_ENVIRONMENT, ...environment, LUNA_HOME: home },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
    if (kill_at?.test(err)) child.kill('SIGKILL');
  });
  return new Promise((done, fail) => {
    child.once('close', (code, signal) => {
      if (signal === 'SIGKILL') done(null);
      else if (code === 0) done(JSON.parse(out) as Moved);
      else fail(new Error(`luna move ended with ${code}: ${err}`));
    });
  });
}

async function values(url: string, key: string): Promise<number[]> {
  const asked = new URLSearchParams({ meter: 'grid', quantity: 'power_W', resolution: 'raw' });
  asked.set('from', String(T0));
  asked.set('to', String(T0 + READINGS * 60_000));
  const answer = await fetch(`${url}/api/v1/data/query?${asked}`, { headers: { authorization: `Bearer ${key}` } });
  const { points } = (await answer.json()) as { points: { value: number }[] };
  return points.map(({ value }) => value);
}
