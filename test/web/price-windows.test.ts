import { describe, expect, it } from 'vitest';
import { SLOT_MS } from '../../engine/model/time.ts';
import { pricePhase, priceWindows } from '../../gateway/http/pages/price-windows.ts';
import { negativeStretches } from '../../gateway/http/pages/prices.ts';

const T0 = Date.UTC(2026, 5, 17);
const prices = (...values: number[]) => ({
  at_ms: Float64Array.from(values, (_, i) => T0 + i * SLOT_MS),
  values: Float64Array.from(values),
});
const at = (slot: number) => T0 + slot * SLOT_MS;

describe('phase of the price', () => {
  const day = prices(9, 9, 9, 1, 1, 1, 5, 5, 5, 5, -1, -1);

  it('is dear, cheap or negative until it changes', () => {
    expect(pricePhase(day, at(0) + 1000)).toEqual({ kind: 'dear', at_ms: at(3) });
    expect(pricePhase(day, at(4))).toEqual({ kind: 'cheap', at_ms: at(6) });
    expect(pricePhase(day, at(10))).toEqual({ kind: 'negative', at_ms: at(12) });
  });
  it('announces the next cheap stretch', () => {
    const later = prices(8, 6, 5, 5, 1, 1, 1, 9, 9);
    expect(pricePhase(later, at(1))).toEqual({ kind: 'cheap-from', at_ms: at(4) });
  });
  it('says nothing of a price that hardly moves, is unknown, or of too little', () => {
    expect(pricePhase(prices(...Array(96).fill(0.25)), at(4))).toBeNull();
    expect(pricePhase(prices(...Array(96).fill(Number.NaN)), at(4))).toBeNull();
    expect(pricePhase(prices(1, 2, 3), at(1))).toBeNull();
    expect(pricePhase(day, at(400))).toBeNull();
  });
  it('stops at a hole', () => {
    const holed = prices(1, 1, Number.NaN, 1, 5, 6, 7, 8, 9, 9, 9);
    expect(pricePhase(holed, at(0))).toEqual({ kind: 'cheap', at_ms: at(2) });
  });
});

describe('windows', () => {
  it('are the best and worst stretch of consecutive slots', () => {
    const found = priceWindows(prices(5, 1, 1, 5, 9, 9, 5), T0, at(7), 2);
    expect(found?.cheapest).toEqual({ from_ms: at(1), to_ms: at(3), mean: 1 });
    expect(found?.dearest).toEqual({ from_ms: at(4), to_ms: at(6), mean: 9 });
  });
  it('never span a hole, a gap in time or the end of the day', () => {
    const holed = priceWindows(prices(1, Number.NaN, 1, 8, 9), T0, at(4), 2);
    expect(holed).toBeNull();
    const gap = prices(1, 1, 5, 6);
    gap.at_ms[1] = at(10);
    gap.at_ms[2] = at(11);
    gap.at_ms[3] = at(12);
    expect(priceWindows(gap, T0, at(20), 2)?.cheapest.from_ms).toBe(at(10));
  });
  it('do not exist where nothing differs', () => {
    expect(priceWindows(prices(3, 3, 3, 3), T0, at(4), 2)).toBeNull();
    expect(priceWindows(prices(), T0, at(4), 2)).toBeNull();
  });
});

it('joins negative slots to stretches', () => {
  expect(negativeStretches(prices(-1, -2, 3, -1))).toEqual([
    { from_ms: at(0), to_ms: at(2) },
    { from_ms: at(3), to_ms: at(4) },
  ]);
});
