import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodePriceCsv } from '../../../connectors/prices/csv.ts';
import { hourStart } from '../../../connectors/prices/ercot-time.ts';
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import type { DrainedSeries } from '../../../connectors/series/store.ts';
import type { EnergyPrice, MeterPoint } from '../../../engine/model/site.ts';
import { SLOT_MS } from '../../../engine/model/time.ts';
import { createDataService, periodBounds } from '../../../gateway/services/data.ts';
import { createPriceService, type PriceServiceDeps } from '../../../gateway/services/prices.ts';
import { createQualityService, type QualityDeps } from '../../../gateway/services/quality.ts';
import type { DataService } from '../../../gateway/services.ts';
import { timeTicks } from '../../../web/charts/scale.ts';
import { createFormat } from '../../../web/format.ts';
import { createTranslate } from '../../../web/i18n/text.ts';
import {
  allDays,
  changeDays,
  FIRST_YEAR,
  LAST_YEAR,
  offsetAt,
  wallAt,
  YEARS,
  ZONES,
  type ZoneOracle,
} from '../../engine/model/clock-changes.ts';

/** Where clocks change, sums, prices, tariffs and charts have 92, 96 or 100 quarter hours: against the rules' own words. */
const HOUR_MS = 3_600_000;
const METER: MeterPoint = {
  ...{ tenant: 'a', id: 'grid', site: 's', name: 'Grid', role: 'grid', device: 'd', channel: 'main' },
  ...{ parent: null, virtual: null },
};
const meters = { list: () => [METER], get: () => METER };
const zoneNamed = (zone: string): ZoneOracle => ZONES.find((one) => one.zone === zone)!;
const PRICE = 0.4;
const EACH_OFFSET = ['Atlantic/Azores', 'Europe/Lisbon', 'Europe/Berlin', 'Europe/Athens', 'America/Chicago'].map(
  zoneNamed,
);

let dir: string;
let store: DrainedSeries;
let data: DataService;
let site: { time_zone: string; currency: string; energy_price: EnergyPrice };

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'luna-dst-'));
  store = await openDuckDbSeries({ file: join(dir, 's.duckdb'), memory: '256MB' });
  // 1 kWh in every quarter hour of all the years, so that a sum counts its slots.
  const [from_ms, to_ms] = [Date.UTC(FIRST_YEAR - 1, 11, 30), Date.UTC(LAST_YEAR + 1, 0, 3)];
  const count = (to_ms - from_ms) / SLOT_MS;
  const slots = {
    at_ms: Float64Array.from({ length: count }, (_, i) => from_ms + i * SLOT_MS),
    values: new Float64Array(count).fill(1),
    quality: new Int32Array(count),
  };
  await store.slots.replace('a', { meter: 'grid', quantity: 'import_kWh', from_ms, to_ms }, slots, []);
  const clock = { now: () => Date.UTC(2026, 0, 1) };
  const prices = createPriceService({
    ...{ config: { price_sources: [] }, clock, series: store, providers: [], random: () => 0.5 },
    site: { tenants: () => ['a'], get: () => site },
  } as unknown as PriceServiceDeps);
  sitePrices = prices.site;
  data = createDataService({ series: store, meters, sitePrices: prices.site });
});
let sitePrices: ReturnType<typeof createPriceService>['site'];
afterAll(async () => {
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

describe('daylight saving in sums', () => {
  it('months of every zone begin where the rules say', () => {
    for (const oracle of ZONES) {
      const days = allDays(oracle);
      const [from_ms, to_ms] = [days[0]!.from_ms, days.at(-1)!.from_ms + HOUR_MS];
      const months = days.filter((day) => day.date.endsWith('-01')).map((day) => day.from_ms);
      expect(periodBounds(from_ms, to_ms, 'month', oracle.zone).slice(0, -1)).toEqual(months);
    }
  });

  for (const oracle of EACH_OFFSET)
    it(`${oracle.zone}: the sums of months and days of 2020 to 2035 have their quarter hours`, async () => {
      const query = { meters: ['grid'], quantity: 'import_kWh', tz: oracle.zone };
      const days = allDays(oracle);
      const range = { from_ms: days[0]!.from_ms, to_ms: days.at(-1)!.from_ms + HOUR_MS };
      const months = await data.totals('a', { ...query, ...range, resolution: 'month' });
      const expected = new Map<string, number>();
      for (const { date, slots } of days) expected.set(date.slice(0, 7), (expected.get(date.slice(0, 7)) ?? 0) + slots);
      expect([...months.rows[0]!.values]).toEqual([...expected.values()]);
      const byDay = await data.totals('a', { ...query, ...range, resolution: 'day' });
      expect([...byDay.rows[0]!.values]).toEqual(days.map((day) => day.slots));
    });

  it('hours of the wall clock: 23, 24 or 25 of four quarters, at every change', async () => {
    for (const oracle of EACH_OFFSET)
      for (const year of [FIRST_YEAR, 2027, LAST_YEAR])
        for (const { from_ms, slots } of changeDays(oracle, year)) {
          const range = { from_ms, to_ms: from_ms + slots * SLOT_MS };
          const query = { meters: ['grid'], quantity: 'import_kWh', tz: oracle.zone, resolution: 'hour' as const };
          const { rows } = await data.totals('a', { ...query, ...range });
          expect([...rows[0]!.values]).toEqual(new Array(slots / 4).fill(4));
        }
  });
});

/** A table of hourly prices in local time, as people and exchanges publish it: the doubled hour stands there twice. */
function localTable(oracle: ZoneOracle, day: { from_ms: number; slots: number }): { csv: string; values: number[] } {
  const hours = Array.from({ length: day.slots / 4 }, (_, k) => day.from_ms + k * HOUR_MS);
  const values = hours.flatMap((_, k) => new Array<number>(4).fill(10 + k));
  const rows = hours.map((at_ms, k) => `${wallAt(oracle, at_ms)},${10 + k}`);
  return { csv: `at,price_EUR_MWh\n${rows.join('\n')}\n`, values };
}

describe('daylight saving in prices and tariffs', () => {
  const areas: [area: string, zone: string][] = [
    ['DE-LU', 'Europe/Berlin'],
    ['PT', 'Europe/Lisbon'],
    ['ES', 'Atlantic/Canary'],
    ['IE-SEM', 'Europe/Dublin'],
    ['GR', 'Europe/Athens'],
    ['RO', 'Europe/Bucharest'],
    ['AZORES', 'Atlantic/Azores'],
    ['HB_HOUSTON', 'America/Chicago'],
  ];
  for (const [area, zone] of areas)
    it(`${area}: hourly prices of a day-ahead day of 23, 24 and 25 hours fall into the right quarter hours`, async () => {
      const oracle = zoneNamed(zone);
      site = {
        ...{ time_zone: zone, currency: 'EUR' },
        energy_price: { kind: 'day-ahead', area, factor: 1, fee_per_kWh: 0, vat_percent: 0 },
      };
      const all = [];
      for (const year of YEARS)
        for (const day of changeDays(oracle, year)) {
          const { csv, values } = localTable(oracle, day);
          const { slots } = decodePriceCsv(csv, { area, time_zone: zone, currency: 'EUR' });
          expect(slots.map(({ value }) => value)).toEqual(values);
          expect(slots.map(({ at_ms }) => at_ms)).toEqual(values.map((_, i) => day.from_ms + i * SLOT_MS));
          all.push({ day, values, slots });
        }
      const series = { area, market: 'day-ahead' as const, currency: 'EUR', vat_included: false, source: 'csv' };
      const slots = [...new Map(all.flatMap((one) => one.slots).map((slot) => [slot.at_ms, slot])).values()];
      await store.prices.write({ ...series, slots: slots.sort((a, b) => a.at_ms - b.at_ms) }, Date.UTC(2026, 0, 1));
      for (const { day, values } of all.filter((one) => one.day.slots !== 96)) {
        const to_ms = day.from_ms + day.slots * SLOT_MS;
        const { columns } = await sitePrices('a', day.from_ms, to_ms);
        expect([...columns.values]).toEqual(values.map((value) => value / 1000));
        const cost = await data.cost('a', day.from_ms, to_ms);
        const expected = values.reduce((sum, value) => sum + value / 1000, 0);
        expect(cost).toMatchObject({ import_kWh: day.slots, missing_slots: 0 });
        expect(cost.amount).toBeCloseTo(expected, 9);
      }
    });

  it('a fixed price costs 92, 96 or 100 times a quarter hour', async () => {
    for (const oracle of EACH_OFFSET) {
      site = {
        ...{ time_zone: oracle.zone, currency: 'EUR' },
        energy_price: { kind: 'fixed', per_kWh: PRICE, vat_percent: 0 },
      };
      for (const year of [FIRST_YEAR, 2027, LAST_YEAR])
        for (const { from_ms, slots } of changeDays(oracle, year)) {
          const cost = await data.cost('a', from_ms, from_ms + slots * SLOT_MS);
          expect(cost.amount).toBeCloseTo(slots * PRICE, 9);
        }
    }
  });

  it('hours that ERCOT counts by their end lead to 92, 96 or 100 quarter hours', () => {
    for (const year of YEARS)
      for (const { date, from_ms, slots } of changeDays(zoneNamed('America/Chicago'), year)) {
        const starts = Array.from({ length: 24 }, (_, k) => hourStart(date, k + 1, false)).filter((at) => at !== null);
        // Only the hour that happens twice is published with the flag.
        if (slots === 100) starts.push(hourStart(date, 2, true)!);
        const hours = [...new Set(starts)].sort((a, b) => a - b);
        expect(hours).toEqual(Array.from({ length: slots / 4 }, (_, k) => from_ms + k * HOUR_MS));
      }
  });
});

describe('daylight saving in charts', () => {
  it('the time axis has its ticks at every third hour of the wall clock, each once', () => {
    for (const oracle of ZONES) {
      const t = createTranslate('en');
      const format = createFormat({ language: 'en', time_zone: oracle.zone, currency: 'EUR', t });
      for (const year of YEARS)
        for (const { from_ms, slots } of changeDays(oracle, year).filter((day) => day.slots !== 96)) {
          const range = { from_ms, to_ms: from_ms + slots * SLOT_MS };
          const expected: number[] = [];
          for (let at_ms = from_ms; at_ms <= range.to_ms; at_ms += HOUR_MS) {
            const hour = ((at_ms + offsetAt(oracle, at_ms)) / HOUR_MS) % 24;
            const before = expected.at(-1);
            const again = before !== undefined && at_ms - before === HOUR_MS;
            if (hour % 3 === 0 && !again) expected.push(at_ms);
          }
          expect(timeTicks(range, format.wall).map((tick) => tick.at_ms)).toEqual(expected);
        }
    }
  });

  it('the strip of a day has a cell a quarter hour', async () => {
    for (const oracle of ZONES)
      for (const year of YEARS)
        for (const { from_ms, slots } of changeDays(oracle, year).filter((day) => day.slots !== 96)) {
          const deps = {
            ...{
              meters,
              clock: { now: () => from_ms + 12 * HOUR_MS },
              site: { get: () => ({ time_zone: oracle.zone }) },
            },
            series: { list: async () => [], slots: store.slots, readings: store.readings },
          } as unknown as QualityDeps;
          const { cells } = await createQualityService(deps).today('a', 'grid');
          expect(cells).toHaveLength(slots);
        }
  });
});
