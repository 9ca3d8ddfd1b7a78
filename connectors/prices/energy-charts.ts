/**
 * Energy-Charts of Fraunhofer ISE: day-ahead prices of 45 bidding zones without registration.
 * Source of the shape: https://api.energy-charts.info (OpenAPI, `/price`).
 */
import { z } from 'zod';
import { InvalidDataError } from '../../engine/errors.ts';
import { HOUR_MS, SLOT_MS } from '../../engine/model/time.ts';
import type { PriceProvider } from '../../engine/ports.ts';
import { isBiddingZone } from './areas.ts';
import { ask, decodeJson, type ProviderOptions } from './http.ts';
import { type PriceInterval, slotsOfIntervals } from './intervals.ts';

const NAME = 'energy-charts';
const Body = z.object({
  unix_seconds: z.array(z.number().int()),
  price: z.array(z.number().nullable()),
  unit: z.string(),
});

/** Prices are in EUR without VAT for every zone. 404 means that nothing is published yet. */
export function createEnergyCharts(options: ProviderOptions = {}): PriceProvider {
  const base = options.base_url ?? 'https://api.energy-charts.info';
  return {
    name: NAME,
    markets: ['day-ahead'],
    serves: isBiddingZone,
    async fetch({ area, market, from_ms, to_ms, signal }) {
      const query = new URLSearchParams({
        bzn: area,
        start: String(Math.floor(from_ms / 1000)),
        end: String(Math.ceil(to_ms / 1000) - 1),
      });
      const reply = await ask({
        provider: NAME,
        url: `${base}/price?${query}`,
        signal,
        via: options,
        accept: [404],
      });
      const known = reply.status === 404 ? null : decodeJson(NAME, reply.text, Body);
      return {
        area,
        market,
        currency: known ? currencyOf(known.unit) : 'EUR',
        vat_included: false,
        source: NAME,
        slots: known ? slotsOfIntervals(NAME, intervalsOf(known), { from_ms, to_ms }) : [],
      };
    },
  };
}

function currencyOf(unit: string): string {
  const currency = /^([A-Z]{3})\s*\/\s*MWh$/.exec(unit)?.[1];
  if (!currency) throw new InvalidDataError(`${NAME} gives prices in \`${unit}\`, not per MWh.`);
  return currency;
}

/**
 * The answer has instants, not intervals. Zones moved from hours to quarters in the course of time: an instant on the
 * full hour holds for that hour when its neighbours are a full hour away, every other one for 15 minutes, so that a
 * hole among quarters stays a hole.
 */
function intervalsOf({ unix_seconds, price }: z.infer<typeof Body>): PriceInterval[] {
  if (unix_seconds.length !== price.length)
    throw new InvalidDataError(`${NAME} gives ${unix_seconds.length} instants but ${price.length} prices.`);
  const step_ms = (i: number) => ((unix_seconds[i + 1] ?? Number.NaN) - (unix_seconds[i] ?? Number.NaN)) * 1000;
  return unix_seconds.map((second, i) => {
    const from_ms = second * 1000;
    const [before_ms, after_ms] = [step_ms(i - 1), step_ms(i)];
    const near = [before_ms, after_ms].filter((step) => !Number.isNaN(step));
    const is_alone = near.length > 0 && near.every((step) => step >= HOUR_MS);
    const begins_hours = after_ms === HOUR_MS && step_ms(i + 1) === HOUR_MS;
    const is_hour = from_ms % HOUR_MS === 0 && (is_alone || begins_hours);
    return { from_ms, to_ms: from_ms + (is_hour ? HOUR_MS : SLOT_MS), value: price[i] ?? null };
  });
}
