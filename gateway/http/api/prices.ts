/** Market prices and what a kWh costs the site; the sources and their state. */
import { z } from '@hono/zod-openapi';
import { PRICE_AREAS } from '../../../connectors/prices/areas.ts';
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import { HOUR_MS, slotStart } from '../../../engine/model/time.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, InstantSchema, iso } from '../api.ts';

const tags = ['Prices'];
const MOST_MS = 400 * 24 * HOUR_MS;
const CSV_LIMIT = 20 * 1024 * 1024;

const PointSchema = z.object({
  at: z.iso.datetime().openapi({ description: 'Start of the 15-minute slot.' }),
  value: z.number().nullable().openapi({ description: 'null where the price is missing.', example: -3.2 }),
});
const PricesSchema = z
  .object({
    area: z
      .string()
      .nullable()
      .openapi({ example: 'DE-LU', description: "null where the site's tariff asks no market." }),
    market: z.enum(['day-ahead', 'real-time']),
    currency: z.string().openapi({ example: 'EUR' }),
    unit: z.string().openapi({ example: 'EUR/MWh' }),
    vat_included: z.boolean(),
    sources: z.array(z.string()).openapi({ example: ['energy-charts'] }),
    fetched_at: z.iso.datetime().nullable(),
    stale_since: z.iso.datetime().nullable().openapi({ description: 'Since when nothing newer came; null is fresh.' }),
    points: z.array(PointSchema),
    site: z.object({
      currency: z.string(),
      unit: z.string().openapi({ example: 'EUR/kWh' }),
      points: z.array(PointSchema).openapi({ description: 'What a kWh costs the site, fee and VAT included.' }),
    }),
  })
  .openapi('Prices');

const prices = apiRoute('user', {
  method: 'get',
  path: '/api/v1/prices',
  tags,
  summary: 'Market prices in slots, and what a kWh costs the site',
  request: {
    query: z.object({
      area: z
        .string()
        .optional()
        .openapi({ example: 'DE-LU', description: "The market area; the site's own where left out." }),
      market: z.enum(['day-ahead', 'real-time']).default('day-ahead'),
      from: InstantSchema.optional().openapi({ description: 'Now where left out.' }),
      to: InstantSchema.optional().openapi({ description: '48 hours after `from` where left out.' }),
    }),
  },
  responses: {
    200: { description: 'Prices of [from, to).', content: { 'application/json': { schema: PricesSchema } } },
  },
});

const SourceSchema = z
  .object({
    name: z.string().openapi({ example: 'energy-charts' }),
    area: z.string().openapi({ example: 'DE-LU' }),
    last_success_at: z.iso.datetime().nullable(),
    last_run_at: z.iso.datetime().nullable(),
    fault: z.string().nullable().openapi({ description: 'What went wrong in the last run, in words.' }),
    next_run_at: z.iso.datetime().nullable(),
  })
  .openapi('PriceSource');
const AreaSchema = z
  .object({ area: z.string(), name: z.string(), currency: z.string(), time_zone: z.string() })
  .openapi('PriceArea');

const sources = apiRoute('user', {
  method: 'get',
  path: '/api/v1/prices/sources',
  tags,
  summary: "The sources of the site's area in the order they are tried, and every area the box knows",
  responses: {
    200: {
      description: 'State of each source.',
      content: {
        'application/json': {
          schema: z.object({ sources: z.array(SourceSchema), areas: z.array(AreaSchema) }).openapi('PriceSources'),
        },
      },
    },
  },
});

const refresh = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/prices/refresh',
  tags,
  summary: 'Ask the sources for what is missing, now',
  responses: { 204: { description: 'Asked; `/api/v1/prices/sources` tells how it went.' } },
});

const DemandSchema = z
  .object({
    area: z.string().openapi({ example: 'HB_HOUSTON' }),
    kind: z.enum(['actual', 'forecast']),
    source: z.string().openapi({ example: 'ercot' }),
    fetched_at: z.iso.datetime(),
    unit: z.literal('MW'),
    points: z.array(
      z.object({ at: z.iso.datetime().openapi({ description: 'Start of the hour.' }), value: z.number() }),
    ),
  })
  .openapi('Demand');
const MOST_DEMAND_MS = 31 * 24 * HOUR_MS;

const demand = apiRoute('user', {
  method: 'get',
  path: '/api/v1/prices/demand',
  tags,
  summary: 'Demand of the power system that a market area is in, by hours',
  description: 'From the sources that tell it (ERCOT); an answer is kept for a quarter of an hour.',
  request: {
    query: z.object({
      area: z
        .string()
        .max(32)
        .optional()
        .openapi({ example: 'HB_HOUSTON', description: "The site's own where left out." }),
      kind: z.enum(['actual', 'forecast']).default('forecast'),
      from: InstantSchema.optional().openapi({ description: 'The current hour where left out.' }),
      to: InstantSchema.optional().openapi({ description: '48 hours after `from` where left out.' }),
    }),
  },
  responses: {
    200: { description: 'Hours of [from, to).', content: { 'application/json': { schema: DemandSchema } } },
    404: { description: 'No configured source tells the demand of this area.' },
  },
});

const load = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/prices/load',
  tags,
  summary: 'Load prices from a CSV table',
  description:
    'A header with a time column (`at`) and a price column whose name may tell the unit (`price_EUR_MWh`, ' +
    '`price_ct_kWh`). Times without a zone are local to the market. Loaded prices rank above all sources ' +
    'for good. Only for the area of the site, and refused while another organisation of the box has the same area.',
  request: {
    query: z.object({ area: z.string().openapi({ example: 'DE-LU' }) }),
    body: { content: { 'text/csv': { schema: z.string() } }, required: true },
  },
  responses: {
    200: {
      description: 'How many slots were stored.',
      content: { 'application/json': { schema: z.object({ slots: z.number().int() }).openapi('PriceLoad') } },
    },
  },
});

type Dependencies = Pick<Services, 'prices' | 'tariffs' | 'clock'>;

export function createPricesApi({ prices: service, tariffs, clock }: Dependencies) {
  const app = createApiApp();
  app.openapi(prices, async (c) => {
    const { tenant } = actorOf(c);
    const { market, ...asked } = c.req.valid('query');
    const from_ms = slotStart(asked.from ?? clock.now());
    const to_ms = asked.to ?? from_ms + 48 * HOUR_MS;
    if (!(to_ms > from_ms) || to_ms - from_ms > MOST_MS)
      throw new InvalidDataError('`to` must come after `from`, by at most 400 days.', 'Ask for a shorter range.');
    const area = asked.area ?? tariffs.area(tenant);
    const [known, own] = await Promise.all([
      area === null ? null : service.market(area, market, from_ms, to_ms),
      service.site(tenant, from_ms, to_ms),
    ]);
    const currency = known?.currency ?? own.currency;
    return c.json(
      {
        area,
        market,
        currency,
        unit: `${currency}/MWh`,
        vat_included: known?.vat_included ?? false,
        sources: [...(known?.sources ?? own.sources)],
        fetched_at: isoOrNull(known?.fetched_ms ?? null),
        stale_since: isoOrNull(known ? known.stale_since_ms : own.stale_since_ms),
        points: known ? pointsOf(known) : [],
        site: { currency: own.currency, unit: `${own.currency}/kWh`, points: pointsOf(own.columns) },
      },
      200,
    );
  });
  app.openapi(sources, async (c) => {
    const states = await service.sources(actorOf(c).tenant);
    return c.json(
      {
        sources: states.map(({ name, area, fault, ...at }) => ({
          name,
          area,
          fault,
          last_success_at: isoOrNull(at.last_success_ms),
          last_run_at: isoOrNull(at.last_run_ms),
          next_run_at: isoOrNull(at.next_run_ms),
        })),
        areas: PRICE_AREAS.map(({ area, name, currency, time_zone }) => ({ area, name, currency, time_zone })),
      },
      200,
    );
  });
  app.openapi(demand, async (c) => {
    const { kind, ...asked } = c.req.valid('query');
    const area = asked.area ?? tariffs.area(actorOf(c).tenant);
    const from_ms = asked.from ?? Math.floor(clock.now() / HOUR_MS) * HOUR_MS;
    const to_ms = asked.to ?? from_ms + 48 * HOUR_MS;
    if (!(to_ms > from_ms) || to_ms - from_ms > MOST_DEMAND_MS)
      throw new InvalidDataError('`to` must come after `from`, by at most 31 days.', 'Ask for a shorter range.');
    if (area === null || !service.demand)
      throw new NotFoundError('The site has no market area.', 'Name one: /api/v1/prices/demand?area=HB_HOUSTON.');
    const { hours, fetched_ms, source } = await service.demand(area, kind, from_ms, to_ms);
    const points = hours.map(({ at_ms, power_MW }) => ({ at: iso(at_ms), value: power_MW }));
    return c.json({ area, kind, source, fetched_at: iso(fetched_ms), unit: 'MW' as const, points }, 200);
  });
  app.openapi(refresh, async (c) => {
    await service.refresh(actorOf(c).tenant);
    return c.body(null, 204);
  });
  app.openapi(load, async (c) => {
    const csv = await c.req.text();
    if (csv.length > CSV_LIMIT)
      throw new InvalidDataError(`The table is larger than ${CSV_LIMIT} bytes.`, 'Load it in parts.');
    return c.json(await service.loadCsv(actorOf(c), c.req.valid('query').area, csv), 200);
  });
  return app;
}

function isoOrNull(at_ms: number | null): string | null {
  return at_ms === null ? null : iso(at_ms);
}

function pointsOf({ at_ms, values }: { at_ms: Float64Array; values: Float64Array }) {
  return Array.from(at_ms, (slot_ms, i) => {
    const value = values[i] ?? Number.NaN;
    return { at: iso(slot_ms), value: Number.isNaN(value) ? null : value };
  });
}
