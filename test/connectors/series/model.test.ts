import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import { periodEndingAt, periodRuns } from '../../../connectors/series/periods.ts';
import type { DrainedSeries } from '../../../connectors/series/store.ts';
import { Quality } from '../../../engine/model/quality.ts';
import { dayBounds, SLOT_MS } from '../../../engine/model/time.ts';
import { group } from '../../contracts/series.ts';

const T0 = Date.parse('2026-01-01T00:00:00Z');

describe('DuckDB against a simple model', () => {
  let dir: string;
  let store: DrainedSeries;
  let tenant = 0;
  let base = 0;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'luna-model-'));
    store = await openDuckDbSeries({ file: join(dir, 's.duckdb'), memory: '128MB' });
  });
  afterAll(async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Small ranges, so that instants and values collide often. */
  const reading = fc.record({
    meter: fc.constantFrom('x', 'y'),
    at: fc.integer({ min: 0, max: 6 }),
    value: fc.integer({ min: 0, max: 2 }),
  });
  const history = fc.record({
    groups: fc.array(fc.array(reading, { maxLength: 4 }), { minLength: 1, maxLength: 12 }),
    /** Each offer is a piece of the journal; pieces overlap and repeat, as after crashes. */
    offers: fc.array(fc.tuple(fc.nat(11), fc.nat(11)), { maxLength: 6 }),
  });

  it('gives the same readings and changes however the journal is offered', async () => {
    await fc.assert(
      fc.asyncProperty(history, async ({ groups, offers }) => {
        const name = `t${++tenant}`;
        const journal = groups.map((readings, index) =>
          group(
            name,
            readings.map(({ meter, at, value }) => ({ meter, at_ms: T0 + at, value })),
            base + index + 1,
          ),
        );
        const values = new Map<string, number>();
        const changes: [string, number, number][] = [];
        for (const { readings } of journal)
          for (const { meter, at_ms, value } of readings) {
            const key = `${meter} ${at_ms}`;
            const before = values.get(key);
            if (before !== undefined && before !== value) changes.push([key, before, value]);
            values.set(key, value);
          }
        let applied = 0;
        let cursor = base;
        for (const [from, length] of [...offers, [0, groups.length] as const]) {
          // A drain reads on from the cursor; what lies before it is a replay.
          const start = Math.min(from, cursor - base);
          const outcome = await store.readings.append(journal.slice(start, start + length + 1));
          applied += outcome.applied;
          cursor = await store.readings.cursor();
        }
        base += groups.length;
        expect(applied).toBe(groups.length);
        const found: [string, number, boolean][] = [];
        const log: [string, number, number][] = [];
        for (const meter of ['x', 'y']) {
          const range = { meter, quantity: 'power_W', from_ms: T0, to_ms: T0 + 100 };
          const read = await store.readings.read(name, range);
          for (const [index, at] of read.at_ms.entries())
            found.push([`${meter} ${at}`, read.values[index]!, (read.quality[index]! & Quality.CHANGED) !== 0]);
          for (const one of await store.readings.changes(name, range))
            log.push([`${meter} ${one.at_ms}`, one.value, one.replaced_by]);
        }
        const changed = new Set(changes.map(([key]) => key));
        const expected = [...values].map(([key, value]) => [key, value, changed.has(key)]);
        expect(found.sort()).toEqual(expected.sort());
        const byKey = (list: [string, number, number][]) =>
          list.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
        expect(byKey(log)).toEqual(byKey(changes));
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe('periods', () => {
  const zone = fc.constantFrom('Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC');

  it('are found by arithmetic as by looking', () => {
    fc.assert(
      fc.property(
        zone,
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: 1, max: 400 }),
        fc.nat(),
        (tz, first, days, pick) => {
          const from = T0 + first * 24 * 3_600_000;
          const bounds = dayBounds(from, from + days * 24 * 3_600_000, tz).map((at) => Math.ceil(at / SLOT_MS));
          const at = bounds[0]! + (pick % (bounds.at(-1)! - bounds[0]!));
          const run = periodRuns(bounds).find((one) => at < one.to)!;
          const period = run.first + Math.floor((at - run.from) / run.length);
          expect(bounds[period]!).toBeLessThanOrEqual(at);
          expect(bounds[period + 1]!).toBeGreaterThan(at);
          expect(periodEndingAt(bounds, at + 1)).toBe(period);
        },
      ),
    );
  });

  it('give an end at a bound to the period before it', () => {
    expect([0, 1, 10, 11, 20, 21].map((at) => periodEndingAt([0, 10, 20], at))).toEqual([-1, 0, 0, 1, 1, -1]);
  });
});
