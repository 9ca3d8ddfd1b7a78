/** The ends of time that a journal lets through, and what is no longer kept. */
import { describe, expect, it } from 'vitest';
import type { DrainedSeries } from '../../connectors/series/store.ts';
import { SLOT_MS } from '../../engine/model/time.ts';
import { LATEST_MS, OLDEST_MS } from '../../engine/quality/validate.ts';
import { group, slotsOf } from './series.ts';

const DAY_MS = 86_400_000;
const EVER = { from_ms: Number.NEGATIVE_INFINITY, to_ms: Number.POSITIVE_INFINITY };
/** The first and the last that intake accepts, and what lies between the ends of common counters. */
const INSTANTS = [OLDEST_MS, Date.UTC(2038, 0, 19, 3, 14, 8), Date.UTC(2100, 1, 28), Date.UTC(2100, 2, 1), LATEST_MS];

export function describeTimes(open: () => DrainedSeries, next: () => number): void {
  describe('times at the ends of what intake accepts', () => {
    const range = { meter: 'ends', quantity: 'power_W', ...EVER };

    it('are kept to the millisecond', async () => {
      const store = open();
      const [meter, interval] = ['ends', 'import_interval_kWh'];
      await store.readings.append([
        group(
          'ends',
          INSTANTS.map((at_ms, value) => ({ meter, at_ms, value })),
          next(),
        ),
        group('ends', [{ meter, quantity: interval, from_ms: OLDEST_MS, at_ms: LATEST_MS, value: 1 }], next()),
      ]);
      const read = await store.readings.read('ends', range);
      expect([...read.at_ms]).toEqual(INSTANTS);
      expect([...read.values]).toEqual([0, 1, 2, 3, 4]);
      const one = await store.readings.read('ends', { ...range, quantity: interval });
      expect([one.at_ms[0], one.from_ms![0]]).toEqual([LATEST_MS, OLDEST_MS]);
      const edges = { ...range, from_ms: INSTANTS[1]! + 1, to_ms: INSTANTS[2]! };
      expect([...(await store.readings.read('ends', edges, { edges: true })).values]).toEqual([1, 2]);
      await store.readings.append([group('ends', [{ meter, at_ms: LATEST_MS, value: 9 }], next())]);
      expect(await store.readings.changes('ends', range)).toMatchObject([
        { at_ms: LATEST_MS, value: 4, replaced_by: 9 },
      ]);
      await store.readings.repair('ends', [{ meter, quantity: 'power_W', at_ms: OLDEST_MS, value: 5, by: 'ada' }]);
      expect((await store.readings.read('ends', range)).values[0]).toBe(5);
    }, 60_000);

    it('have slots, spans and totals', async () => {
      const store = open();
      const last = LATEST_MS - SLOT_MS;
      const slots = { meter: 'ends', quantity: 'import_kWh', ...EVER };
      const both = {
        at_ms: Float64Array.of(OLDEST_MS, last),
        values: Float64Array.of(1, 2),
        quality: new Int32Array(2),
      };
      const span = { from_ms: OLDEST_MS + SLOT_MS, to_ms: last, value: 4, quality: 0 };
      await store.slots.replace('ends', { ...slots, from_ms: OLDEST_MS, to_ms: LATEST_MS }, both, [span]);
      expect([...(await store.slots.read('ends', slots)).at_ms]).toEqual([OLDEST_MS, last]);
      expect(await store.slots.spans('ends', { ...slots, from_ms: OLDEST_MS, to_ms: LATEST_MS })).toEqual([span]);
      const query = { meters: ['ends'], quantity: 'import_kWh', bounds_ms: [OLDEST_MS, LATEST_MS] };
      expect((await store.slots.totals('ends', { ...query, aggregate: 'sum' }))[0]).toMatchObject({
        value: 7,
        slots: 2,
      });
    }, 60_000);
  });
}

/** Last of all: it takes away what others may have stored. */
export function describeRetention(
  open: () => DrainedSeries,
  next: () => number,
  reopen: () => Promise<DrainedSeries>,
): void {
  describe('what is older than is kept', () => {
    // A Wednesday in the middle of a month: the limit cuts through a week and a month.
    const limit = Date.parse('2026-01-14T10:30:00Z');
    const none = { readings_before_ms: null, slots_before_ms: null, prices_before_ms: null, forecasts_before_ms: null };
    const limits = {
      readings_before_ms: limit,
      slots_before_ms: limit,
      prices_before_ms: limit,
      forecasts_before_ms: limit,
    };
    const instants = [-400, -30, -3, -1 / 96, 0, 1, 3].map((days) => limit + days * DAY_MS);
    const kept = instants.filter((at_ms) => at_ms >= limit);
    const readings = { meter: 'kept', quantity: 'power_W', ...EVER };
    const energy = { meter: 'kept', quantity: 'import_kWh', ...EVER };
    const point = (at_ms: number) => [{ at_ms: at_ms + SLOT_MS, mean: 1, quantiles: {} }];

    async function check(store: DrainedSeries): Promise<void> {
      expect([...(await store.readings.read('r', readings)).at_ms]).toEqual(kept);
      const [many] = await store.readings.readMany([{ tenant: 'r', meter: 'kept', quantity: 'power_W' }], 0, limit * 2);
      expect([...many!.at_ms]).toEqual(kept);
      const edges = await store.readings.read('r', { ...readings, from_ms: limit, to_ms: limit + 1 }, { edges: true });
      expect([...edges.at_ms]).toEqual(kept.slice(0, 2));
      const changes = await store.readings.changes('r', readings);
      expect(changes.map((one) => one.at_ms)).toEqual(kept);
      expect([...(await store.slots.read('r', energy)).at_ms]).toEqual(kept.map((at_ms) => at_ms - (limit % SLOT_MS)));
      const query = { meters: ['kept'], quantity: 'import_kWh', bounds_ms: [limit - 500 * DAY_MS, limit + 9 * DAY_MS] };
      expect((await store.slots.totals('r', { ...query, aggregate: 'sum' }))[0]).toMatchObject({
        value: 2 * kept.length,
      });
      const spans = await store.slots.spans('r', { ...energy, from_ms: limit - 500 * DAY_MS, to_ms: limit * 2 });
      expect(spans.map((one) => one.to_ms)).toEqual(kept.map((at_ms) => at_ms + SLOT_MS));
      const prices = await store.prices.read('R', 'day-ahead', limit - 500 * DAY_MS, limit * 2);
      expect([...prices.at_ms]).toEqual(kept.map((at_ms) => at_ms - (limit % SLOT_MS)));
      expect(await store.forecasts.latest('r', 'load', limit - 1)).toBeNull();
      expect((await store.forecasts.latest('r', 'load', limit))?.made_at_ms).toBe(limit);
      const track = await store.forecasts.track('r', 'load', limit - 500 * DAY_MS, limit + 9 * DAY_MS, 0);
      expect([...track.at_ms]).toEqual(kept.map((at_ms) => at_ms + SLOT_MS));
    }

    it('goes, to the instant, and nothing younger; repairs of it too', async () => {
      const store = open();
      const row = (value: number) => instants.map((at_ms) => ({ meter: 'kept', at_ms, value }));
      await store.readings.append([group('r', row(1), next()), group('r', row(2), next())]);
      const old = { meter: 'kept', quantity: 'power_W', by: 'ada', value: 3 };
      await store.readings.repair('r', [
        { ...old, at_ms: instants[1]! },
        { ...old, at_ms: kept[1]! },
      ]);
      const starts = instants.map((at_ms) => at_ms - (limit % SLOT_MS));
      const slots = slotsOf(
        0,
        starts.map(() => 1),
      );
      slots.at_ms.set(starts);
      await store.slots.replace('r', { ...energy, from_ms: instants[0]! - DAY_MS, to_ms: limit + 9 * DAY_MS }, slots, [
        ...instants.map((at_ms) => ({ from_ms: at_ms + 1, to_ms: at_ms + SLOT_MS, value: 1, quality: 0 })),
      ]);
      const price = { area: 'R', market: 'day-ahead', currency: 'EUR', vat_included: false, source: 's' } as const;
      await store.prices.write({ ...price, slots: starts.map((at_ms) => ({ at_ms, value: 1 })) }, limit);
      for (const made_at_ms of instants) {
        const made = { made_at_ms, inputs_known_ms: made_at_ms, points: point(made_at_ms) };
        await store.forecasts.write('r', { series: 'load', unit: 'W', model: 'm/1', ...made });
      }
      const cursor = await store.readings.cursor();
      await store.prune(none);
      expect([...(await store.readings.read('r', readings)).at_ms]).toEqual(instants);
      await store.prune(limits);
      await check(store);
      expect([...(await store.readings.read('r', readings)).values]).toEqual([2, 3, 2]);
      expect(await store.readings.cursor()).toBe(cursor);
      const again = await reopen();
      await check(again);
      expect(await again.readings.cursor()).toBe(cursor);
    }, 120_000);

    it('goes where nothing younger is left, and the cursor stays', async () => {
      const store = open();
      const cursor = await store.readings.cursor();
      await store.prune({ ...none, readings_before_ms: limit + 500 * DAY_MS });
      expect((await store.readings.read('r', readings)).at_ms).toHaveLength(0);
      const again = await reopen();
      expect(await again.readings.cursor()).toBe(cursor);
      const late = limit + 501 * DAY_MS;
      await again.readings.append([group('r', [{ meter: 'kept', at_ms: late, value: 1 }], next())]);
      expect([...(await again.readings.read('r', readings)).at_ms]).toEqual([late]);
    }, 120_000);
  });
}
