/** A small sample of the bench: journal, drain and store without the rest of the box. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { openJournal } from '../../../connectors/journal/journal.ts';
import { UnavailableError } from '../../../engine/errors.ts';
import { openSeriesWorker } from '../../../gateway/series.ts';
import { type Outage, registerAt, writeJournal } from './plant.ts';
import { openDuckDbOutage } from './stores.ts';

const SEED = 1;
const METERS = 200;
const SECONDS = 240;

it('readings of a store that was away are in it once, with their slots, much faster than they came in', async () => {
  const home = mkdtempSync(join(tmpdir(), 'luna-outage-'));
  const store = await openDuckDbOutage(home);
  const meters = Array.from({ length: METERS }, (_, index) => `outage-${index}`);
  const outage: Outage = { meters, seed: SEED, seconds: SECONDS, from_ms: Date.now() - 7_200_000 };
  try {
    await writeJournal(home, outage, () => {});
    await store.goAway();
    const dir = join(home, 'journal');
    const journal = await openJournal({ dir, max_bytes: 2 ** 30, segment_bytes: 2 ** 20 });
    const series = await openSeriesWorker({
      store: { kind: 'duckdb', file: join(home, 'series.duckdb'), memory: '256MB' },
      ...{ journal_dir: dir, durable: journal.durable, released_seq: journal.stats().released_seq },
    });
    try {
      series.drain.start();
      await until(() => series.drain.state().reason?.includes('lock') ?? false);
      await expect(series.ping()).rejects.toThrow(UnavailableError);
      expect(series.drain.lag()).toBe(METERS * SECONDS);
      await store.comeBack();
      await until(() => series.drain.state().up);
      const begun = performance.now();
      await until(() => series.drain.lag() === 0);
      expect(series.drain.state().counts).toEqual({ mqtt: { stored: METERS * SECONDS, duplicate: 0, dead: 0 } });
      expect(series.drain.state().doubled).toBe(0);
      const expected = registerAt(SEED, 0, SECONDS - 1) - registerAt(SEED, 0, 0);
      await until(async () => Math.abs((await energyOf(meters[0]!)) - expected) < 1e-9);
      const seconds = (performance.now() - begun) / 1000;
      expect(SECONDS / seconds, 'times real time').toBeGreaterThan(20);
      async function energyOf(meter: string): Promise<number> {
        const { values } = await series.slots.read('default', {
          ...{ meter, quantity: 'import_kWh', from_ms: outage.from_ms - 3_600_000, to_ms: Date.now() },
        });
        return values.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : value), 0);
      }
    } finally {
      await series.close();
      await journal.close();
    }
    expect(await store.count()).toEqual({ rows: METERS * SECONDS, instants: METERS * SECONDS });
  } finally {
    await store.end();
    rmSync(home, { recursive: true, force: true });
  }
}, 90_000);

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; !(await done()); await sleep(20))
    if (performance.now() > end) throw new Error('waited in vain');
}
