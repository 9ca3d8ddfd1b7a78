import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import { appendAndKill, CHILD, checkKilled, KILLS } from './append-and-kill.ts';
import { numberedGroup } from './numbered.ts';

describe('kill -9 while appending', () => {
  it('loses nothing and applies nothing twice in DuckDB', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'luna-kill-'));
    const file = join(dir, 'series.duckdb');
    for (let kill = 0; kill < KILLS; kill++) {
      const confirmed = await appendAndKill('duckdb', file, 40 + 97 * kill);
      const store = await openDuckDbSeries({ file, memory: '128MB' });
      expect(store.recovery).toBeNull();
      const cursor = await checkKilled(store, confirmed);
      const again = Array.from({ length: 5 }, (_, index) => numberedGroup(cursor - index)).reverse();
      expect(await store.readings.append(again)).toMatchObject({ applied: 0, ignored: 5 });
      await store.close();
    }
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

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
    // In the first quarter: a commit that was under way at the kill may be as long as those before it together.
    for (let at = wal.length >> 2; at < (wal.length >> 2) + 64; at++) wal[at]! ^= 0xff;
    writeFileSync(`${file}.wal`, wal);
    const store = await openDuckDbSeries({ file, memory: '128MB' });
    expect(await checkKilled(store, 0)).toBeLessThan(written);
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
