/**
 * The bills of the example tariffs, worked by hand. The sums in the comments were made with pencil and paper (and
 * checked on a pocket calculator); nothing here is copied from what the program printed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPublicHolidays } from '../../../connectors/holidays/public.ts';
import { SLOT_MS } from '../../../engine/model/time.ts';
import { type Bill, billOf, type SiteEnergy } from '../../../engine/tariff/bill.ts';
import type { MarketSeries } from '../../../engine/tariff/prices.ts';
import { parseTariff } from '../../../engine/tariff/read.ts';
import { slotsBetween } from './sample.ts';

const holidays = createPublicHolidays();
const example = (name: string) =>
  parseTariff(readFileSync(join(import.meta.dirname, '../../../tariffs', `${name}.yaml`), 'utf8'), holidays);

type Given = {
  from: string;
  to: string;
  import_kWh: (at_ms: number) => number;
  export_kWh?: (at_ms: number) => number;
  meters?: SiteEnergy['meters'];
  past?: readonly (readonly [string, number])[];
  /** Price per MWh of a slot. */
  market?: { currency: string; price: (at_ms: number) => number };
};

function bill(name: string, given: Given): Bill {
  const { from, to, market } = given;
  const at_ms = slotsBetween(from, to);
  const series: MarketSeries | undefined = market && {
    ...{ currency: market.currency, vat_included: false, at_ms, values: at_ms.map(market.price) },
  };
  return billOf({
    versions: [{ valid_from: '2020-01-01', tariff: example(name) }],
    ...{ from_ms: Date.parse(from), to_ms: Date.parse(to), now_ms: Date.parse('2030-01-01') },
    energy: {
      at_ms,
      import_kWh: at_ms.map(given.import_kWh),
      export_kWh: given.export_kWh ? at_ms.map(given.export_kWh) : null,
      meters: given.meters ?? {},
    },
    past: {
      at_ms: Float64Array.from(given.past ?? [], ([at]) => Date.parse(at)),
      import_kWh: Float64Array.from(given.past ?? [], ([, kWh]) => kWh),
    },
    context: { isHoliday: holidays.isHoliday, market: () => series },
  });
}

const shown = ({ lines }: Bill) =>
  lines.map(({ name, period, quantity, amount }) => [period === null ? name : `${name} ${period}`, quantity, amount]);
const at = (iso: string) => Date.parse(iso);

describe('bills worked by hand', () => {
  it('flat: January 2026, 2 kW all the time', () => {
    // 31 d × 96 × 0.5 kWh = 1,488 kWh × 0.28 = 416.64; 416.64 + 11.90 = 428.54; × 0.19 = 81.4226 → 81.42
    const january = bill('flat', { from: '2025-12-31T23:00Z', to: '2026-01-31T23:00Z', import_kWh: () => 0.5 });
    expect(shown(january)).toEqual([
      ['Energy', 1488, 416.64],
      ['Base price', 31, 11.9],
      ['', 428.54, 81.42],
    ]);
    expect([january.net, january.total]).toEqual([428.54, 509.96]);
    expect(january.complete).toBe(true);
  });

  it('German commercial: April 2026 with Good Friday and Easter Monday, and a new peak of the year', () => {
    // HT: 22 weekdays − 3 and 6 April = 20 d × 64 slots = 1,280, NT: 2,880 − 1,280 = 1,600 slots.
    // 100 kW (25 kWh) in HT but for one quarter of 180 kW (45 kWh), 40 kW (10 kWh) in NT:
    // HT 1,279 × 25 + 45 = 32,020 kWh, NT 16,000 kWh, together 48,020 kWh.
    // Leistungspreis: 96 × 180 kW × 4/12 = 5,760, less 96 × 150 kW × 3/12 = 3,600 billed until March: 2,160.
    // Net 11,061.36; VAT 2,101.6584.
    const april = bill('de-commercial', {
      ...{ from: '2026-03-31T22:00Z', to: '2026-04-30T22:00Z' },
      import_kWh: (at_ms) => {
        if (at_ms === at('2026-04-14T08:00Z')) return 45;
        // summer time all month: UTC + 2
        const wall = new Date(at_ms + 2 * 3_600_000);
        const weekday = wall.getUTCDay() >= 1 && wall.getUTCDay() <= 5 && ![3, 6].includes(wall.getUTCDate());
        return weekday && wall.getUTCHours() >= 6 && wall.getUTCHours() < 22 ? 25 : 10;
      },
      past: [
        ['2026-02-10T09:00Z', 37.5],
        ['2026-02-10T09:15Z', 30],
      ],
    });
    expect(shown(april)).toEqual([
      ['Arbeitspreis', 48_020, 4561.9],
      ['Netzentgelt HT', 32_020, 1344.84],
      ['Netzentgelt NT', 16_000, 496],
      ['Stromsteuer', 48_020, 984.41],
      ['Umlagen (KWKG, Offshore, §19)', 48_020, 1421.39],
      ['Konzessionsabgabe', 48_020, 52.82],
      ['Leistungspreis', 180, 5760],
      ['Leistungspreis', 150, -3600],
      ['Messstellenbetrieb', 30, 40],
      ['', 11_061.36, 2101.66],
    ]);
    expect(april.total).toBe(13_163.02);
    expect(april.co2_kg).toBeCloseTo(48_020 * 0.363, 6);
    const peak = april.lines.find(({ kind }) => kind === 'demand')!.rows;
    expect([peak.from_ms[0], peak.quantity[0]]).toEqual([at('2026-04-14T08:00Z'), 180]);
  });

  it('dynamic household with §14a: October 2026 with its 25-hour day and four negative quarters', () => {
    // 2,980 slots × 0.25 = 745 kWh. Energy: 744 kWh × (0.08 + 0.0215) + 1 kWh × (−0.02 + 0.0215) = 75.5175.
    // Module 3: HT 31 × 12 = 372 slots = 93 kWh; NT 31 × 24 + 4 = 748 slots = 187 kWh × 0.015 = 2.805 → 2.81;
    // standard 1,860 slots = 465 kWh × 0.0953 = 44.3145. Module 1: −122.50 × 31/365 = −10.404.
    // Fed in: 8 kWh, 4 of them at a negative price: 4 × 0.0778 = 0.3112.
    // 19 %: 170.12 × 0.19 = 32.3228; 170.12 + 32.32 − 0.31 = 202.13.
    const negative = (at_ms: number) => at_ms >= at('2026-10-10T11:00Z') && at_ms < at('2026-10-10T12:00Z');
    const sunny = (at_ms: number) => at_ms >= at('2026-10-11T11:00Z') && at_ms < at('2026-10-11T12:00Z');
    const october = bill('de-dynamic-14a', {
      ...{ from: '2026-09-30T22:00Z', to: '2026-10-31T23:00Z', import_kWh: () => 0.25 },
      export_kWh: (at_ms) => (negative(at_ms) || sunny(at_ms) ? 1 : 0),
      market: { currency: 'EUR', price: (at_ms) => (negative(at_ms) ? -20 : 80) },
    });
    expect(shown(october)).toEqual([
      ['Börsenpreis und Beschaffung', 745, 75.52],
      ['Netzentgelt (§14a Modul 3) Hochtarif', 93, 14.23],
      ['Netzentgelt (§14a Modul 3) Niedertarif', 187, 2.81],
      ['Netzentgelt (§14a Modul 3) Standardtarif', 465, 44.31],
      ['Stromsteuer', 745, 15.27],
      ['Umlagen (KWKG, Offshore, §19)', 745, 22.05],
      ['Reduzierung (§14a Modul 1)', 31, -10.4],
      ['Grundpreis', 31, 4.9],
      ['Messstellenbetrieb', 31, 1.43],
      ['Einspeisevergütung (EEG)', 8, -0.31],
      ['', 170.12, 32.32],
    ]);
    expect(october.total).toBe(202.13);
    const feed = october.lines.find(({ kind }) => kind === 'feed_in')!.rows;
    expect([...feed.price].map((price) => price === 0)).toEqual([true, true, true, true, false, false, false, false]);
  });

  it('§14a module 2: a heat pump that pays the lower fee for what the grid gave it', () => {
    // A day of 2 kWh an hour from the grid; the pump takes 1.2 kWh in the first 20 slots, more than the grid's 0.5 kWh,
    // so 20 × 0.5 = 10 kWh; the rest is 48 − 10 = 38 kWh. 48 × 0.165 = 7.92; 38 × 0.0953 = 3.6214; 10 × 0.0381 = 0.381;
    // base price 9.50 × 1/30 = 0.3167. 7.92 + 3.62 + 0.38 + 0.32 = 12.24; × 0.19 = 2.3256.
    const at_ms = slotsBetween('2026-06-01T22:00Z', '2026-06-02T22:00Z');
    const day = bill('de-14a-module-2', {
      ...{ from: '2026-06-01T22:00Z', to: '2026-06-02T22:00Z', import_kWh: () => 0.5 },
      meters: { heatpump: at_ms.map((_, i) => (i < 20 ? 1.2 : 0)) },
    });
    expect(
      shown(day).map(([name, quantity, amount]) => [name, Math.round(Number(quantity) * 1e9) / 1e9, amount]),
    ).toEqual([
      ['Arbeitspreis', 48, 7.92],
      ['Netzentgelt', 38, 3.62],
      ['Netzentgelt Wärmepumpe (§14a Modul 2)', 10, 0.38],
      ['Grundpreis', 1, 0.32],
      ['', 12.24, 2.33],
    ]);
    expect(day.total).toBe(14.57);
  });

  it('ERCOT: November 2026 with its 25-hour day, a price spike, and the peak of August', () => {
    // 2,884 slots × 10 = 28,840 kWh. 28,830 × (0.03 × 1.03 + 0.005 = 0.0359) = 1,034.997, and one slot at 5,000 $/MWh:
    // 10 × (5 × 1.03 + 0.005) = 51.55; together 1,086.547. Delivery 1,015.168.
    // Demand: 40 kW measured, 80 % of August's 80 kW = 64 kW × 4.50 = 288. Tax: 2,394.11 × 0.0825 = 197.514.
    const november = bill('ercot-real-time', {
      ...{ from: '2026-11-01T05:00Z', to: '2026-12-01T06:00Z', import_kWh: () => 10 },
      past: [
        ['2025-11-20T20:00Z', 30],
        ['2026-08-12T21:00Z', 20],
      ],
      market: { currency: 'USD', price: (at_ms) => (at_ms === at('2026-11-05T23:15Z') ? 5000 : 30) },
    });
    expect(shown(november)).toEqual([
      ['Real-time energy', 28_840, 1086.55],
      ['Delivery (TDU)', 28_840, 1015.17],
      ['Distribution demand (TDU)', 64, 288],
      ['Customer charge (TDU)', 30, 4.39],
      ['', 2394.11, 197.51],
    ]);
    expect(november.total).toBe(2591.62);
  });

  it('Norwegian tiers: May 2026 with three holidays on weekdays, and peaks on three days', () => {
    // 2 kW all the time but for hours of 6, 7 and 8 kW on 4, 5 and 6 May, and another of 7.5 kW on 6 May:
    // 1,488 + 4 + 5 + 6 + 5.5 = 1,508.5 kWh; mean of the three days (6 + 7 + 8) / 3 = 7 kW: the step up to 10 kW, 252.
    // Day: 21 weekdays − 1, 14 and 25 May = 18 d × 32 kWh = 576 + 20.5 = 596.5 kWh; night and weekend 912 kWh.
    // Spot: 50 EUR × 11.60 = 580 NOK; 1,508.5 × (0.58 + 0.05) = 950.355 → 950.36; 133.616; 135.888; 107.55605; 15.085 → 15.09.
    // 1,594.52 × 0.25 = 398.63.
    const hours: Record<string, number> = {
      ...{ '2026-05-04T16': 1.5, '2026-05-05T16': 1.75, '2026-05-06T16': 2, '2026-05-06T10': 1.875 },
    };
    const may = bill('no-tiers', {
      ...{ from: '2026-04-30T22:00Z', to: '2026-05-31T22:00Z' },
      import_kWh: (at_ms) => hours[new Date(at_ms).toISOString().slice(0, 13)] ?? 0.5,
      market: { currency: 'EUR', price: (at_ms) => 50 + (((at_ms / SLOT_MS) % 4) - 1.5) * 4 },
    });
    const rounded = shown(may).map(([name, quantity, amount]) => [
      name,
      Math.round(Number(quantity) * 1e9) / 1e9,
      amount,
    ]);
    expect(rounded).toEqual([
      ['Spotpris', 1508.5, 950.36],
      ['Energiledd Dag', 596.5, 133.62],
      ['Energiledd Natt og helg', 912, 135.89],
      ['Forbruksavgift', 1508.5, 107.56],
      ['Enova', 1508.5, 15.09],
      ['Effektledd', 7, 252],
      ['', 1594.52, 398.63],
    ]);
    expect(may.total).toBe(1993.15);
    const peaks = may.lines.find(({ kind }) => kind === 'demand')!.rows;
    expect([...peaks.quantity]).toEqual([8, 7, 6]);
  });
});
