import { describe, expect, it } from 'vitest';
import { createFormat } from '../../web/format.ts';
import { createTranslate } from '../../web/i18n/text.ts';

const of = (language: 'en' | 'de', currency = 'EUR', time_zone = 'Europe/Berlin') =>
  createFormat({ language, time_zone, currency, t: createTranslate(language) });
/** No-break spaces read like spaces in the expectations. */
const plain = (text: string) => text.replaceAll('\u00a0', ' ');

describe('numbers', () => {
  const { power, energy, price, money, percent, value, register, tick } = of('en');

  it.each([
    [0, '0 W'],
    [-3.2, '−3 W'],
    [999, '999 W'],
    [999.7, '1.0 kW'],
    [-8240, '−8.2 kW'],
    [9960, '10 kW'],
    [84_321, '84 kW'],
    [999_600, '1.00 MW'],
    [12_345_678, '12.35 MW'],
  ])('power %d W is %s', (power_W, text) => expect(plain(power(power_W))).toBe(text));

  it.each([
    [0, '0 kWh'],
    [0.42, '0.42 kWh'],
    [9.94, '9.9 kWh'],
    [9.96, '10 kWh'],
    [4321, '4,321 kWh'],
    [12_340, '12.3 MWh'],
  ])('energy %d kWh is %s', (energy_kWh, text) => expect(plain(energy(energy_kWh))).toBe(text));

  it('writes prices in hundredths where people do, and names the currency elsewhere', () => {
    expect(plain(price(0.2345))).toBe('23.5 ct/kWh');
    expect(plain(price(-0.021, 'GBP'))).toBe('−2.1 p/kWh');
    expect(plain(price(1.2345, 'SEK'))).toBe('1.235 SEK/kWh');
  });

  it('writes money with cents up to 100', () => {
    expect(money(4.1)).toBe('€4.10');
    expect(money(-84.2)).toBe('−€84.20');
    expect(money(133.4)).toBe('€133');
    expect(plain(of('de').money(1234.5))).toBe('1.235 €');
  });

  it('never writes −0', () => {
    expect(plain(power(-0.2))).toBe('0 W');
    expect(plain(percent(-0.001))).toBe('0 %');
  });

  it('knows how each unit is read', () => {
    expect(plain(value(49.987, 'Hz'))).toBe('49.99 Hz');
    expect(plain(value(231.4, 'V'))).toBe('231 V');
    expect(plain(value(0.976, 'ratio'))).toBe('0.98');
    expect(plain(register(482_113.64, 'kWh'))).toBe('482,113.6 kWh');
    expect([2.5, 20, 0.25, 1 / 3].map(tick)).toEqual(['2.5', '20', '0.25', '0.3333']);
  });

  it('separates as the language does', () => {
    expect(plain(of('de').energy(4321))).toBe('4.321 kWh');
    expect(plain(of('de').power(8240))).toBe('8,2 kW');
  });
});

describe('times', () => {
  const now_ms = Date.UTC(2026, 5, 17, 11, 40);
  const { when, until, ago, duration, day } = of('en');
  const german = of('de');

  it('says the day only where it is not today', () => {
    expect(when(Date.UTC(2026, 5, 17, 14), now_ms)).toBe('16:00');
    expect(plain(when(Date.UTC(2026, 5, 18, 2, 15), now_ms))).toBe('tomorrow 04:15');
    expect(plain(when(Date.UTC(2026, 5, 16, 2, 15), now_ms))).toBe('yesterday 04:15');
    expect(plain(when(Date.UTC(2026, 5, 20, 2, 15), now_ms))).toBe('Sat 20 Jun 04:15');
    expect(plain(german.when(Date.UTC(2026, 5, 18, 2, 15), now_ms))).toBe('morgen 04:15');
  });

  it('calls the end of a day 24:00', () => {
    expect(until(Date.UTC(2026, 5, 17, 22), now_ms)).toBe('24:00');
    expect(plain(until(Date.UTC(2026, 5, 18, 22), now_ms))).toBe('tomorrow 24:00');
    expect(until(Date.UTC(2026, 5, 17, 21), now_ms)).toBe('23:00');
  });

  it('finds tomorrow and yesterday over clock changes', () => {
    const before_ms = Date.UTC(2026, 9, 24, 21, 30);
    expect(day(Date.UTC(2026, 9, 25, 22, 30), before_ms)).toBe('tomorrow');
    const after_ms = Date.UTC(2026, 2, 29, 22, 30);
    expect(day(Date.UTC(2026, 2, 28, 23, 30), after_ms)).toBe('yesterday');
  });

  it.each([
    [400, 'just now'],
    [4_200, '4 s ago'],
    [12 * 60_000, '12 min ago'],
    [89 * 60_000, '89 min ago'],
    [26 * 3_600_000, '26 h ago'],
    [50 * 3_600_000, '2 days ago'],
    [-5_000, 'just now'],
  ])('an age of %d ms is %s', (age_ms, text) => expect(plain(ago(now_ms - age_ms, now_ms))).toBe(text));

  it('says ages in German with the right case', () => {
    expect(plain(german.ago(now_ms - 72 * 3_600_000, now_ms))).toBe('vor 3 Tagen');
    expect(german.ago(null, now_ms)).toBe('nie');
    expect(plain(duration(45 * 60_000))).toBe('45 min');
  });
});
