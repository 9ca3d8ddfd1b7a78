import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { billedPeak, demandCost, intervalMeans } from '../../../engine/tariff/demand.ts';
import { convexPieces, demandTerms } from '../../../engine/tariff/demand-terms.ts';
import type { DemandPrice } from '../../../engine/tariff/tariff.ts';
import { DEMAND, EMPTY, NOTHING, slotsBetween, WINDOW } from './sample.ts';

const none = () => false;
/** Tiers of a Norwegian grid company, NOK a month. */
const STEPS: DemandPrice = {
  kind: 'steps',
  steps: [
    { up_to_kW: 2, amount: 83 },
    { up_to_kW: 5, amount: 147 },
    { up_to_kW: 10, amount: 252 },
    { up_to_kW: Infinity, amount: 371 },
  ],
};
const BLOCKS: DemandPrice = {
  kind: 'blocks',
  blocks: [
    { up_to_kW: 50, per_kW: 4 },
    { up_to_kW: Infinity, per_kW: 9 },
  ],
};

describe('demand charges', () => {
  it('measures means of quarters or hours of the wall clock, and none with an unknown slot', () => {
    const at_ms = slotsBetween('2026-07-01T10:00Z', '2026-07-01T12:00Z');
    const kWh = Float64Array.of(1, 2, 3, 4, 5, Number.NaN, 5, 5);
    const quarters = intervalMeans(EMPTY, { mean_min: 15, when: null }, { at_ms, kWh }, none);
    expect(quarters.map(({ kW }) => kW)).toEqual([4, 8, 12, 16, 20, 20, 20]);
    const hours = intervalMeans(EMPTY, { mean_min: 60, when: null }, { at_ms, kWh }, none);
    expect(hours.map(({ kW, date }) => [kW, date])).toEqual([[10, '2026-07-01']]);
    const when = { ...WINDOW, hours: [{ from_min: 13 * 60, to_min: 14 * 60 }] };
    expect(intervalMeans(EMPTY, { mean_min: 15, when }, { at_ms, kWh }, none).map(({ kW }) => kW)).toEqual([
      20, 20, 20,
    ]);
  });

  it('bills the mean of the three largest daily peaks', () => {
    const charge = { ...DEMAND, mean_min: 60 as const, peaks: { count: 3, distinct_days: true }, price: STEPS };
    const means = [
      ['2026-01-05', 6],
      ['2026-01-05', 9],
      ['2026-01-06', 4],
      ['2026-01-07', 5],
      ['2026-01-08', 3],
    ].map(([date, kW], i) => ({ from_ms: i, to_ms: i + 1, date: String(date), kW: Number(kW) }));
    const { peaks, billed_kW } = billedPeak(charge, means);
    expect(peaks.map(({ kW }) => kW)).toEqual([9, 5, 4]);
    expect(billed_kW).toBe(6);
    expect(demandCost(STEPS, billed_kW)).toBe(252);
    expect(billedPeak(charge, means.slice(0, 2)).billed_kW).toBe(3);
  });

  it('bills at least the minimum, and a part of an earlier peak', () => {
    const charge = { ...DEMAND, min_kW: 20, ratchet: { percent: 80, months: 11 } };
    const means = [{ from_ms: 0, to_ms: 1, date: 'd', kW: 30 }];
    expect(billedPeak(charge, means, 0).billed_kW).toBe(30);
    expect(billedPeak(charge, means, 100).billed_kW).toBe(80);
    expect(billedPeak(charge, [], 10).billed_kW).toBe(20);
  });

  it('costs by kW, by step and by block', () => {
    expect(demandCost({ kind: 'linear', per_kW: 10 }, 7.5)).toBe(75);
    expect([0, 2, 2.01, 5, 10, 11].map((kW) => demandCost(STEPS, kW))).toEqual([83, 83, 147, 147, 252, 371]);
    expect([0, 50, 60].map((kW) => demandCost(BLOCKS, kW))).toEqual([0, 200, 290]);
  });
});

describe('demand charges for an optimiser', () => {
  it('has pieces that never lie above the cost, and equal it where they say so', () => {
    for (const price of [STEPS, BLOCKS, { kind: 'linear', per_kW: 3 } as const]) {
      const { pieces, exact } = convexPieces(price, 20);
      const bound = (kW: number) => Math.max(...pieces.map(({ per_kW, fixed }) => per_kW * kW + fixed));
      fc.assert(
        fc.property(fc.double({ min: 0, max: 20, noNaN: true }), (kW) => {
          expect(bound(kW)).toBeLessThanOrEqual(demandCost(price, kW) + 1e-9);
          if (exact) expect(bound(kW)).toBeCloseTo(demandCost(price, kW), 9);
        }),
      );
    }
    expect(convexPieces(BLOCKS, 80)).toMatchObject({ exact: true });
    expect(convexPieces(STEPS, 20)).toMatchObject({ exact: false });
    expect(() => convexPieces(STEPS, Infinity)).toThrow('up to a largest power');
  });

  it('tells what was drawn, the hour that runs, and the new month', () => {
    const charge = {
      ...{ ...DEMAND, mean_min: 60 as const, peaks: { count: 2, distinct_days: true }, price: STEPS, vat_percent: 25 },
      ratchet: { percent: 50, months: 3 },
    };
    const at_ms = slotsBetween('2026-01-29T23:00Z', '2026-01-31T20:30Z');
    const kWh = at_ms.map((at) =>
      at === Date.parse('2026-01-30T08:00Z') ? 3 : at >= Date.parse('2026-01-31T20:00Z') ? 2 : 0.25,
    );
    const horizon = slotsBetween('2026-01-31T20:30Z', '2026-02-01T00:00Z');
    const terms = demandTerms(
      { ...EMPTY, demand: [charge] },
      { at_ms: horizon },
      { at_ms, kWh, ratchet_kW: { Demand: 8 } },
      NOTHING,
      20,
    );
    expect(terms.map(({ period }) => new Date(period.from_ms).toISOString())).toEqual([
      '2025-12-31T23:00:00.000Z',
      '2026-01-31T23:00:00.000Z',
    ]);
    const [january, february] = terms;
    expect(january!.realised.map(({ date, kW }) => [date, kW])).toEqual([
      ['2026-01-30', 3.75],
      ['2026-01-31', 1],
    ]);
    expect(january!.floor_kW).toBe(4);
    expect(january!.intervals.map(({ first, count, fixed_kWh }) => [first, count, fixed_kWh])).toEqual([
      [0, 2, 4],
      [2, 4, 0],
      [6, 4, 0],
    ]);
    expect(february!.intervals).toMatchObject([{ first: 10, count: 4, fixed_kWh: 0, date: '2026-02-01' }]);
    expect(february!.realised).toEqual([]);
    expect(january!.cost(4)).toBeCloseTo(147 * 1.25, 9);
  });
});
