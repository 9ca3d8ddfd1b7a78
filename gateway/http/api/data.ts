/** Data as JSON and CSV: `GET /api/v1/data/query` and `GET /api/v1/data/totals`. */
import { z } from '@hono/zod-openapi';
import { InvalidDataError } from '../../../engine/errors.ts';
import { quantityInfo } from '../../../engine/model/quantity.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, InstantSchema } from '../api.ts';
import { fleetCsv, fleetJson, seriesCsv, seriesJson, totalsCsv, totalsJson } from './data-text.ts';

const PointSchema = z.object({
  at: z.string().openapi({
    example: '2026-03-29T00:00:00.000Z',
    description: 'Start of the slot, hour, day or month; for raw the instant of the reading.',
  }),
  value: z.number().nullable().openapi({ example: 12.4, description: 'null: known to be missing.' }),
  quality: z.string().openapi({ example: 'ok', description: '`ok`, or marks joined by + (`estimated+from_power`).' }),
});
const SeriesSchema = z
  .object({ meter: z.string(), quantity: z.string(), unit: z.string(), points: z.array(PointSchema) })
  .openapi('Series');
const FleetSchema = z
  .object({
    quantity: z.string(),
    unit: z.string(),
    meters: z.array(z.object({ meter: z.string(), points: z.array(PointSchema) })),
  })
  .openapi('SeriesOfMeters');
const TotalsSchema = z
  .object({
    quantity: z.string(),
    unit: z.string(),
    at: z.array(z.string()).openapi({ description: 'Start of each period.' }),
    meters: z.array(
      z.object({ meter: z.string(), values: z.array(z.number().nullable()), quality: z.array(z.string()) }),
    ),
  })
  .openapi('Totals');

const common = {
  quantity: z.string().openapi({ example: 'import_kWh' }),
  from: InstantSchema,
  to: InstantSchema,
  tz: z
    .string()
    .optional()
    .openapi({ example: 'Europe/Berlin', description: "Of days and hours; the site's where left out." }),
  format: z.enum(['json', 'csv']).optional().openapi({ description: 'Or send Accept: text/csv.' }),
};
const QuerySchema = z.object({
  meter: z
    .string()
    .optional()
    .openapi({ example: 'main', description: 'Left out or `all`: every meter point (hour, day, month).' }),
  resolution: z.enum(['raw', 'slot', 'hour', 'day', 'month']).default('slot'),
  ...common,
});
const TotalsQuerySchema = z.object({
  meters: z
    .string()
    .optional()
    .openapi({ example: 'main,pv', description: 'Ids joined by commas; left out or `all`: every meter point.' }),
  resolution: z.enum(['hour', 'day', 'month']).default('day'),
  ...common,
});
const csvContent = { 'text/csv': { schema: z.string() } };

const queryRoute = apiRoute('user', {
  method: 'get',
  path: '/api/v1/data/query',
  summary: 'Values of a meter point, or of all',
  description:
    'Registers give their increase per slot, hour, day or month, raw gives the register itself; power and other gauges give means. Periods without data are null. At most 400,000 values.',
  tags: ['Data'],
  request: { query: QuerySchema },
  responses: {
    200: {
      description: 'The values, ascending in time.',
      content: { 'application/json': { schema: z.union([SeriesSchema, FleetSchema]) }, ...csvContent },
    },
  },
});
const totalsRoute = apiRoute('user', {
  method: 'get',
  path: '/api/v1/data/totals',
  summary: 'Totals of many meter points, compact',
  description:
    'One row of values per meter point; sums of energy, means of gauges. Meter points without data are left out.',
  tags: ['Data'],
  request: { query: TotalsQuerySchema },
  responses: {
    200: { description: 'The totals.', content: { 'application/json': { schema: TotalsSchema }, ...csvContent } },
  },
});

type Common = { format?: 'json' | 'csv' };

export function createDataApi({ data, site }: Pick<Services, 'data' | 'site'>) {
  const zone = (tenant: string, tz: string | undefined) => tz ?? site.get(tenant)?.time_zone ?? 'UTC';
  const wantsCsv = ({ format }: Common, accept: string | undefined) =>
    format ? format === 'csv' : (accept ?? '').includes('text/csv');
  const send = (text: Uint8Array<ArrayBuffer>, csv: boolean, name: string) =>
    new Response(text, {
      headers: csv
        ? { 'content-type': 'text/csv; charset=utf-8', 'content-disposition': `attachment; filename="${name}.csv"` }
        : { 'content-type': 'application/json' },
    });
  const app = createApiApp();
  app.openapi(queryRoute, async (c) => {
    const { tenant } = actorOf(c);
    const asked = c.req.valid('query');
    const { quantity, from: from_ms, to: to_ms, resolution } = asked;
    const csv = wantsCsv(asked, c.req.header('accept'));
    const tz = zone(tenant, asked.tz);
    if (asked.meter === undefined || asked.meter === 'all') {
      if (resolution === 'raw' || resolution === 'slot')
        throw new InvalidDataError(
          `All meter points have no resolution=${resolution}.`,
          'Name a meter, or ask for hour, day or month.',
        );
      const totals = await data.totals(tenant, { meters: null, quantity, from_ms, to_ms, resolution, tz });
      const unit = quantityInfo(quantity)!.unit;
      return send(
        csv ? fleetCsv(quantity, totals) : fleetJson(quantity, unit, totals),
        csv,
        `all-${quantity}`,
      ) as never;
    }
    const { meter } = asked;
    const { unit, columns } = await data.query(tenant, { meter, quantity, from_ms, to_ms, resolution, tz });
    const text = csv ? seriesCsv(meter, quantity, columns) : seriesJson(meter, quantity, unit, columns);
    return send(text, csv, fileName(`${meter}-${quantity}`)) as never;
  });
  app.openapi(totalsRoute, async (c) => {
    const { tenant } = actorOf(c);
    const asked = c.req.valid('query');
    const { quantity, from: from_ms, to: to_ms, resolution } = asked;
    const meters =
      asked.meters === undefined || asked.meters === 'all' ? null : asked.meters.split(',').filter(Boolean);
    const totals = await data.totals(tenant, {
      meters,
      quantity,
      from_ms,
      to_ms,
      resolution,
      tz: zone(tenant, asked.tz),
    });
    const csv = wantsCsv(asked, c.req.header('accept'));
    const text = csv ? totalsCsv(totals) : totalsJson(quantity, quantityInfo(quantity)!.unit, totals);
    return send(text, csv, `totals-${quantity}`) as never;
  });
  return app;
}

/** Only what is safe in a header and a file system. */
function fileName(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]+/g, '_').slice(0, 80);
}
