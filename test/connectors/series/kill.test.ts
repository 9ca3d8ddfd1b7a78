import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import { openQuestDbSeries } from '../../../connectors/series/questdb/questdb.ts';
import type { DrainedSeries } from '../../../connectors/series/store.ts';
import { hasQuestdb, startQuestdb } from '../../setup/questdb.ts';
import { numberedGroup, READINGS, START_MS } from './numbered.ts';

const KILLS = 4;
const CHILD = join(import.meta.dirname, 'append-child.ts');

/** Starts a child that appends, kills it some time after its first append. @returns the last number it had confirmed. */
async function appendAndKill(kind: string, where: string, after_ms: number): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, kind, where], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let confirmed = 0;
  child.stdout!.setEncoding('utf8');
  const ended = once(child, 'exit');
  await new Promise<void>((resolve) => {
    child.stdout!.on('data', (text: string) => {
      // The last piece may be half a line.
      for (const line of text.split('\n').slice(0, -1)) confirmed = Math.max(confirmed, Number(line) || 0);
      if (confirmed > 0) resolve();
    });
    void ended.then(() => resolve());
  });
  await sleep(after_ms);
  child.kill('SIGKILL');
  await ended;
  return confirmed;
}

/** The cursor says which groups were applied: those are there exactly once, nothing else is. */
async function check(store: DrainedSeries, confirmed: number): Promise<number> {
  const cursor = await store.readings.cursor();
  expect(cursor).toBeGreaterThanOrEqual(confirmed);
  const range = { quantity: 'power_W', from_ms: 0, to_ms: START_MS * 2 };
  const even = await store.readings.read('a', { meter: 'm0', ...range });
  const odd = await store.readings.read('a', { meter: 'm1', ...range });
  const expected = (READINGS / 2) * cursor;
  expect([even.at_ms.length, odd.at_ms.length]).toEqual([expected, expected]);
  const changes = await store.readings.changes('a', { meter: 'm0', ...range });
  expect(changes).toHaveLength(Math.floor(cursor / 10));
  const sum = even.values.reduce((total, value) => total + value, 0);
  let model = 0;
  for (let seq = 1; seq <= cursor; seq++)
    for (const reading of numberedGroup(seq).readings)
      if (reading.meter === 'm0') model += reading.value < 0 ? reading.value - (seq - 1) : reading.value;
  expect(sum).toBeCloseTo(model, 3);
  return cursor;
}

describe('kill -9 while appending', () => {
  it('loses nothing and applies nothing twice in DuckDB', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'luna-kill-'));
    const file = join(dir, 'series.duckdb');
    for (let kill = 0; kill < KILLS; kill++) {
      const confirmed = await appendAndKill('duckdb', file, 40 + 97 * kill);
      const store = await openDuckDbSeries({ file, memory: '128MB' });
      expect(store.recovery).toBeNull();
      const cursor = await check(store, confirmed);
      const again = Array.from({ length: 5 }, (_, index) => numberedGroup(cursor - index)).reverse();
      expect(await store.readings.append(again)).toMatchObject({ applied: 0, ignored: 5 });
      await store.close();
    }
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  it.skipIf(!hasQuestdb)(
    'loses nothing and applies nothing twice in QuestDB',
    async () => {
      const server = await startQuestdb();
      const url = `questdb://127.0.0.1:${server.http_port}?pg=${server.pg_port}`;
      try {
        for (let kill = 0; kill < KILLS; kill++) {
          const confirmed = await appendAndKill('questdb', url, 60 + 130 * kill);
          const store = await openQuestDbSeries({ url });
          await check(store, confirmed);
          await store.close();
        }
      } finally {
        await server.stop();
      }
    },
    120_000,
  );

  it('sets a damaged file aside, starts a new one and says what is lost', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'luna-damaged-'));
    const file = join(dir, 'series.duckdb');
    writeFileSync(file, Buffer.alloc(64 * 1024, 'no database'));
    const store = await openDuckDbSeries({ file, memory: '128MB' });
    expect(store.recovery).toMatch(/set aside as .*damaged/);
    expect(await store.readings.append([numberedGroup(1)])).toMatchObject({ applied: 1 });
    await store.close();
    expect(readdirSync(dir).filter((name) => name.includes('damaged'))).toHaveLength(1);
    rmSync(dir, { recursive: true, force: true });
  });

  it('stands at an earlier batch when the newest writes are damaged on disk', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'luna-wal-'));
    const file = join(dir, 'series.duckdb');
    await appendAndKill('duckdb', file, 100);
    // What the file holds unharmed: more than was confirmed, where the reader of confirmations was slow.
    const whole = join(dir, 'whole.duckdb');
    copyFileSync(file, whole);
    copyFileSync(`${file}.wal`, `${whole}.wal`);
    const unharmed = await openDuckDbSeries({ file: whole, memory: '128MB' });
    const written = await unharmed.readings.cursor();
    await unharmed.close();
    const wal = readFileSync(`${file}.wal`);
    for (let at = wal.length >> 1; at < (wal.length >> 1) + 64; at++) wal[at]! ^= 0xff;
    writeFileSync(`${file}.wal`, wal);
    const store = await openDuckDbSeries({ file, memory: '128MB' });
    expect(await check(store, 0)).toBeLessThan(written);
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('goes back to the last checkpoint when the newest writes cannot be read back', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'luna-wal-'));
    const file = join(dir, 'series.duckdb');
    await appendAndKill('duckdb', join(dir, 'other.duckdb'), 0);
    let store = await openDuckDbSeries({ file, memory: '128MB' });
    await store.readings.append([numberedGroup(1)]);
    await store.close();
    copyFileSync(join(dir, 'other.duckdb.wal'), `${file}.wal`);
    store = await openDuckDbSeries({ file, memory: '128MB' });
    expect(store.recovery).toMatch(/newest writes/);
    expect(await store.readings.cursor()).toBe(1);
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('refuses a file that another process has open, and leaves it alone', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'luna-lock-'));
    const file = join(dir, 'series.duckdb');
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, 'duckdb', file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await expect(openDuckDbSeries({ file, memory: '128MB' })).rejects.toThrow(/cannot be opened/);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(readdirSync(dir).some((name) => name.includes('damaged'))).toBe(false);
    rmSync(dir, { recursive: true, force: true });
  });
});
