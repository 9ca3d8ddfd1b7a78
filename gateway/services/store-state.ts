/** Whether the series store takes readings, what waits for it meanwhile, and when the journal will have no more room. */
import { statfs } from 'node:fs/promises';
import type { WorkerSeries } from '../series.ts';
import type { Base } from '../services.ts';
import type { ReadingCounts } from './reading-counts.ts';

export type StoreState = {
  up: boolean;
  /** Since it is up or away. */
  since_ms: number;
  /** Why it is away; null while it is there. */
  reason: string | null;
  /** Journal records and readings on their way into it. */
  waiting_records: number;
  waiting_readings: number;
  /** Hours until the journal or the disk is full at the present rate; null where that is not known or not ahead. */
  full_in_h: number | null;
};

export type StoreStateDeps = Pick<Base, 'config' | 'clock' | 'journal'> & {
  series: { drain: Pick<WorkerSeries['drain'], 'lag' | 'state'> };
  books: Pick<ReadingCounts, 'book'>;
  freeBytes?: (folder: string) => Promise<number>;
};
type Sample = { at_ms: number; bytes: number };

/** The present rate is that of the last ten minutes; one minute is too little to tell. */
const WINDOW_MS = 600_000;
const LEAST_MS = 60_000;
const HOUR_MS = 3_600_000;

/** `look` is called every few seconds; `now` costs nothing. */
export function createStoreState(deps: StoreStateDeps): { now(): StoreState; look(): Promise<void> } {
  const { config, clock, journal, series, books, freeBytes = freeOf } = deps;
  let samples: Sample[] = [];
  let free_bytes = Number.POSITIVE_INFINITY;

  function fullIn_h(): number | null {
    const [first, last] = [samples[0], samples.at(-1)];
    if (!first || !last || last.at_ms - first.at_ms < LEAST_MS) return null;
    const perHour = ((last.bytes - first.bytes) / (last.at_ms - first.at_ms)) * HOUR_MS;
    const room = Math.min(config.journal_max_bytes - last.bytes, free_bytes);
    return perHour > 0 ? Math.max(0, room) / perHour : null;
  }
  return {
    async look() {
      const at_ms = clock.now();
      if (series.drain.state().up) {
        samples = [];
        return;
      }
      samples = [...samples, { at_ms, bytes: journal.stats().bytes }].filter((one) => at_ms - one.at_ms <= WINDOW_MS);
      free_bytes = await freeBytes(config.home);
    },
    now() {
      const { up, since_ms, reason } = series.drain.state();
      const waiting_records = series.drain.lag();
      const waiting_readings = waiting_records === 0 ? 0 : books.book().total.waiting;
      return { up, since_ms, reason, waiting_records, waiting_readings, full_in_h: up ? null : fullIn_h() };
    },
  };
}

async function freeOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
