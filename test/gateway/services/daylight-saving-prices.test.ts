import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodePriceCsv } from '../../../connectors/prices/csv.ts';
import { hourStart } from '../../../connectors/prices/ercot-time.ts';
import { SLOT_MS } from '../../../engine/model/time.ts';
import { changeDays, wallAt, YEARS, ZONES, type ZoneOracle } from '../../engine/model/clock-changes.ts';
import { changingDays, openDaylightRig } from './daylight-saving-rig.ts';

/** Where clocks change, prices have 92, 96 or 100 quarter hours: against the rules' own words. */
const HOUR_MS = 3_600_000;
const MADE_MS = Date.UTC(2026, 0, 1);
let rig: Awaited<ReturnType<typeof openDaylightRig>>;
beforeAll(async () => {
  rig = await openDaylightRig();
});
afterAll(() => rig.close());

/** A table of hourly prices in local time, as people and exchanges publish it: the doubled hour stands there twice. */
function localTable(oracle: ZoneOracle, day: { from_ms: number; slots: number }): { csv: string; values: number[] } {
  const hours = Array.from({ length: day.slots / 4 }, (_, k) => day.from_ms + k * HOUR_MS);
  const values = hours.flatMap((_, k) => new Array<number>(4).fill(10 + k));
  const rows = hours.map((at_ms, k) => `${wallAt(oracle, at_ms)},${10 + k}`);
  return { csv: `at,price_EUR_MWh\n${rows.join('\n')}\n`, values };
}

describe('daylight saving in prices', () => {
  // What days cost at given prices is told of every zone by the tariffs; here one zone of each offset and rule.
  const costed = new Set(new Map(ZONES.map((oracle) => [`${oracle.standard_h} ${oracle.rule}`, oracle])).values());
  for (const oracle of ZONES)
    it(`${oracle.zone}: hourly prices of a day-ahead day of 23, 24 and 25 hours fall into the right quarter hours`, async () => {
      const { zone } = oracle;
      const area = zone.replaceAll('/', '-');
      rig.setSite(zone, { kind: 'day-ahead', area, factor: 1, fee_per_kWh: 0, vat_percent: 0 });
      const days = [...changingDays(oracle), ...YEARS.slice(0, 1).flatMap((year) => changeDays(oracle, year))];
      const all = [];
      for (const day of days) {
        const { csv, values } = localTable(oracle, day);
        const { slots } = decodePriceCsv(csv, { area, time_zone: zone, currency: 'EUR' });
        expect(slots.map(({ value }) => value)).toEqual(values);
        expect(slots.map(({ at_ms }) => at_ms)).toEqual(values.map((_, i) => day.from_ms + i * SLOT_MS));
        all.push({ day, values, slots });
      }
      const series = { area, market: 'day-ahead' as const, currency: 'EUR', vat_included: false, source: 'csv' };
      const slots = [...new Map(all.flatMap((one) => one.slots).map((slot) => [slot.at_ms, slot])).values()];
      await rig.store.prices.write({ ...series, slots: slots.sort((a, b) => a.at_ms - b.at_ms) }, MADE_MS);
      for (const { day, values } of all) {
        const to_ms = day.from_ms + day.slots * SLOT_MS;
        const { columns } = await rig.sitePrices('a', day.from_ms, to_ms);
        expect(columns.values).toHaveLength(values.length);
        // Taxes and fees are worked into each price: the last bit is not the input's.
        for (const [i, value] of values.entries()) expect(columns.values[i]).toBeCloseTo(value / 1000, 12);
        if (!costed.has(oracle)) continue;
        const cost = await rig.data.cost('a', day.from_ms, to_ms);
        const expected = values.reduce((sum, value) => sum + value / 1000, 0);
        expect(cost).toMatchObject({ import_kWh: day.slots, missing_slots: 0 });
        expect(cost.amount).toBeCloseTo(expected, 9);
      }
    });

  it('hours that ERCOT counts by their end lead to 92, 96 or 100 quarter hours', () => {
    const chicago = ZONES.find(({ zone }) => zone === 'America/Chicago')!;
    for (const year of YEARS)
      for (const { date, from_ms, slots } of changeDays(chicago, year)) {
        const starts = Array.from({ length: 24 }, (_, k) => hourStart(date, k + 1, false)).filter((at) => at !== null);
        // Only the hour that happens twice is published with the flag.
        if (slots === 100) starts.push(hourStart(date, 2, true)!);
        const hours = [...new Set(starts)].sort((a, b) => a - b);
        expect(hours).toEqual(Array.from({ length: slots / 4 }, (_, k) => from_ms + k * HOUR_MS));
      }
  });
});
