/** What the drain meets in the journal while the box runs. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { createMemoryBus } from '../../connectors/bus/memory.ts';
import { openJournal } from '../../connectors/journal/journal.ts';
import type { Journal, SeriesStore } from '../../engine/ports.ts';
import { ConfigSchema } from '../../gateway/config.ts';
import { startDrain } from '../../gateway/drain.ts';
import { createMetrics } from '../../gateway/metrics.ts';
import { openSeriesWorker } from '../../gateway/series.ts';
import { createStoreWatch } from '../../gateway/services/store-watch.ts';
import type { AlertService, SiteService } from '../../gateway/services.ts';
import { silent } from '../setup/database.ts';

const GROUPS = 150;
const EMPTY_BOOK = {
  ...{ sources: {}, missing: 0, complete: true },
  total: { received: 0, stored: 0, duplicate: 0, rejected: 0, dead: 0, waiting: 0 },
};

async function segmentsIn(dir: string): Promise<string[]> {
  return (await readdir(dir)).filter((name) => name.endsWith('.journal')).sort();
}

/** @returns the alerts that a watch of this journal raises, once it has looked */
async function alertsOf(home: string, journal: Journal): Promise<string[]> {
  const raised: string[] = [];
  vi.useFakeTimers();
  const watch = createStoreWatch({
    ...{ config: ConfigSchema.parse({ home }), clock: Date, log: silent, journal },
    series: { ping: async () => {} } as SeriesStore,
    health: { look: async () => {} },
    site: { tenants: () => ['default'] } as unknown as SiteService,
    alerts: {
      list: async () => [],
      raise: async (_tenant: string, kind: string, object: string) => void raised.push(`${kind} ${object}`),
      clear: async () => {},
    } as unknown as AlertService,
  });
  watch.start();
  await vi.advanceTimersByTimeAsync(6000);
  vi.useRealTimers();
  await vi.waitFor(() => expect(raised).not.toEqual([]));
  watch.close();
  return raised;
}

it('damage that is met while the box runs raises an alert, and the segment is set aside before it is released', async () => {
  const root = await mkdtemp(join(tmpdir(), 'luna-drain-'));
  const dir = join(root, 'journal');
  const journal = await openJournal({ dir, max_bytes: 2 ** 24, segment_bytes: 2000 });
  const readings = [{ meter: 'hall', quantity: 'power_W', at_ms: 1.78e12, value: 1, quality: 0 }];
  for (let n = 0; n < GROUPS; n++)
    await journal.append([{ tenant: 'default', source: 'mqtt', device: 'hall', received_ms: 1.78e12, readings }]);
  const [name] = await segmentsIn(dir);
  const bytes = await readFile(join(dir, name!));
  bytes[40]! ^= 0x10;
  await writeFile(join(dir, name!), bytes);
  const series = await openSeriesWorker({
    store: { kind: 'duckdb', file: join(root, 'series.duckdb'), memory: '256MB' },
    ...{ journal_dir: dir, durable: journal.durable, released_seq: 0, given_seq: journal.given_seq },
  });
  try {
    await startDrain({
      ...{ bus: createMemoryBus({ log: silent }), log: silent, metrics: createMetrics(), journal, series },
      site: { tenants: () => ['default'] },
      meters: { list: () => [], onChange: () => () => {} },
      loads: { forget: async () => {} },
      ratingOf: () => ({}),
      books: { applied() {}, book: () => EMPTY_BOOK, save: async () => {} },
      release_every_ms: 0,
    });
    for (let n = 0; n < 600 && (await segmentsIn(dir)).includes(name!); n++) await sleep(50);
    expect(await segmentsIn(dir)).not.toContain(name);
    expect(await readFile(join(dir, `${name}.quarantined`))).toEqual(bytes);
    expect(await alertsOf(root, journal)).toEqual([`journal_quarantine ${name}.quarantined`]);
  } finally {
    await series.close();
    await journal.close();
  }
  const again = await openJournal({ dir, max_bytes: 2 ** 24, segment_bytes: 2000 });
  expect(again.stats().quarantined).toEqual([`${name}.quarantined`]);
  await again.close();
  await rm(root, { recursive: true, force: true });
}, 60_000);

it('a segment that was set aside while it was drained is not set aside again at the next start', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'luna-drain-'));
  const bounds = { dir, max_bytes: 2 ** 24, segment_bytes: 2 ** 20 };
  const journal = await openJournal(bounds);
  const readings = [{ meter: 'hall', quantity: 'power_W', at_ms: 1.78e12, value: 1, quality: 0 }];
  for (let n = 0; n < 3; n++)
    await journal.append([{ tenant: 'default', source: 'mqtt', device: 'hall', received_ms: 1.78e12, readings }]);
  await journal.close();
  const [name] = await segmentsIn(dir);
  const bytes = await readFile(join(dir, name!));
  bytes[40]! ^= 0x10;
  await writeFile(join(dir, name!), bytes);
  await writeFile(join(dir, `${name}.quarantined`), bytes);
  const again = await openJournal(bounds);
  expect(again.stats().quarantined).toEqual([`${name}.quarantined`]);
  await again.close();
  await rm(dir, { recursive: true, force: true });
});
