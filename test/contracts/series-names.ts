/** Names that users, meters and markets choose, through every call of a series store, against a model in memory. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DrainedSeries } from '../../connectors/series/store.ts';
import type { PriceMarket } from '../../engine/model/price.ts';
import type { Reading } from '../../engine/model/reading.ts';
import { SLOT_MS } from '../../engine/model/time.ts';
import { group, slotsOf } from './series.ts';

const T0 = Date.parse('2026-03-01T00:00:00Z');
const RANGE = { from_ms: T0, to_ms: T0 + 86_400_000 };
const NAMES = 40;

/** What would end a string, a field, a line, a statement or a parameter somewhere. */
const EVIL = [
  "'; drop table luna_reading; --",
  "' or '1'='1",
  '" or ""="',
  'x,y=z w="v" 1',
  'a\\',
  '\\"',
  'line\nluna_reading,x=y value=1 1\n',
  '\r\n',
  ' ',
  '=',
  ',',
  "''",
  '$1',
  '%s#{y}$(z)',
  'null',
  'NaN',
  '__proto__',
  'constructor',
  '\u{1f600}\u202e\u00df\ufeff',
  'é',
  'e\u0301',
  `${'x'.repeat(10_000)}a`,
  `${'x'.repeat(10_000)}b`,
  '☃'.repeat(3_000),
  'A',
  'a',
  'a ',
  ' a',
  '-1',
  '*',
  ':',
];
const piece = fc.oneof(fc.constantFrom(...EVIL.filter((name) => name.length < 100)), fc.string({ unit: 'grapheme' }));
const wild = fc
  .array(piece, { minLength: 1, maxLength: 4 })
  .map((pieces) => pieces.join('').replaceAll('\0', ''))
  .filter((name) => name.length > 0 && name.isWellFormed());

/** The store must be open and may hold anything else; `next` gives the journal's next number. */
export function describeNames(
  open: () => DrainedSeries,
  next: () => number,
  reopen: () => Promise<DrainedSeries>,
): void {
  describe('names of any kind', () => {
    const sample = [...EVIL, ...fc.sample(wild, { numRuns: NAMES, seed: 20_260_301 })];
    const names = [...new Set(sample)];
    const at = (index: number) => names[(index + names.length) % names.length]!;
    /** Tenant, meter and quantity of a series differ, and neighbours share two of the three. */
    const series = names.flatMap((name, index) => [
      { tenant: name, meter: at(index + 1), quantity: at(index + 2) },
      { tenant: name, meter: at(index + 1), quantity: at(index + 3) },
      { tenant: at(index - 1), meter: at(index + 1), quantity: at(index + 2) },
    ]);
    // Joined with or without something between they would be the same.
    for (const between of ['', ' ', ':', ',', '","', '/', '\n'])
      for (const cut of [1, 2])
        for (const [tenant, rest] of [
          ['t', 'abc'],
          ['ta', 'bc'],
        ] as const)
          series.push({ tenant, meter: rest.slice(0, cut) + between, quantity: between + rest.slice(cut) });
    const keyOf = (one: { tenant: string; meter: string; quantity: string }) =>
      JSON.stringify([one.tenant, one.meter, one.quantity]);
    const keys = new Map(series.map((one) => [keyOf(one), one]));
    const expected = new Map([...keys.keys()].map((key, index) => [key, index]));

    /** Every series has its one value and nothing else. */
    async function check(store: DrainedSeries, values: ReadonlyMap<string, number>): Promise<void> {
      const all = [...keys.values()];
      const found = await store.readings.readMany(all, RANGE.from_ms, RANGE.to_ms);
      const wrong = all.filter((one, index) => {
        const value = values.get(keyOf(one));
        return [...found[index]!.values].join() !== (value === undefined ? '' : String(value));
      });
      expect(wrong).toEqual([]);
    }

    it('are kept apart and given back as they came: readings', async () => {
      const store = open();
      const groups = [...keys].map(([key, { tenant, meter, quantity }]) => {
        const reading: Partial<Reading> = { meter, quantity, at_ms: T0, value: expected.get(key)! };
        return group(tenant, [reading], next());
      });
      const outcome = await store.readings.append(groups);
      expect(outcome).toMatchObject({ applied: keys.size, stored: keys.size, changed: 0 });
      await check(store, expected);
      for (const { tenant, meter, quantity } of [...keys.values()].slice(0, 40)) {
        const read = await store.readings.read(tenant, { meter, quantity, ...RANGE }, { edges: true });
        expect(read.at_ms.length).toBe(1);
        expect(await store.readings.changes(tenant, { meter, quantity, ...RANGE })).toEqual([]);
      }
      const listed = (await store.list(names[0]!)).map((one) => JSON.stringify([one.meter, one.quantity])).sort();
      const mine = [...keys.values()].filter((one) => one.tenant === names[0]);
      expect(listed).toEqual(mine.map((one) => JSON.stringify([one.meter, one.quantity])).sort());
    }, 120_000);

    it('are kept apart in slots, spans and totals', async () => {
      const store = open();
      const all = [...keys.values()];
      await store.slots.replaceMany(
        all.map(({ tenant, meter, quantity }, index) => ({
          ...{ tenant, range: { meter, quantity, ...RANGE }, slots: slotsOf(T0, [index, 1]) },
          spans: [{ from_ms: T0 + 4 * SLOT_MS, to_ms: T0 + 8 * SLOT_MS, value: 1, quality: 0 }],
        })),
      );
      for (const [index, { tenant, meter, quantity }] of all.entries()) {
        const bounds_ms = [RANGE.from_ms, RANGE.to_ms];
        const totals = await store.slots.totals(tenant, { meters: [meter], quantity, bounds_ms, aggregate: 'sum' });
        expect(totals.map((row) => [row.meter, row.value])).toEqual([[meter, index + 2]]);
        if (index % 9 > 0) continue;
        expect([...(await store.slots.read(tenant, { meter, quantity, ...RANGE })).values]).toEqual([index, 1]);
        expect(await store.slots.spans(tenant, { meter, quantity, ...RANGE })).toHaveLength(1);
      }
    }, 120_000);

    it('are kept apart in repairs, whoever made them', async () => {
      const store = open();
      const chosen = [...keys].filter((_, index) => index % 25 === 0);
      for (const [, { tenant, meter, quantity }] of chosen)
        await store.readings.repair(tenant, [{ meter, quantity, at_ms: T0, value: -7, by: meter }]);
      await check(store, new Map([...expected, ...chosen.map(([key]) => [key, -7] as const)]));
      for (const [, { tenant, meter, quantity }] of chosen)
        await store.readings.repair(tenant, [{ meter, quantity, at_ms: T0, value: undefined, by: meter }]);
      await check(store, expected);
    }, 120_000);

    it('are kept apart in prices and forecasts', async () => {
      const store = open();
      const chosen = names.slice(0, 31);
      for (const [index, name] of chosen.entries()) {
        const slots = [{ at_ms: T0, value: index }];
        const market = at(index + 1) as PriceMarket;
        await store.prices.write({ area: name, market, currency: name, vat_included: false, source: name, slots }, T0);
        const [series, points] = [`${name}:${at(index + 1)}`, [{ at_ms: T0 + SLOT_MS, mean: index, quantiles: {} }]];
        const made = { made_at_ms: T0, inputs_known_ms: T0, points };
        await store.forecasts.write(at(index + 2), { series, unit: name, model: name, ...made });
      }
      for (const [index, name] of chosen.entries()) {
        const prices = await store.prices.read(name, at(index + 1) as PriceMarket, RANGE.from_ms, RANGE.to_ms);
        expect([[...prices.values], prices.currency, prices.sources]).toEqual([[index], name, [name]]);
        const latest = await store.forecasts.latest(at(index + 2), `${name}:${at(index + 1)}`, T0);
        expect([latest?.points[0]?.mean, latest?.unit, latest?.model]).toEqual([index, name, name]);
        const track = await store.forecasts.track(at(index + 2), `${name}:${at(index + 1)}`, T0, RANGE.to_ms, 0);
        expect([...track.values]).toEqual([index]);
      }
    }, 180_000);

    it('are the same after the store was opened again, and erased alone', async () => {
      let store = await reopen();
      await check(store, expected);
      const left = new Map(expected);
      for (const [key, { tenant, meter }] of [...keys].filter((_, index) => index % 40 === 1)) {
        await store.erase(tenant, [meter]);
        left.delete(key);
        for (const [other, one] of keys) if (one.tenant === tenant && one.meter === meter) left.delete(other);
      }
      await check(store, left);
      store = await reopen();
      await check(store, left);
    }, 180_000);
  });
}
