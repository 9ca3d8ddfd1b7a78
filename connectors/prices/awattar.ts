/**
 * aWATTar: EPEX day-ahead prices of Germany/Luxembourg and Austria without registration.
 * Source of the shape: https://www.awattar.de/services/api (`/v1/marketdata`, milliseconds, Eur/MWh).
 */
import { z } from 'zod';
import { InvalidDataError } from '../../engine/errors.ts';
import type { PriceProvider } from '../../engine/ports.ts';
import { ask, decodeJson, type ProviderOptions } from './http.ts';
import { slotsOfIntervals } from './intervals.ts';

const NAME = 'awattar';
const Body = z.object({
  data: z.array(
    z.object({
      start_timestamp: z.number().int(),
      end_timestamp: z.number().int(),
      marketprice: z.number().nullable(),
      unit: z.string(),
    }),
  ),
});

export function createAwattar(options: ProviderOptions & { base_url_at?: string } = {}): PriceProvider {
  const bases: Record<string, string> = {
    'DE-LU': options.base_url ?? 'https://api.awattar.de',
    AT: options.base_url_at ?? 'https://api.awattar.at',
  };
  return {
    name: NAME,
    markets: ['day-ahead'],
    serves: (area) => Object.hasOwn(bases, area),
    async fetch({ area, market, from_ms, to_ms, signal }) {
      const url = `${bases[area]}/v1/marketdata?start=${from_ms}&end=${to_ms}`;
      const reply = await ask({ provider: NAME, url, signal, via: options });
      const intervals = decodeJson(NAME, reply.text, Body).data.map((one) => {
        if (!/^eur\/mwh$/i.test(one.unit)) throw new InvalidDataError(`${NAME} gives prices in \`${one.unit}\`.`);
        return { from_ms: one.start_timestamp, to_ms: one.end_timestamp, value: one.marketprice };
      });
      return {
        area,
        market,
        currency: 'EUR',
        vat_included: false,
        source: NAME,
        slots: slotsOfIntervals(NAME, intervals, { from_ms, to_ms }),
      };
    },
  };
}
