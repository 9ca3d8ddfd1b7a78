/** Compares what was acknowledged with what the store gives back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { readMetrics, readStored } from './box.ts';
import type { LoadResult } from './protocol.ts';

/** The value that message `n` carries. */
const messageValue = (n: number): number => (n % 5000) + 0.5;
type Acknowledged = LoadResult['acknowledged'];

/** Messages asked for at once: an answer has at most 400,000 values. */
const PIECE = 200_000;

/** @returns how many acknowledged readings are not in the store with their value. */
export async function countLost(
  url: string,
  key: string,
  base_ms: number,
  acknowledged: Acknowledged,
): Promise<number> {
  let lost = 0;
  for (const { meter, contiguous, others } of acknowledged)
    for await (const { from, readings } of storedPieces(url, key, base_ms, { meter, contiguous, others })) {
      const stored = new Map(readings.map(({ at_ms, value }) => [at_ms, value]));
      const missing = (n: number) => stored.get(base_ms + n) !== messageValue(n);
      for (let n = from; n < Math.min(contiguous, from + PIECE); n++) if (missing(n)) lost++;
      lost += others.filter((n) => n >= from && n < from + PIECE && missing(n)).length;
    }
  return lost;
}

async function* storedPieces(url: string, key: string, base_ms: number, series: Acknowledged[number]) {
  const last = series.others.reduce((max, n) => Math.max(max, n), series.contiguous - 1);
  for (let from = 0; from <= last; from += PIECE) {
    const to = Math.min(last + 1, from + PIECE);
    yield { from, readings: await readStored(url, key, series.meter, base_ms + from, base_ms + to) };
  }
}

/** Waits until the drain has brought everything into the store. @returns the seconds it took */
export async function drained(url: string, key: string, timeout_s = 120): Promise<number> {
  const begun = performance.now();
  // The metric is told once a second.
  await sleep(1200);
  for (;;) {
    const metric = await readMetrics(url, key);
    const seconds = (performance.now() - begun) / 1000;
    if (metric('luna_drain_lag_records') === 0) return seconds;
    if (seconds > timeout_s) throw new Error(`${metric('luna_drain_lag_records')} records are not drained`);
    await sleep(100);
  }
}
