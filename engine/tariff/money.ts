/** Money in whole smallest units (cents), so that lines add up exactly. */
import type { Rounding } from './tariff.ts';

const digits = new Map<string, number>();

/** How many decimals the currency has: EUR 2, JPY 0 (ISO 4217, as CLDR knows it). */
export function decimalsOf(currency: string): number {
  const known = digits.get(currency);
  if (known !== undefined) return known;
  const { maximumFractionDigits = 2 } = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions();
  digits.set(currency, maximumFractionDigits);
  return maximumFractionDigits;
}

/**
 * @param amount in major units, as computed
 * @returns whole smallest units. What a binary fraction is off by (the 16th digit) decides no cent.
 */
export function toCents(amount: number, currency: string, rounding: Rounding): number {
  const exact = Number((Math.abs(amount) * 10 ** decimalsOf(currency)).toPrecision(14));
  const below = Math.floor(exact);
  const rest = exact - below;
  const up = rest > 0.5 || (rest === 0.5 && (rounding === 'half-up' || below % 2 === 1));
  const cents = up ? below + 1 : below;
  return amount < 0 ? 0 - cents : cents;
}

export function fromCents(cents: number, currency: string): number {
  return cents / 10 ** decimalsOf(currency);
}
