/**
 * Writes numbers, money and times for people: always with a unit, never with more digits than are true, in the
 * language of the reader and the zone of the site. A no-break space joins number and unit.
 */
import { createTimeFormat, type TimeFormat } from './format-time.ts';
import type { Language, Translate } from './i18n/text.ts';

const NBSP = '\u00a0';
const LOCALES: Record<Language, string> = { en: 'en-GB', de: 'de-DE' };
const MINUS = '\u2212';

/** A price per kWh is read in the hundredth part of the currency where people do so. */
const HUNDREDTHS: Record<string, string> = { EUR: 'ct', USD: '¢', GBP: 'p', CHF: 'Rp.', AUD: 'c', CAD: '¢' };

export type Scaled = { unit: string; factor: number; digits: number };

export type Format = TimeFormat & {
  language: Language;
  locale: string;
  currency: string;
  number(value: number, digits?: number): string;
  /** `ratio` 0.12 → `12 %`. */
  percent(ratio: number): string;
  power(power_W: number): string;
  energy(energy_kWh: number): string;
  money(amount: number, currency?: string): string;
  /** Price of one kWh, e.g. `23.4 ct/kWh`. */
  price(per_kWh: number, currency?: string): string;
  /** Price on the market, e.g. `84.1 EUR/MWh`. */
  marketPrice(per_MWh: number, currency?: string): string;
  priceScale(currency?: string): Scaled;
  /** The scale in which all of `values` (in W) read well. */
  powerScale(values: Iterable<number>): Scaled;
  energyScale(values: Iterable<number>): Scaled;
  /** Scale of any unit that meters report. */
  scaleOf(unit: string, values: Iterable<number>): Scaled;
  scaled(value: number, scale: Scaled): string;
  /** What a counter shows: all its digits, as they stand on the meter. */
  register(value: number, unit: string): string;
  /** A label of a value axis, with the digits that it needs to be true: 2.5 needs one. */
  tick(value: number): string;
  /** Any quantity in its unit. */
  value(value: number, unit: string): string;
};

type Options = { language: Language; time_zone: string; currency: string; t: Translate };

/** Creates the formats of one reader. */
export function createFormat({ language, time_zone, currency, t }: Options): Format {
  const locale = LOCALES[language];
  const formats = new Map<number, Intl.NumberFormat>();
  const number = (value: number, digits = 0): string => {
    let format = formats.get(digits);
    if (!format) {
      format = new Intl.NumberFormat(locale, {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
        signDisplay: 'negative',
      });
      formats.set(digits, format);
    }
    return format.format(value).replace('-', MINUS);
  };
  const scaled = (value: number, scale: Scaled) =>
    [number(value * scale.factor, scale.digits), scale.unit].filter(Boolean).join(NBSP);
  const money = (amount: number, unit = currency) =>
    new Intl.NumberFormat(locale, {
      style: 'currency',
      currency: unit,
      maximumFractionDigits: Math.abs(amount) >= 100 ? 0 : 2,
      minimumFractionDigits: Math.abs(amount) >= 100 ? 0 : 2,
      signDisplay: 'negative',
    })
      .format(amount)
      .replace('-', MINUS);
  const priceScale = (unit = currency): Scaled => {
    const cent = HUNDREDTHS[unit];
    return cent ? { unit: `${cent}/kWh`, factor: 100, digits: 1 } : { unit: `${unit}/kWh`, factor: 1, digits: 3 };
  };
  const scaleOf = (unit: string, values: Iterable<number>): Scaled => {
    if (unit === 'W') return powerScale(values);
    if (unit === 'kWh') return energyScale(values);
    return { unit: unit === 'ratio' ? '' : unit, factor: 1, digits: DIGITS[unit] ?? 1 };
  };
  return {
    ...createTimeFormat(locale, time_zone, t),
    language,
    locale,
    currency,
    number,
    percent: (ratio) => `${number(ratio * 100)}${NBSP}%`,
    power: (power_W) => scaled(power_W, powerScale([power_W])),
    energy: (energy_kWh) => scaled(energy_kWh, energyScale([energy_kWh])),
    money,
    price: (per_kWh, unit) => scaled(per_kWh, priceScale(unit)),
    marketPrice: (per_MWh, unit = currency) => `${number(per_MWh, 1)}${NBSP}${unit}/MWh`,
    priceScale,
    powerScale,
    energyScale,
    scaleOf,
    scaled,
    register: (value, unit) => `${number(value, unit === 'm³' ? 2 : 1)}${NBSP}${unit}`,
    tick: (value) =>
      number(value, [0, 1, 2, 3].find((digits) => Math.abs(value - Number(value.toFixed(digits))) < 1e-9) ?? 4),
    value: (value, unit) => scaled(value, scaleOf(unit, [value])),
  };
}

const DIGITS: Record<string, number> = { V: 0, Hz: 2, '%': 0, '°C': 1, 'W/m²': 0, var: 0, VA: 0, ratio: 2, 'm³': 2 };

function largest(values: Iterable<number>): number {
  let largest = 0;
  for (const value of values) if (Math.abs(value) > largest) largest = Math.abs(value);
  return largest;
}

function powerScale(values: Iterable<number>): Scaled {
  const top = largest(values);
  if (top < 999.5) return { unit: 'W', factor: 1, digits: 0 };
  if (top < 9_950) return { unit: 'kW', factor: 1e-3, digits: 1 };
  if (top < 999_500) return { unit: 'kW', factor: 1e-3, digits: 0 };
  return { unit: 'MW', factor: 1e-6, digits: top < 99.5e6 ? 2 : 0 };
}

function energyScale(values: Iterable<number>): Scaled {
  const top = largest(values);
  if (top === 0) return { unit: 'kWh', factor: 1, digits: 0 };
  if (top < 9.95) return { unit: 'kWh', factor: 1, digits: top < 0.995 ? 2 : 1 };
  if (top < 9_999.5) return { unit: 'kWh', factor: 1, digits: 0 };
  return { unit: 'MWh', factor: 1e-3, digits: top < 999_500 ? 1 : 0 };
}
