import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addMonths, SLOT_MS } from '../../../engine/model/time.ts';
import { type Bill, type BillInput, billOf } from '../../../engine/tariff/bill.ts';
import { historyStart } from '../../../engine/tariff/bill-demand.ts';
import { toCents } from '../../../engine/tariff/money.ts';
import type { DemandCharge, EnergyCharge, Price, Tariff } from '../../../engine/tariff/tariff.ts';
import { DEMAND, EMPTY, NOTHING, slotsBetween, WINDOW } from './sample.ts';

const TZ = 'Europe/Berlin';
const none = new Float64Array();
const flat = (value: number, more: Partial<EnergyCharge> = {}): EnergyCharge => ({
  ...{ name: 'Energy', vat_percent: 19, meter: null, without: [], price: { kind: 'fixed', value } },
  ...more,
});

function bill(
  tariff: Tariff,
  from: string,
  to: string,
  kWh: (at_ms: number, i: number) => number,
  more: Partial<BillInput> = {},
) {
  const at_ms = slotsBetween(from, to);
  return billOf({
    versions: [{ valid_from: '2020-01-01', tariff }],
    ...{ from_ms: Date.parse(from), to_ms: Date.parse(to), now_ms: Date.parse('2030-01-01') },
    energy: { at_ms, import_kWh: at_ms.map(kWh), export_kWh: null, meters: {} },
    past: { at_ms: none, import_kWh: none },
    context: NOTHING,
    ...more,
  });
}
const cents = (value: number | null) => Math.round(value! * 100);
const sumOf = ({ lines }: Bill) => lines.reduce((sum, { amount }) => sum + cents(amount), 0);

describe('money', () => {
  it('is rounded by the declared rule, whatever binary fractions do', () => {
    expect([1.005, 2.675, 1.115, -1.005].map((value) => toCents(value, 'EUR', 'half-up'))).toEqual([
      101, 268, 112, -101,
    ]);
    expect([0.125, 0.135, -0.125].map((value) => toCents(value, 'EUR', 'half-even'))).toEqual([12, 14, -12]);
    expect([toCents(149.5, 'JPY', 'half-up'), toCents(0.0015, 'KWD', 'half-up')]).toEqual([150, 2]);
    expect(Object.is(toCents(-0.001, 'EUR', 'half-up'), 0)).toBe(true);
  });
});

describe('a bill', () => {
  const price = fc.double({ min: -0.5, max: 2, noNaN: true });
  const load = fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 5, maxLength: 40 });

  it('has lines that add up exactly, each from its slots, for any tariff and load', () => {
    fc.assert(
      fc.property(price, price, load, fc.constantFrom(0, 7.7, 19), (day, night, values, vat) => {
        const periods = [
          { name: 'day', value: day, when: { ...WINDOW, hours: [{ from_min: 360, to_min: 1320 }] } },
          { name: 'night', value: night, when: null },
        ];
        const tariff: Tariff = {
          ...EMPTY,
          energy: [flat(0.0205), flat(0, { name: 'Grid', vat_percent: vat, price: { kind: 'periods', periods } })],
          standing: [{ name: 'Base', vat_percent: 19, per: 'year', amount: 100 }],
          demand: [{ ...DEMAND, vat_percent: 19, price: { kind: 'linear', per_kW: 7.77 } }],
        };
        const made = bill(tariff, '2026-05-31T22:00Z', '2026-06-02T22:00Z', (_, i) => values[i % values.length]!);
        expect(sumOf(made)).toBe(cents(made.total));
        for (const { kind, amount, rows } of made.lines) {
          const exact = rows.amount.reduce((sum, value) => sum + value, 0);
          if (kind !== 'demand') expect(Math.abs(exact - amount!)).toBeLessThanOrEqual(0.005 + 1e-9);
        }
        const kWh = made.lines.filter(({ name }) => name === 'Grid').reduce((sum, { quantity }) => sum + quantity!, 0);
        expect(kWh).toBeCloseTo(made.import_kWh!, 6);
      }),
      { numRuns: 60, seed: 6 },
    );
  });

  it('charges a yearly demand in twelve bills to the cent, a new peak with the months that are over', () => {
    const yearly: DemandCharge = { ...DEMAND, period: 'year', price: { kind: 'linear', per_kW: 97.13 } };
    const tariff = { ...EMPTY, demand: [yearly] };
    const at_ms = slotsBetween('2025-12-31T23:00Z', '2026-12-31T23:00Z');
    const kWh = at_ms.map((at) => 1 + ((at / SLOT_MS) % 7) / 10 + (at === Date.parse('2026-08-05T10:00Z') ? 20 : 0));
    let total = 0;
    for (let month = 0; month < 12; month++) {
      const from_ms = addMonths(at_ms[0]!, month, TZ);
      const to_ms = addMonths(from_ms, 1, TZ);
      const versions = [{ valid_from: '2020-01-01', tariff }];
      expect(historyStart(versions, from_ms, to_ms)).toBe(at_ms[0]);
      const [first, end] = [at_ms.indexOf(from_ms), at_ms.indexOf(to_ms)];
      const cut = (from: number, to: number | undefined) => ({
        at_ms: at_ms.slice(from, to),
        import_kWh: kWh.slice(from, to),
      });
      const energy = { ...cut(first, end < 0 ? undefined : end), export_kWh: null, meters: {} };
      const past = cut(0, first);
      const made = billOf({ versions, from_ms, to_ms, now_ms: 2e12, energy, past, context: NOTHING });
      total += sumOf(made);
      if (month === 0) expect(made.lines.map(({ kind }) => kind)).toEqual(['demand']);
      else expect(made.lines.map(({ kind }) => kind)).toEqual(['demand', 'demand_billed']);
    }
    // the largest quarter: 21.1 to 21.6 kWh, times 4
    const peak_kW = Math.max(...kWh) * 4;
    expect(total).toBe(toCents(peak_kW * 97.13, 'EUR', 'half-up'));
  });

  it('shares the month by days where the tariff changes in it', () => {
    const version = (valid_from: string, value: number, base: number) => ({
      valid_from,
      tariff: {
        ...EMPTY,
        energy: [flat(value, { vat_percent: 0 })],
        standing: [{ name: 'Base', vat_percent: 0, per: 'month' as const, amount: base }],
        demand: [{ ...DEMAND, price: { kind: 'linear' as const, per_kW: base } }],
      },
    });
    const versions = [version('2026-01-01', 0.2, 30), version('2026-06-11', 0.3, 60)];
    const peak = Date.parse('2026-06-05T10:00Z');
    const made = bill(EMPTY, '2026-05-31T22:00Z', '2026-06-30T22:00Z', (at) => (at === peak ? 2 : 1), { versions });
    // 10 of 30 days under the first: 961 kWh × 0.2, 8 kW × 30 × 1/3, 30 × 1/3; 20 days: 1,920 × 0.3, 4 × 60 × 2/3, 40
    expect(made.lines.map(({ name, amount }) => [name, amount])).toEqual([
      ...[
        ['Energy', 192.2],
        ['Demand', 80],
        ['Base', 10],
      ],
      ...[
        ['Energy', 576],
        ['Demand', 160],
        ['Base', 40],
      ],
    ]);
    expect(made.parts.map(({ valid_from }) => valid_from)).toEqual(['2026-01-01', '2026-06-11']);
    expect(() => bill(EMPTY, '2019-05-31T22:00Z', '2019-06-30T22:00Z', () => 1)).toThrow(
      'No tariff is valid before 2020-01-01.',
    );
  });

  it('knows nothing of a demand of which no quarter was measured, and so has no total', () => {
    const tariff = { ...EMPTY, demand: [DEMAND] };
    const made = bill(tariff, '2026-05-31T22:00Z', '2026-06-01T22:00Z', () => Number.NaN);
    expect([made.lines[0]?.quantity, made.lines[0]?.amount, made.total]).toEqual([null, null, null]);
  });

  it('asks for no price of a slot in which nothing was taken', () => {
    const market: Price = {
      ...{ kind: 'market', area: 'DE-LU', market: 'day-ahead', factor: 1, fee_per_kWh: 0 },
      ...{ exchange: null, mean_min: 15, min_per_kWh: null, max_per_kWh: null },
    };
    const tariff = { ...EMPTY, energy: [flat(0, { price: market })] };
    const at_ms = slotsBetween('2026-06-01T10:00Z', '2026-06-01T11:00Z');
    const series = { currency: 'EUR', vat_included: false, at_ms, values: Float64Array.of(100, 100, Number.NaN, 100) };
    const context = { isHoliday: () => false, market: () => series };
    const only = (hole: number) => (at: number) =>
      at >= at_ms[0]! && at <= at_ms[3]! ? (at === at_ms[2] ? hole : 1) : 0;
    expect(bill(tariff, '2026-05-31T22:00Z', '2026-06-01T22:00Z', only(0), { context }).total).toBe(0.36);
    const unpriced = bill(tariff, '2026-05-31T22:00Z', '2026-06-01T22:00Z', only(1), { context });
    expect([unpriced.total, unpriced.lines[0]?.amount]).toEqual([null, null]);
    expect(unpriced.unpriced).toMatchObject([{ what: 'The day-ahead price of DE-LU', from_ms: at_ms[2], slots: 1 }]);
  });
});
