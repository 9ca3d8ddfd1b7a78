/** What a power cut or a bad disk leaves of DuckDB's write-ahead log. */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import { numberedGroup } from './numbered.ts';

const COMMITS = 6;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'luna-log-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** The files of a store after some commits, as a power cut would leave them, and the length of the log after each. */
async function cutOff(): Promise<{ file: string; lengths: number[] }> {
  const living = join(dir, 'living.duckdb');
  const file = join(dir, 'series.duckdb');
  const store = await openDuckDbSeries({ file: living, memory: '128MB' });
  const lengths: number[] = [];
  for (let seq = 1; seq <= COMMITS; seq++) {
    await store.readings.append([numberedGroup(seq)]);
    lengths.push(readFileSync(`${living}.wal`).length);
  }
  copyFileSync(living, file);
  copyFileSync(`${living}.wal`, `${file}.wal`);
  await store.close();
  return { file, lengths };
}

function spoil(file: string, from: number, to: number): void {
  const bytes = readFileSync(file);
  bytes.fill(0, from, to);
  writeFileSync(file, bytes);
}

const setAside = () => readdirSync(dir).filter((name) => name.includes('damaged'));

describe('the write-ahead log of DuckDB', () => {
  it.each([
    { what: 'its beginning', from: 8, to: 60 },
    { what: 'its middle', from: 60, to: 120 },
    { what: 'all of it', from: 0, to: 1e6 },
  ])('loses only the commit that was under way when the power tore $what', async ({ from, to }) => {
    const { file, lengths } = await cutOff();
    const [begin, end] = lengths.slice(-2) as [number, number];
    spoil(`${file}.wal`, begin + from, Math.min(end, begin + to));
    const store = await openDuckDbSeries({ file, memory: '128MB' });
    expect(await store.readings.cursor()).toBe(COMMITS - 1);
    expect(store.recovery).toBeNull();
    expect(setAside()).toEqual([]);
    await store.readings.append([numberedGroup(COMMITS)]);
    await store.close();
    const again = await openDuckDbSeries({ file, memory: '128MB' });
    expect(await again.readings.cursor()).toBe(COMMITS);
    await again.close();
  });

  it('keeps what stands before damage to a commit that was confirmed, and says what is lost', async () => {
    const { file, lengths } = await cutOff();
    spoil(`${file}.wal`, lengths[2]! + 60, lengths[2]! + 80);
    const store = await openDuckDbSeries({ file, memory: '128MB' });
    expect(await store.readings.cursor()).toBe(3);
    expect(store.recovery).toMatch(/newest writes/);
    expect(setAside()).toHaveLength(1);
    await store.close();
  });
});
