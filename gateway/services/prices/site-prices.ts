/** What a kWh costs a site: its tariff over the stored market prices. */
import { InvalidDataError } from '../../../engine/errors.ts';
import { SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import type { Columns } from '../../../engine/ports.ts';
import type { MarketSeries, SlotPrices, TariffContext } from '../../../engine/tariff/prices.ts';
import { type HolidayCalendar, marketsOf, type TariffVersion } from '../../../engine/tariff/tariff.ts';
import { priceVersions } from '../../../engine/tariff/version-prices.ts';
import type { MarketPrices, SitePrices } from '../prices.ts';

/** The stored prices that versions of a tariff ask for in [from_ms, to_ms). */
export type AskedPrices = { context: TariffContext; markets: readonly MarketPrices[] };

export async function askMarkets(
  versions: readonly TariffVersion[],
  isHoliday: HolidayCalendar,
  read: (market: { area: string; market: MarketPrices['market'] }) => Promise<MarketPrices>,
): Promise<AskedPrices> {
  const asked = new Map(
    versions.flatMap(({ tariff }) => marketsOf(tariff).map((one) => [`${one.area} ${one.market}`, one] as const)),
  );
  const markets = await Promise.all([...asked.values()].map(read));
  const found = new Map(markets.map((one) => [`${one.area} ${one.market}`, one]));
  const context: TariffContext = {
    isHoliday,
    market: ({ area, market }): MarketSeries | undefined => {
      const prices = found.get(`${area} ${market}`);
      return prices && { ...prices, vat_included: prices.vat_included ?? false };
    },
  };
  return { context, markets };
}

/** The slots that [from_ms, to_ms) touches. */
export function slotsTouched(from_ms: number, to_ms: number): Float64Array {
  const first = slotStart(from_ms);
  const count = Math.max(0, Math.ceil((to_ms - first) / SLOT_MS));
  return Float64Array.from({ length: count }, (_, i) => first + i * SLOT_MS);
}

/** A price in another currency would make a wrong bill: better none. */
export function pricesOrNone(
  versions: readonly TariffVersion[],
  at_ms: Float64Array,
  context: TariffContext,
): SlotPrices | null {
  try {
    return priceVersions(versions, { at_ms }, context);
  } catch (error) {
    if (error instanceof InvalidDataError) return null;
    throw error;
  }
}

export function sitePrices(
  versions: readonly TariffVersion[],
  at_ms: Float64Array,
  { context, markets }: AskedPrices,
  currency: string,
): SitePrices {
  const priced = pricesOrNone(versions, at_ms, context);
  const column = (values: Float64Array): Columns => ({ at_ms, values, quality: new Int32Array(at_ms.length) });
  const pays = versions.some(({ tariff }) => tariff.feed_in.length > 0);
  const stale = markets.flatMap(({ stale_since_ms }) => stale_since_ms ?? []);
  const sources = [...new Set(markets.flatMap((one) => one.sources))];
  return {
    currency: priced?.currency || currency,
    columns: column(priced?.import_per_kWh ?? at_ms.map(() => Number.NaN)),
    ...(pays ? { feed_in: column(priced?.export_per_kWh ?? at_ms.map(() => Number.NaN)) } : {}),
    sources: markets.length > 0 ? sources : versions.length > 0 ? ['fixed'] : [],
    stale_since_ms: stale.length > 0 ? Math.min(...stale) : null,
  };
}
