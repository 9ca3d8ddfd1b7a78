/** A process that appends numbered groups and is killed, and the look at what it left. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { DrainedSeries } from '../../../connectors/series/store.ts';
import { numberedGroup, READINGS, START_MS } from './numbered.ts';

export const KILLS = 4;
export const CHILD = join(import.meta.dirname, 'append-child.ts');

/** Starts a child that appends, kills it some time after its first append. @returns the last number it had confirmed. */
export async function appendAndKill(kind: string, where: string, after_ms: number): Promise<number> {
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
  expect(confirmed).toBeGreaterThan(0);
  return confirmed;
}

/** The cursor says which groups were applied: those are there exactly once, nothing else is. */
export async function checkKilled(store: DrainedSeries, confirmed: number): Promise<number> {
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
