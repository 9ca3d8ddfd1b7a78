/**
 * Octopus Agile (Great Britain): half-hourly unit rates by distribution region, without registration.
 * Source of the shape: https://developer.octopus.energy (products, standard-unit-rates; p/kWh, newest first).
 */
import { z } from 'zod';
import { InvalidDataError } from '../../engine/errors.ts';
import type { PriceProvider } from '../../engine/ports.ts';
import { isRegion } from './areas.ts';
import { ask, decodeJson, type ProviderOptions } from './http.ts';
import { slotsOfIntervals } from './intervals.ts';

const NAME = 'octopus';
const PAGE_SIZE = 1500;
const MAX_PAGES = 50;
const Products = z.object({
  next: z.string().nullable(),
  results: z.array(
    z.object({ code: z.string(), direction: z.string().nullish(), available_from: z.string().nullish() }),
  ),
});
const Rates = z.object({
  next: z.string().nullable(),
  results: z.array(
    z.object({
      value_exc_vat: z.number().nullable(),
      value_inc_vat: z.number().nullable(),
      valid_from: z.string(),
      valid_to: z.string().nullable(),
      payment_method: z.string().nullish(),
    }),
  ),
});
type Rate = z.infer<typeof Rates>['results'][number];

/** Values without VAT: pence per kWh × 10 is GBP per MWh. */
export function createOctopus(options: ProviderOptions = {}): PriceProvider {
  const base = options.base_url ?? 'https://api.octopus.energy';

  async function pages<T>(
    path: string,
    query: Record<string, string>,
    schema: z.ZodType<{ next: string | null; results: T[] }>,
    signal: AbortSignal,
  ): Promise<T[]> {
    const found: T[] = [];
    for (let page = 1; page <= MAX_PAGES; page++) {
      const url = `${base}${path}?${new URLSearchParams({ ...query, page: String(page) })}`;
      const reply = await ask({ provider: NAME, url, signal, via: options });
      const { results, next } = decodeJson(NAME, reply.text, schema);
      found.push(...results);
      if (next === null) return found;
    }
    throw new InvalidDataError(`${NAME} has more than ${MAX_PAGES} pages.`);
  }

  /** The newest Agile import product: Octopus renames it about once a year. */
  async function product(signal: AbortSignal): Promise<string> {
    const all = await pages('/v1/products/', { is_variable: 'true', brand: 'OCTOPUS_ENERGY' }, Products, signal);
    const agile = all
      .filter(({ code, direction }) => code.startsWith('AGILE-') && !/OUTGOING/.test(code) && direction !== 'EXPORT')
      .sort((a, b) => (a.available_from ?? '').localeCompare(b.available_from ?? ''));
    const code = agile.at(-1)?.code;
    if (!code) throw new InvalidDataError(`${NAME} offers no Agile product now.`);
    return code;
  }

  return {
    name: NAME,
    markets: ['day-ahead'],
    serves: isRegion,
    async fetch({ area, market, from_ms, to_ms, signal }) {
      const code = await product(signal);
      const path = `/v1/products/${code}/electricity-tariffs/E-1R-${code}-${area}/standard-unit-rates/`;
      const query = {
        period_from: new Date(from_ms).toISOString(),
        period_to: new Date(to_ms).toISOString(),
        page_size: String(PAGE_SIZE),
      };
      const rates = await pages(path, query, Rates, signal);
      const intervals = rates.filter(byDirectDebit).map(({ valid_from, valid_to, value_exc_vat }) => ({
        from_ms: Date.parse(valid_from),
        // a rate without an end holds on
        to_ms: valid_to === null ? to_ms : Date.parse(valid_to),
        value: value_exc_vat === null ? null : value_exc_vat * 10,
      }));
      return {
        area,
        market,
        currency: 'GBP',
        vat_included: false,
        source: NAME,
        slots: slotsOfIntervals(NAME, intervals, { from_ms, to_ms }),
      };
    },
  };
}

/** Some products list each rate once per way to pay. */
function byDirectDebit({ payment_method }: Rate): boolean {
  return payment_method === undefined || payment_method === null || payment_method === 'DIRECT_DEBIT';
}
