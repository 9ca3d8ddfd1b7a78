/** What every series store must do. `open` gives a fresh, empty store; `reopen` closes it and opens the same data. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DrainedSeries } from '../../connectors/series/store.ts';
import { Quality } from '../../engine/model/quality.ts';
import type { JournalledGroup, Reading } from '../../engine/model/reading.ts';
import { SLOT_MS } from '../../engine/model/time.ts';
import type { SlotColumns } from '../../engine/ports.ts';
import { describeForecasts, describePrices } from './series-markets.ts';
import { describeTotals } from './series-totals.ts';

export type OpenStore = { store: DrainedSeries; reopen(): Promise<DrainedSeries>; end(): Promise<void> };

const T0 = Date.parse('2026-03-01T00:00:00Z');
const ALL = { from_ms: T0 - 1e9, to_ms: T0 + 1e11 };
let seq = 0;

/** A group with the next sequence number. */
export function group(tenant: string, readings: Partial<Reading>[], at_seq = ++seq): JournalledGroup {
  const full = readings.map((one) => ({ meter: 'm', quantity: 'power_W', at_ms: T0, value: 0, quality: 0, ...one }));
  return { seq: at_seq, tenant, source: 'test', device: null, received_ms: T0 + at_seq, readings: full };
}

export function slotsOf(from_ms: number, values: number[], quality = 0): SlotColumns {
  return {
    at_ms: Float64Array.from(values, (_, index) => from_ms + index * SLOT_MS),
    values: Float64Array.from(values),
    quality: new Int32Array(values.length).fill(quality),
  };
}

export function describeSeriesStore(name: string, open: () => Promise<OpenStore>): void {
  describe(`series store: ${name}`, () => {
    let opened: OpenStore;
    let store: DrainedSeries;
    const series = (meter: string, quantity = 'power_W') => ({ meter, quantity, ...ALL });
    beforeAll(async () => {
      seq = 0;
      opened = await open();
      store = opened.store;
    }, 90_000);
    afterAll(() => opened?.end(), 30_000);

    describe('readings', () => {
      it('starts with cursor 0 and answers a ping', async () => {
        await store.ping();
        expect(await store.readings.cursor()).toBe(0);
        expect((await store.readings.read('a', series('nobody'))).at_ms).toHaveLength(0);
      });

      it('keeps values in order of time and moves the cursor with them', async () => {
        const outcome = await store.readings.append([
          group('a', [{ meter: 'r1', at_ms: T0 + 2000, value: 2 }]),
          group('a', [{ meter: 'r1', at_ms: T0 + 1000, value: 1, quality: Quality.OUT_OF_RANGE }]),
        ]);
        expect(outcome).toMatchObject({ applied: 2, ignored: 0, stored: 2, changed: 0 });
        expect(outcome.touched).toEqual([
          { tenant: 'a', meter: 'r1', quantity: 'power_W', from_ms: T0 + 1000, to_ms: T0 + 2000 },
        ]);
        expect(await store.readings.cursor()).toBe(seq);
        const read = await store.readings.read('a', series('r1'));
        expect([...read.at_ms]).toEqual([T0 + 1000, T0 + 2000]);
        expect([...read.values]).toEqual([1, 2]);
        expect([...read.quality]).toEqual([Quality.OUT_OF_RANGE, 0]);
        expect(read.from_ms).toBeNull();
      });

      it('applies a group once however often it is offered', async () => {
        const once = group('a', [{ meter: 'once', at_ms: T0, value: 1 }]);
        await store.readings.append([once]);
        const newer = group('a', [{ meter: 'once', at_ms: T0, value: 2 }]);
        await store.readings.append([once, newer]);
        expect(await store.readings.append([once, newer])).toMatchObject({ applied: 0, ignored: 2, stored: 0 });
        expect(await store.readings.cursor()).toBe(newer.seq);
        expect([...(await store.readings.read('a', series('once'))).values]).toEqual([2]);
        expect(await store.readings.changes('a', series('once'))).toHaveLength(1);
        // What the journal lost is not taken for applied twice, nor does it hide what is.
        seq += 3;
        await store.readings.append([group('a', [], seq), once]);
        expect([0, null]).toContain(await store.readings.doubled());
      });

      it('counts what became of each reading by source, once however often it is offered', async () => {
        const before = (await store.readings.counts()).counted ?? { stored: 0, duplicate: 0, dead: 0 };
        const of = (value: number, n = 0) => ({ meter: 'c1', at_ms: T0 + n, value });
        const from = (readings: Partial<Reading>[]) => ({ ...group('a', readings), source: 'counted' });
        const first = from([of(1), of(1), of(2), of(5, 1)]);
        await store.readings.append([first]);
        await store.readings.append([first, from([of(2), of(5, 1), of(7, 2)])]);
        await store.readings.append([from([of(7, 2)])]);
        const refused = from([of(9, 3), of(9, 4)]);
        await store.readings.skip(refused);
        await store.readings.skip(refused);
        await store.readings.append([refused]);
        expect(await store.readings.cursor()).toBe(seq);
        expect((await store.readings.read('a', series('c1'))).values).toHaveLength(3);
        const { stored, duplicate, dead } = (await store.readings.counts()).counted!;
        expect({
          stored: stored - before.stored,
          duplicate: duplicate - before.duplicate,
          dead: dead - before.dead,
        }).toEqual({ stored: 4, duplicate: 4, dead: 2 });
        expect([0, null]).toContain(await store.readings.doubled());
      });

      it('moves the cursor over groups that change nothing', async () => {
        await store.readings.append([group('a', [])]);
        expect(await store.readings.cursor()).toBe(seq);
        await store.readings.append([group('a', [{ meter: 'r1', at_ms: T0 + 2000, value: 2 }])]);
        expect(await store.readings.cursor()).toBe(seq);
      });

      it('keeps the earlier of two values in the change log and marks the later', async () => {
        await store.readings.append([group('a', [{ meter: 'c', at_ms: T0, value: 1 }])]);
        const same = await store.readings.append([group('a', [{ meter: 'c', at_ms: T0, value: 1 }])]);
        expect(same).toMatchObject({ applied: 1, stored: 0, changed: 0, touched: [] });
        const changed = await store.readings.append([group('a', [{ meter: 'c', at_ms: T0, value: 5 }])]);
        expect(changed).toMatchObject({ stored: 1, changed: 1 });
        const read = await store.readings.read('a', series('c'));
        expect([...read.values]).toEqual([5]);
        expect([...read.quality]).toEqual([Quality.CHANGED]);
        expect(await store.readings.changes('a', series('c'))).toEqual([
          { at_ms: T0, value: 1, replaced_by: 5, changed_ms: T0 + seq },
        ]);
      });

      it('lets the last value of a batch win and logs those before it', async () => {
        const outcome = await store.readings.append([
          group('a', [
            { meter: 'batch', at_ms: T0, value: 1 },
            { meter: 'batch', at_ms: T0, value: 2 },
          ]),
          group('a', [{ meter: 'batch', at_ms: T0, value: 3 }]),
        ]);
        expect(outcome).toMatchObject({ stored: 3, changed: 2 });
        expect([...(await store.readings.read('a', series('batch'))).values]).toEqual([3]);
        const changes = await store.readings.changes('a', series('batch'));
        expect(changes.map((one) => [one.value, one.replaced_by])).toEqual([
          [1, 2],
          [2, 3],
        ]);
      });

      it('keeps the start of intervals', async () => {
        const quantity = 'import_interval_kWh';
        const outcome = await store.readings.append([
          group('a', [{ meter: 'i', quantity, from_ms: T0, at_ms: T0 + SLOT_MS, value: 0.5 }]),
        ]);
        expect(outcome.touched[0]).toMatchObject({ from_ms: T0, to_ms: T0 + SLOT_MS });
        const read = await store.readings.read('a', series('i', quantity));
        expect([...read.from_ms!]).toEqual([T0]);
      });

      it('finds the neighbours of a range, near and far', async () => {
        const far = T0 - 90 * 86_400_000;
        await store.readings.append([
          group(
            'a',
            [far, T0, T0 + 10, T0 + 20].map((at_ms, value) => ({ meter: 'e', at_ms, value })),
          ),
        ]);
        const at = async (from_ms: number, to_ms: number, edges = true) => {
          const read = await store.readings.read('a', { meter: 'e', quantity: 'power_W', from_ms, to_ms }, { edges });
          return [...read.values];
        };
        expect(await at(T0, T0 + 10, false)).toEqual([1]);
        expect(await at(T0, T0 + 10)).toEqual([0, 1, 2]);
        expect(await at(T0 + 1, T0 + 10)).toEqual([1, 2]);
        expect(await at(T0 + 21, T0 + 30)).toEqual([3]);
        expect(await at(far - 10, far)).toEqual([0]);
        const limited = await store.readings.read('a', series('e'), { limit: 1 });
        expect(limited.at_ms).toHaveLength(1);
      });

      it('lays repairs over readings and lets no import overwrite them', async () => {
        const at = [T0, T0 + 10, T0 + 20];
        await store.readings.append([
          group(
            'a',
            at.map((at_ms, value) => ({ meter: 'p', at_ms, value, quality: Quality.SPIKE })),
          ),
        ]);
        const repair = { meter: 'p', quantity: 'power_W', by: 'ada' };
        await store.readings.repair('a', [
          { ...repair, at_ms: T0, value: 100 },
          { ...repair, at_ms: T0 + 10, value: null },
          { ...repair, at_ms: T0 + 15, value: 7 },
        ]);
        await store.readings.append([group('a', [{ meter: 'p', at_ms: T0, value: 42 }])]);
        const read = await store.readings.read('a', series('p'));
        expect([...read.at_ms]).toEqual([T0, T0 + 10, T0 + 15, T0 + 20]);
        expect([...read.values]).toEqual([100, Number.NaN, 7, 2]);
        expect([...read.quality]).toEqual([
          Quality.REPAIRED | Quality.CHANGED,
          Quality.REPAIRED,
          Quality.REPAIRED,
          Quality.SPIKE,
        ]);
        const edges = await store.readings.read(
          'a',
          { ...series('p'), from_ms: T0 + 11, to_ms: T0 + 12 },
          { edges: true },
        );
        expect([...edges.values]).toEqual([100, 7]);
        await store.readings.repair(
          'a',
          at.map((at_ms) => ({ ...repair, at_ms, value: undefined })),
        );
        const lifted = await store.readings.read('a', series('p'));
        expect([...lifted.values]).toEqual([42, 1, 7, 2]);
      });

      it('never mixes tenants, whatever the names', async () => {
        const wild = `x'"\\,= \u{1f600}; drop table reading--`;
        await store.readings.append([
          group('a', [{ meter: wild, at_ms: T0, value: 1 }]),
          group('b', [{ meter: wild, at_ms: T0, value: 2 }]),
          group(wild, [{ meter: 'm', at_ms: T0, value: 3 }]),
        ]);
        expect([...(await store.readings.read('a', series(wild))).values]).toEqual([1]);
        expect([...(await store.readings.read('b', series(wild))).values]).toEqual([2]);
        expect([...(await store.readings.read(wild, series('m'))).values]).toEqual([3]);
        expect((await store.readings.read('b', series('r1'))).at_ms).toHaveLength(0);
      });

      it('marks series whose slots are old until they are done', async () => {
        await store.dirty.done(await store.dirty.list());
        expect(await store.dirty.list()).toEqual([]);
        await store.readings.append([group('a', [{ meter: 'd', at_ms: T0 + 5, value: 1 }])]);
        await store.readings.append([group('a', [{ meter: 'd', at_ms: T0 + 9, value: 1 }])]);
        await store.readings.repair('a', [{ meter: 'd', quantity: 'power_W', at_ms: T0, value: 9, by: 'ada' }]);
        const marks = await store.dirty.list();
        expect(marks).toMatchObject([{ tenant: 'a', meter: 'd', quantity: 'power_W' }]);
        expect(marks[0]!.from_ms).toBeLessThanOrEqual(T0);
        expect(marks[0]!.to_ms).toBeGreaterThanOrEqual(T0 + 9);
        await store.dirty.done(marks);
        expect(await store.dirty.list()).toEqual([]);
      });
    });

    describe('slots', () => {
      const range = (meter: string, from: number, count: number) => ({
        meter,
        quantity: 'import_kWh',
        from_ms: T0 + from * SLOT_MS,
        to_ms: T0 + (from + count) * SLOT_MS,
      });

      it('replaces exactly its range, and the same again changes nothing', async () => {
        await store.slots.replace('a', range('s', 0, 4), slotsOf(T0, [1, 2, Number.NaN, 4], 64), []);
        const twice = slotsOf(T0 + SLOT_MS, [20]);
        await store.slots.replace('a', range('s', 1, 2), twice, []);
        await store.slots.replace('a', range('s', 1, 2), twice, []);
        const read = await store.slots.read('a', range('s', 0, 10));
        expect([...read.at_ms].map((at) => (at - T0) / SLOT_MS)).toEqual([0, 1, 3]);
        expect([...read.values]).toEqual([1, 20, 4]);
        expect([...read.quality]).toEqual([64, 0, 64]);
        expect((await store.slots.read('b', range('s', 0, 10))).at_ms).toHaveLength(0);
      });

      it('keeps empty slots with their marks', async () => {
        await store.slots.replace('a', range('nan', 0, 1), slotsOf(T0, [Number.NaN], Quality.SPIKE), []);
        const read = await store.slots.read('a', range('nan', 0, 1));
        expect([...read.values]).toEqual([Number.NaN]);
        expect([...read.quality]).toEqual([Quality.SPIKE]);
      });

      it('replaces the spans that end in its range', async () => {
        const span = (from: number, to: number, value: number) => ({
          from_ms: T0 + from * SLOT_MS,
          to_ms: T0 + to * SLOT_MS,
          value,
          quality: Quality.ESTIMATED,
        });
        await store.slots.replace('a', range('sp', 0, 40), slotsOf(T0, []), [span(0, 12, 5), span(20, 30, 7)]);
        await store.slots.replace('a', range('sp', 2, 8), slotsOf(T0, []), []);
        await store.slots.replace('a', range('sp', 12, 4), slotsOf(T0, []), []);
        expect(await store.slots.spans('a', range('sp', 0, 40))).toEqual([span(0, 12, 5), span(20, 30, 7)]);
        await store.slots.replace('a', range('sp', 0, 12), slotsOf(T0, []), [span(0, 9, 4)]);
        expect(await store.slots.spans('a', range('sp', 0, 40))).toEqual([span(0, 9, 4), span(20, 30, 7)]);
        expect(await store.slots.spans('a', range('sp', 8, 1))).toEqual([span(0, 9, 4)]);
        expect(await store.slots.spans('a', range('sp', 9, 11))).toEqual([]);
      });
    });

    describeTotals(() => store);
    describePrices(() => store);
    describeForecasts(() => store);

    describe('keeping', () => {
      it('has everything after it was opened again', async () => {
        const cursor = await store.readings.cursor();
        store = await opened.reopen();
        expect(await store.readings.cursor()).toBe(cursor);
        expect([...(await store.readings.read('a', series('c'))).values]).toEqual([5]);
        await store.readings.append([group('a', [{ meter: 'c', at_ms: T0, value: 6 }])]);
        expect(await store.readings.changes('a', series('c'))).toHaveLength(2);
        await store.readings.append([group('a', [{ meter: 'after', at_ms: T0, value: 1 }])]);
        expect([...(await store.readings.read('a', series('after'))).values]).toEqual([1]);
      }, 30_000);

      it('removes what is older than the limits', async () => {
        const old = T0 - 400 * 86_400_000;
        const where = { meter: 'old', quantity: 'power_W', from_ms: old - 1, to_ms: T0 + 1e9 };
        await store.readings.append([
          group('a', [
            { meter: 'old', at_ms: old, value: 1 },
            { meter: 'old', at_ms: T0, value: 2 },
          ]),
        ]);
        await store.slots.replace('a', where, slotsOf(old, [1]), []);
        const cursor = await store.readings.cursor();
        const none = {
          readings_before_ms: null,
          slots_before_ms: null,
          prices_before_ms: null,
          forecasts_before_ms: null,
        };
        await store.prune(none);
        expect((await store.readings.read('a', where)).at_ms).toHaveLength(2);
        const before = T0 - 200 * 86_400_000;
        await store.prune({
          ...none,
          readings_before_ms: before,
          slots_before_ms: before,
          forecasts_before_ms: before,
        });
        expect([...(await store.readings.read('a', where)).values]).toEqual([2]);
        expect((await store.slots.read('a', where)).at_ms).toHaveLength(0);
        expect(await store.readings.cursor()).toBe(cursor);
        expect(await store.forecasts.latest('a', 'load', T0)).not.toBeNull();
      });

      it('erases meter points, then a whole tenant, and nothing else', async () => {
        await store.readings.append([
          group('x', [{ meter: 'p' }, { meter: 'q' }]),
          group('y', [{ meter: 'p', value: 5 }]),
        ]);
        await store.slots.replace('x', series('p', 'import_kWh'), slotsOf(T0, [1]), []);
        await store.erase('x', ['p']);
        expect((await store.readings.read('x', series('p'))).at_ms).toHaveLength(0);
        expect((await store.slots.read('x', series('p', 'import_kWh'))).at_ms).toHaveLength(0);
        expect((await store.readings.read('x', series('q'))).at_ms).toHaveLength(1);
        await store.erase('x', null);
        expect((await store.readings.read('x', series('q'))).at_ms).toHaveLength(0);
        expect(await store.list('x')).toEqual([]);
        expect([...(await store.readings.read('y', series('p'))).values]).toEqual([5]);
        await store.readings.append([group('x', [{ meter: 'p', value: 3 }])]);
        expect([...(await store.readings.read('x', series('p'))).values]).toEqual([3]);
      }, 60_000);
    });
  });
}
