import { describe, expect, it } from 'vitest';
import { InvalidDataError } from '../../../engine/errors.ts';
import { priceSlots, requireKnown, type TariffContext } from '../../../engine/tariff/prices.ts';
import type { EnergyCharge, Price, Tariff } from '../../../engine/tariff/tariff.ts';
import { EMPTY, NOTHING, slotsBetween, WINDOW } from './sample.ts';

const energy = (price: Price, more: Partial<EnergyCharge> = {}): EnergyCharge => ({
  ...{ name: 'Energy', vat_percent: 0, meter: null, without: [], price },
  ...more,
});
const dayAhead = (more: object = {}): Price => ({
  ...{ kind: 'market', area: 'DE-LU', market: 'day-ahead', factor: 1, fee_per_kWh: 0 },
  ...{ mean_min: 15, exchange: null, min_per_kWh: null, max_per_kWh: null },
  ...more,
});
const DAY = slotsBetween('2026-07-01T22:00Z', '2026-07-02T22:00Z');
const market = (values: number[], more: object = {}): TariffContext => ({
  isHoliday: () => false,
  market: () => ({
    ...{ currency: 'EUR', vat_included: false, at_ms: DAY.slice(0, values.length) },
    ...{ values: Float64Array.from(values), ...more },
  }),
});

describe('prices of slots', () => {
  it('adds up the charges with the VAT of each', () => {
    const tariff = {
      ...EMPTY,
      energy: [energy({ kind: 'fixed', value: 0.1 }, { vat_percent: 19 }), energy({ kind: 'fixed', value: 0.05 })],
    };
    expect(priceSlots(tariff, { at_ms: DAY }, NOTHING).import_per_kWh[3]).toBeCloseTo(0.169, 12);
  });

  it('takes the first period that holds: weekdays, seasons over the new year, holidays as Sundays', () => {
    const price: Price = {
      kind: 'periods',
      periods: [
        {
          ...{ name: 'winter day', value: 3 },
          when: {
            ...{ dates: [{ from: '10-01', to: '03-31' }], weekdays: [1, 2, 3, 4, 5] },
            ...{ hours: [{ from_min: 360, to_min: 1320 }], holidays: 'as-sunday' },
          },
        },
        { name: 'Sunday', value: 2, when: { ...WINDOW, weekdays: [7], holidays: 'as-sunday' } },
        { name: 'else', value: 1, when: null },
      ],
    };
    const tariff: Tariff = { ...EMPTY, holidays: 'DE', energy: [energy(price)] };
    const context = { ...NOTHING, isHoliday: (_: string, date: string) => date === '2026-01-01' };
    const at = (iso: string) =>
      priceSlots(tariff, { at_ms: Float64Array.of(Date.parse(iso)) }, context).import_per_kWh[0];
    // 2 January 2026 was a Friday, 1 January a Thursday
    expect(at('2026-01-02T05:00Z')).toBe(3);
    expect(at('2026-01-02T04:45Z')).toBe(1);
    expect(at('2026-01-02T20:45Z')).toBe(3);
    expect(at('2026-01-02T21:00Z')).toBe(1);
    expect(at('2026-01-01T10:00Z')).toBe(2);
    expect(at('2026-01-04T10:00Z')).toBe(2);
    expect(at('2026-03-31T10:00Z')).toBe(3);
    expect(at('2026-04-01T10:00Z')).toBe(1);
  });

  it('prices the 92 and 100 slots of a clock change by the wall clock', () => {
    const when = { ...WINDOW, hours: [{ from_min: 0, to_min: 180 }] };
    const price: Price = {
      kind: 'periods',
      periods: [
        { name: 'night', value: 1, when },
        { name: 'else', value: 0, when: null },
      ],
    };
    const nights = (from: string, to: string) => {
      const { import_per_kWh } = priceSlots(
        { ...EMPTY, energy: [energy(price)] },
        { at_ms: slotsBetween(from, to) },
        NOTHING,
      );
      return [import_per_kWh.length, import_per_kWh.reduce((sum, value) => sum + value, 0)];
    };
    expect(nights('2026-03-28T23:00Z', '2026-03-29T22:00Z')).toEqual([92, 8]);
    expect(nights('2026-10-24T22:00Z', '2026-10-25T23:00Z')).toEqual([100, 16]);
    expect(nights('2026-07-01T22:00Z', '2026-07-02T22:00Z')).toEqual([96, 12]);
  });

  it('turns a market price into one per kWh: × factor + fee, within bounds, VAT only once', () => {
    const tariff = { ...EMPTY, energy: [energy(dayAhead({ factor: 1.1, fee_per_kWh: 0.02 }), { vat_percent: 20 })] };
    const at_ms = DAY.slice(0, 1);
    expect(priceSlots(tariff, { at_ms }, market([100])).import_per_kWh[0]).toBeCloseTo((0.11 + 0.02) * 1.2, 12);
    const withVat = market([100], { vat_included: true });
    expect(priceSlots(tariff, { at_ms }, withVat).import_per_kWh[0]).toBeCloseTo(0.11 + 0.024, 12);
    const bounded = { ...EMPTY, energy: [energy(dayAhead({ min_per_kWh: 0, max_per_kWh: 0.4 }))] };
    const { import_per_kWh } = priceSlots(bounded, { at_ms: DAY.slice(0, 2) }, market([-50, 5000]));
    expect([...import_per_kWh]).toEqual([0, 0.4]);
  });

  it('prices hourly slots and hourly means at the mean of the four quarters', () => {
    const context = market([10, 20, 30, 40]);
    const hourly = priceSlots(
      { ...EMPTY, energy: [energy(dayAhead())] },
      { at_ms: DAY.slice(0, 1), slot_ms: 3_600_000 },
      context,
    );
    expect(hourly.import_per_kWh[0]).toBeCloseTo(0.025, 12);
    const means = priceSlots(
      { ...EMPTY, energy: [energy(dayAhead({ mean_min: 60 }))] },
      { at_ms: DAY.slice(0, 4) },
      context,
    );
    for (const value of means.import_per_kWh) expect(value).toBeCloseTo(0.025, 12);
  });

  it('pays nothing for what is fed in while the market price is negative', () => {
    const feed = { name: 'EEG', vat_percent: 0, price: { kind: 'fixed', value: 0.08 } as const };
    const tariff: Tariff = {
      ...EMPTY,
      feed_in: [{ ...feed, unless_negative: { area: 'DE-LU', market: 'day-ahead' } }],
    };
    const prices = priceSlots(tariff, { at_ms: DAY.slice(0, 4) }, market([-1, 0, 1]));
    expect([...prices.export_per_kWh]).toEqual([0, 0.08, 0.08, Number.NaN]);
    expect(prices.missing).toMatchObject([{ what: 'The day-ahead price of DE-LU', slots: 1 }]);
  });

  it('names missing prices, and none becomes 0', () => {
    const prices = priceSlots(
      { ...EMPTY, energy: [energy(dayAhead())] },
      { at_ms: DAY.slice(0, 5) },
      market([10, Number.NaN, 30]),
    );
    expect([...prices.import_per_kWh]).toEqual([0.01, Number.NaN, 0.03, Number.NaN, Number.NaN]);
    expect(prices.missing.map(({ slots }) => slots)).toEqual([1, 2]);
    expect(() => requireKnown(prices)).toThrow(
      'The day-ahead price of DE-LU is missing for 1 slots from 2026-07-01T22:15Z to 2026-07-01T22:30Z and 1 more.',
    );
    const monthly = {
      ...EMPTY,
      feed_in: [
        {
          name: 'MW',
          vat_percent: 0,
          price: { kind: 'months', values: { '2026-06': 0.05 } } as const,
          unless_negative: null,
        },
      ],
    };
    expect(() => requireKnown(priceSlots(monthly, { at_ms: DAY }, NOTHING))).toThrow(
      'The value of the month 2026-07 is missing for 96 slots',
    );
  });

  it('refuses a market in another currency', () => {
    const tariff = { ...EMPTY, currency: 'NOK', energy: [energy(dayAhead())] };
    expect(() => priceSlots(tariff, { at_ms: DAY }, market([1]))).toThrow(InvalidDataError);
    expect(() => priceSlots(tariff, { at_ms: DAY }, market([1]))).toThrow(
      'The prices of DE-LU are in EUR, but the tariff counts in NOK.',
    );
  });

  it('knows what a meter with a charge of its own pays, the limits and the CO2', () => {
    const tariff: Tariff = {
      ...EMPTY,
      energy: [
        energy({ kind: 'fixed', value: 0.2 }),
        energy({ kind: 'fixed', value: 0.1 }, { without: ['heatpump'] }),
        energy({ kind: 'fixed', value: 0.04 }, { meter: 'heatpump' }),
      ],
      limits: [
        { name: 'connection', import_W: 20_000, export_W: 10_000, when: null },
        { name: 'noon', import_W: null, export_W: 6_000, when: { ...WINDOW, hours: [{ from_min: 720, to_min: 840 }] } },
      ],
      co2_g_per_kWh: { kind: 'fixed', value: 380 },
    };
    const prices = priceSlots(tariff, { at_ms: DAY }, NOTHING);
    expect(prices.import_per_kWh[0]).toBeCloseTo(0.3, 12);
    expect(prices.meter_per_kWh.heatpump![0]).toBeCloseTo(0.24, 12);
    expect([prices.import_limit_W[48], prices.export_limit_W[47], prices.export_limit_W[48]]).toEqual([
      20_000, 10_000, 6_000,
    ]);
    expect(prices.co2_g_per_kWh[95]).toBe(380);
    expect(priceSlots(EMPTY, { at_ms: DAY }, NOTHING).import_limit_W[0]).toBe(Infinity);
  });
});
