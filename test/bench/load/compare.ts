/** Compares what was acknowledged with what the store gives back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { readMetrics, readStored } from './box.ts';
import type { LoadResult } from './protocol.ts';

/** The value that message `n` carries. */
const messageValue = (n: number): number => (n % 5000) + 0.5;
type Acknowledged = LoadResult['acknowledged'];

/** Messages asked for at once: an answer has at most 400,000 values. */
const PIECE = 200_000;

export type PushedOutcome = {
  /** Acknowledged readings that are not in the store with their value. */
  lost: number;
  /** Readings that are there more than once. */
  duplicated: number;
};

/**
 * Holds what meters pushed against what the store gives back, what lies a while before and behind it included.
 * @throws when the store holds a reading that was never sent
 */
export async function comparePushed(
  url: string,
  key: string,
  base_ms: number,
  acknowledged: Acknowledged,
): Promise<PushedOutcome> {
  const outcome: PushedOutcome = { lost: 0, duplicated: 0 };
  for (const { meter, sent, contiguous, others } of acknowledged)
    for (let from = -PIECE; from <= sent; from += PIECE) {
      const readings = await readStored(url, key, meter, base_ms + from, base_ms + from + PIECE);
      const stored = new Map(readings.map(({ at_ms, value }) => [at_ms, value]));
      outcome.duplicated += readings.length - stored.size;
      for (const [at_ms, value] of stored) {
        const n = at_ms - base_ms;
        if (n < 0 || n >= sent || value !== messageValue(n))
          throw new Error(`${meter} has ${value} W as its reading ${n}, which was never sent`);
      }
      const missing = (n: number) => !stored.has(base_ms + n);
      for (let n = Math.max(0, from); n < Math.min(contiguous, from + PIECE); n++) if (missing(n)) outcome.lost++;
      outcome.lost += others.filter((n) => n >= from && n < from + PIECE && missing(n)).length;
    }
  return outcome;
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
