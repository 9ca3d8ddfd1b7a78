import { describe, expect, it } from 'vitest';
import { planDemand } from '../../../engine/dispatch/plan-demand.ts';
import { batteryTakenBack, shiftedGrid, takenAtOnce } from '../../../engine/dispatch/without-devices.ts';
import { SLOT_MS } from '../../../engine/model/time.ts';
import { demandTerms } from '../../../engine/tariff/demand-terms.ts';
import { readTariff } from '../../../engine/tariff/read.ts';

const FROM = Date.parse('2026-06-15T10:00Z');
const SLOTS = 96;
const at_ms = (from_ms: number, count: number) => Float64Array.from({ length: count }, (_, t) => from_ms + t * SLOT_MS);

function termsOf(demand: string, past_kW: readonly number[]) {
  const { tariff, faults } = readTariff(
    `name: T\ncurrency: EUR\ntime_zone: UTC\nvat_percent: 0\nenergy:\n  - { name: E, price_per_kWh: 0.3 }\ndemand:\n${demand}`,
  );
  expect(faults).toEqual([]);
  // One slot a day before, each with its power.
  const days = past_kW.map((_, k) => FROM - (past_kW.length - k) * 86_400_000);
  const past = { at_ms: Float64Array.from(days), kWh: Float64Array.from(past_kW, (kW) => kW / 4) };
  return planDemand(demandTerms(tariff!, { at_ms: at_ms(FROM, SLOTS) }, past, { isHoliday: () => false }, 500), SLOTS);
}

describe('demand charges of a tariff in a plan', () => {
  it('a month’s peak costs above what is billed anyway', () => {
    const [term, ...more] = termsOf('  - { name: P, per: month, price_per_kW: 8 }\n', [30, 50, 20]);
    expect(more).toEqual([]);
    expect([term!.per_kW, term!.realised_kW, term!.from_slot, term!.to_slot]).toEqual([8, 50, 0, SLOTS]);
  });

  it('of a mean of three daily peaks each day has a third, above the smallest of the three', () => {
    const terms = termsOf('  - { name: P, per: month, price_per_kW: 9, peaks: 3, of: days }\n', [30, 50, 20, 40]);
    expect(terms.map(({ per_kW, realised_kW }) => [per_kW, realised_kW])).toEqual([
      [3, 30],
      [3, 30],
    ]);
  });

  it('only the hours that are measured count', () => {
    const [term] = termsOf('  - { name: P, per: month, price_per_kW: 8, when: { hours: 12:00-14:00 } }\n', []);
    expect([term!.from_slot, term!.to_slot]).toEqual([8, 16]);
  });
});

describe('a month without its devices being moved', () => {
  it('takes the battery back slot by slot, and what is unknown stays unknown', () => {
    const grid = { import_kWh: Float64Array.of(5, 0, 2, Number.NaN), export_kWh: Float64Array.of(0, 1, 0.5, 0) };
    const change = batteryTakenBack(Float64Array.of(2, 0, 0, 0), Float64Array.of(0, 3, 1, 0));
    const { import_kWh, export_kWh } = shiftedGrid(grid, change);
    expect([...import_kWh]).toEqual([3, 2, 3, Number.NaN]);
    expect([...export_kWh].slice(0, 3)).toEqual([0, 0, 0.5]);
  });

  it('energy of a span comes as soon as it begins, and none is lost', () => {
    const used = Float64Array.of(0, 0, 1, 1, 4, 0);
    const change = takenAtOnce(at_ms(FROM, 6), used, [{ from_ms: FROM + SLOT_MS, to_ms: FROM + 5 * SLOT_MS }], 12);
    expect(used.map((kWh, t) => kWh + change[t]!)).toEqual(Float64Array.of(0, 3, 3, 0, 0, 0));
  });
});
