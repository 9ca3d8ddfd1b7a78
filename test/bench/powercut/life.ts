/**
 * One life of the box's store of readings, in a process of its own: the journal and the series worker as the box wires
 * them, over one folder. Says what it found there, then takes readings until it is killed.
 */
import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { createMemoryBus } from '../../../connectors/bus/memory.ts';
import { openJournal } from '../../../connectors/journal/journal.ts';
import { Quality } from '../../../engine/model/quality.ts';
import { createRandom } from '../../../engine/random.ts';
import { startDrain } from '../../../gateway/drain.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { openSeriesWorker } from '../../../gateway/series.ts';
import { ACKNOWLEDGED } from './trace.ts';

/** What a life finds when it starts. */
export type Found = {
  /** Numbers of the readings in the store, those stored with another value or twice left out. */
  stored: number[];
  /** Readings whose value is not the one that was sent, or that are there twice, and records applied twice. */
  duplicated: number;
  /** What was set aside or given up, in words. */
  repairs: string[];
  start_s: number;
};
export type LifeOrder = { dir: string; seed: number; first: number };

const BASE_MS = Date.UTC(2026, 0, 1);
const METERS = ['hall', 'roof', 'a meter point with a name that is longer than most', 'd'];
const SENDERS = 6;

const EMPTY_BOOK = {
  ...{ sources: {}, missing: 0, complete: true },
  total: { received: 0, stored: 0, duplicate: 0, rejected: 0, dead: 0, waiting: 0 },
};

const { dir, seed, first } = JSON.parse(process.argv[2]!) as LifeOrder;
const random = createRandom(seed);
const begun = performance.now();
const log = pino({ level: 'silent' });
const journal = await openJournal({
  dir: join(dir, 'journal'),
  max_bytes: 64 * 1024 ** 2,
  // Small segments and checkpoints, so that both come several times in a short life.
  segment_bytes: 64 * 1024,
  onCommit: () => series.drain.notify(),
});
const series = await openSeriesWorker({
  store: { kind: 'duckdb', file: join(dir, 'series.duckdb'), memory: '256MB', checkpoint: '200KB' },
  journal_dir: join(dir, 'journal'),
  durable: journal.durable,
  released_seq: journal.stats().released_seq,
  given_seq: journal.given_seq,
  slots_every_ms: 200,
  keep_readings_days: null,
});
await startDrain({
  ...{ bus: createMemoryBus({ log }), log, metrics: createMetrics(), journal, series },
  site: { tenants: () => ['default'] },
  meters: { list: () => [], onChange: () => () => {} },
  loads: { forget: async () => {} },
  ratingOf: () => ({}),
  books: { applied() {}, book: () => EMPTY_BOOK, save: async () => {} },
  release_every_ms: 0,
});
while (!series.drain.state().up || series.drain.lag() > 0) {
  if (performance.now() - begun > 60_000) throw new Error(`not drained: ${JSON.stringify(series.drain.state())}`);
  await new Promise((done) => setTimeout(done, 5));
}
process.send!({ found: await look() } satisfies { found: Found });

const acknowledged = openSync(join(dir, ACKNOWLEDGED), 'a');
let next = first;
for (let sender = 0; sender < SENDERS; sender++) void take();

/** Sends groups of readings, one after another; what is in the journal counts as acknowledged. */
async function take(): Promise<void> {
  for (;;) {
    const count = 1 + Math.floor(random() ** 3 * 60);
    const numbers = Array.from({ length: count }, () => next++);
    const readings = numbers.map((n) => ({
      ...{ meter: meterOf(n), quantity: 'power_W', at_ms: BASE_MS + n * 1000, value: n + 0.5, quality: 0 },
    }));
    await journal.append([{ tenant: 'default', source: 'mqtt', device: 'hall', received_ms: BASE_MS, readings }]);
    writeSync(acknowledged, numbers.map((n) => `${n}\n`).join(''));
  }
}

function meterOf(n: number): string {
  return METERS[n % METERS.length]!;
}

async function look(): Promise<Found> {
  const { recovery, doubled } = series.drain.state();
  const repairs = [recovery, ...journal.stats().quarantined].filter((text): text is string => text !== null);
  const found: Found = {
    ...{ stored: [], duplicated: doubled ?? 0, repairs },
    start_s: (performance.now() - begun) / 1000,
  };
  for (const meter of METERS) {
    const range = { meter, quantity: 'power_W', from_ms: 0, to_ms: 8e15 };
    const { at_ms, values, quality } = await series.readings.read('default', range);
    for (const [index, at] of at_ms.entries()) {
      const n = (at - BASE_MS) / 1000;
      const wrong = values[index] !== n + 0.5 || at === at_ms[index - 1] || (quality[index]! & Quality.CHANGED) !== 0;
      if (wrong) found.duplicated++;
      else found.stored.push(n);
    }
  }
  return found;
}
