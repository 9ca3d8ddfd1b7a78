/** A fixed tariff as a price source: the same price in every slot. */
import { slotsOfPrice } from '../../engine/model/price.ts';
import { slotStart } from '../../engine/model/time.ts';
import type { PriceProvider } from '../../engine/ports.ts';

/** Serves the area `FIXED`. `per_MWh` is without VAT. */
export function createFixedPrices(tariff: { per_MWh: number; currency: string }): PriceProvider {
  return {
    name: 'fixed',
    markets: ['day-ahead', 'real-time'],
    serves: (area) => area === 'FIXED',
    async fetch({ area, market, from_ms, to_ms }) {
      const slots = slotsOfPrice(slotStart(from_ms), to_ms, tariff.per_MWh);
      return { area, market, currency: tariff.currency, vat_included: false, source: 'fixed', slots };
    },
  };
}
