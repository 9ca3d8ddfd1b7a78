/**
 * Tibber: what one's own contract costs, with a token. An area of its own (`TIBBER`), as `total` holds taxes and VAT.
 * Source of the shape: https://developer.tibber.com (GraphQL, priceInfo with resolution QUARTER_HOURLY).
 */
import { z } from 'zod';
import { InvalidDataError, UnavailableError } from '../../engine/errors.ts';
import { SLOT_MS } from '../../engine/model/time.ts';
import type { PriceProvider } from '../../engine/ports.ts';
import { ask, decodeJson, type ProviderOptions } from './http.ts';
import { slotsOfIntervals } from './intervals.ts';

const NAME = 'tibber';
const FIELDS = '{ total startsAt currency }';
/** The API gives at most about a month of quarters back. */
const HISTORY_SLOTS = 2880;

const Price = z.object({ total: z.number().nullable(), startsAt: z.string(), currency: z.string() });
const Subscription = z.object({
  priceInfo: z.object({ today: z.array(Price), tomorrow: z.array(Price) }),
  priceInfoRange: z.object({ nodes: z.array(Price) }).nullish(),
});
const Body = z.object({
  data: z
    .object({ viewer: z.object({ homes: z.array(z.object({ currentSubscription: Subscription.nullable() })) }) })
    .nullish(),
  errors: z
    .array(z.object({ message: z.string(), extensions: z.object({ code: z.string().optional() }).nullish() }))
    .nullish(),
});

export function createTibber(options: ProviderOptions & { token: string | null }): PriceProvider {
  const base = options.base_url ?? 'https://api.tibber.com';
  return {
    name: NAME,
    markets: ['day-ahead'],
    serves: (area) => options.token !== null && area === 'TIBBER',
    async fetch({ area, market, from_ms, to_ms, signal }) {
      const reply = await ask({
        provider: NAME,
        url: `${base}/v1-beta/gql`,
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${options.token}` },
        body: JSON.stringify({ query: QUERY }),
        signal,
        via: options,
        // GraphQL tells its errors in the body, under 400 too
        accept: [400],
      });
      const { priceInfo, priceInfoRange } = subscriptionOf(decodeJson(NAME, reply.text, Body));
      const prices = [...(priceInfoRange?.nodes ?? []), ...priceInfo.today, ...priceInfo.tomorrow];
      const intervals = prices.map(({ startsAt, total }) => {
        const at_ms = Date.parse(startsAt);
        return { from_ms: at_ms, to_ms: at_ms + SLOT_MS, value: total === null ? null : total * 1000 };
      });
      return {
        area,
        market,
        currency: prices[0]?.currency ?? 'EUR',
        vat_included: true,
        source: NAME,
        slots: slotsOfIntervals(NAME, intervals, { from_ms, to_ms }),
      };
    },
  };
}

const QUERY = `{ viewer { homes { currentSubscription {
  priceInfo(resolution: QUARTER_HOURLY) { today ${FIELDS} tomorrow ${FIELDS} }
  priceInfoRange(resolution: QUARTER_HOURLY, last: ${HISTORY_SLOTS}) { nodes ${FIELDS} }
} } } }`;

function subscriptionOf({ data, errors }: z.infer<typeof Body>): z.infer<typeof Subscription> {
  const fault = errors?.[0];
  if (fault?.extensions?.code === 'UNAUTHENTICATED')
    throw new UnavailableError(`${NAME} refuses our token: ${fault.message}.`, 'Check tibber_token.');
  if (fault) throw new UnavailableError(`${NAME} has no answer: ${fault.message}.`, 'The box tries again by itself.');
  const subscription = data?.viewer.homes.find((home) => home.currentSubscription)?.currentSubscription;
  if (!subscription)
    throw new InvalidDataError(`${NAME} knows no home with a running contract for this token.`, 'Check tibber_token.');
  return subscription;
}
