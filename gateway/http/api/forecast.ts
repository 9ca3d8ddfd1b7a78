/** Forecasts of load, generation and price, and how well they did. */
import { z } from '@hono/zod-openapi';
import { NotFoundError } from '../../../engine/errors.ts';
import { SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, InstantSchema, iso } from '../api.ts';

const tags = ['Forecasts'];
const series = z
  .string()
  .openapi({ example: 'load', description: '`load` and `generation` in W, `price` in currency/MWh.' });

const ForecastSchema = z
  .object({
    series: z.string(),
    unit: z.string().openapi({ example: 'W' }),
    made_at: z.iso.datetime(),
    model: z.string().openapi({ example: 'hourly-ridge/1' }),
    inputs_known_at: z.iso.datetime().openapi({ description: 'Newest instant of any input the model saw.' }),
    points: z.array(
      z.object({
        at: z.iso.datetime().openapi({ description: 'Start of the 15-minute slot.' }),
        mean: z.number(),
        quantiles: z.record(z.string(), z.number()).openapi({ example: { '0.1': 820, '0.5': 1010, '0.9': 1480 } }),
      }),
    ),
  })
  .openapi('Forecast');

const forecast = apiRoute('user', {
  method: 'get',
  path: '/api/v1/forecast',
  tags,
  summary: 'The newest forecast made at or before an instant',
  description: 'Published prices are no forecast: the one of the price begins after the last of them.',
  request: {
    query: z.object({
      series,
      at: InstantSchema.optional().openapi({ description: 'What was forecast then; now where left out.' }),
      target: InstantSchema.optional().openapi({
        description: 'Only the slot of this instant, such as a price at a time.',
      }),
      horizon: z.enum(['days', 'planning']).default('days').openapi({ description: '`planning`: thirty days ahead.' }),
    }),
  },
  responses: {
    200: { description: 'The forecast.', content: { 'application/json': { schema: ForecastSchema } } },
    404: { description: 'There is none; `detail` says why.' },
  },
});

const PriceAt = z.object({
  series: series.default('price'),
  at: InstantSchema.optional().openapi({ description: 'The instant asked for; now where left out.' }),
});
const AtSchema = z
  .object({
    series: z.string(),
    at: z.iso.datetime(),
    unit: z.string(),
    value: z.number(),
    quantiles: z.record(z.string(), z.number()),
    source: z.enum(['published', 'forecast']),
    model: z.string().nullable(),
  })
  .openapi('ForecastAt');
/** Short, for scripts: what a price (or load) will be at a time. */
const atTime = apiRoute('user', {
  method: 'get',
  path: '/forecast',
  tags,
  summary: 'The price, load or generation at a time: published where it is, else forecast',
  request: { query: PriceAt },
  responses: {
    200: { description: 'One value.', content: { 'application/json': { schema: AtSchema } } },
    404: { description: 'Neither published nor forecast; `detail` says why.' },
  },
});

const ErrorSchema = z
  .object({
    series: z.string(),
    unit: z.string(),
    model: z.string(),
    mae: z.number().nullable(),
    naive_mae: z.number().nullable().openapi({ description: 'Of "the same as last week", on the same slots.' }),
    slots: z.number().int(),
  })
  .openapi('ForecastError');
const error = apiRoute('user', {
  method: 'get',
  path: '/api/v1/forecast/error',
  tags,
  summary: 'Mean absolute error of what was forecast a day ahead, against last week',
  request: { query: z.object({ series, days: z.coerce.number().int().min(1).max(365).default(14) }) },
  responses: {
    200: {
      description: 'null where there is nothing to compare yet.',
      content: { 'application/json': { schema: ErrorSchema } },
    },
  },
});

const refresh = apiRoute('analyst', {
  method: 'post',
  path: '/api/v1/forecast/refresh',
  tags,
  summary: 'Make the forecasts that are due now',
  request: { query: z.object({ series: series.optional() }) },
  responses: { 204: { description: 'Made, as far as the history suffices.' } },
});

export type ForecastApiDeps = Pick<Services, 'forecasts' | 'clock'> & Partial<Pick<Services, 'tariffs' | 'prices'>>;

export function createForecastApi(services: ForecastApiDeps) {
  const { forecasts, clock } = services;
  const app = createApiApp();
  app.openapi(forecast, async (c) => {
    const { tenant } = actorOf(c);
    const { series, at, target, horizon } = c.req.valid('query');
    const found =
      horizon === 'planning' && forecasts.planning
        ? await forecasts.planning(tenant, series)
        : await forecasts.latest(tenant, series, at ?? clock.now());
    if (!found) {
      const reason = forecasts.reason?.(tenant, series);
      throw new NotFoundError(
        `There is no forecast of ${series}${at === undefined ? '' : ' at that time'}.${reason ? ` ${reason}` : ''}`,
        'It is made every 15 minutes once two days of history are there.',
      );
    }
    return c.json(
      {
        series: found.series,
        unit: found.unit,
        made_at: iso(found.made_at_ms),
        model: found.model,
        inputs_known_at: iso(found.inputs_known_ms),
        points: (target === undefined
          ? found.points
          : found.points.filter(({ at_ms }) => at_ms === slotStart(target))
        ).map(({ at_ms, mean, quantiles }) => ({ at: iso(at_ms), mean, quantiles })),
      },
      200,
    );
  });
  app.openapi(atTime, async (c) => {
    const { series, at = clock.now() } = c.req.valid('query');
    return c.json(await valueAt(services, actorOf(c).tenant, series, slotStart(at)), 200);
  });
  app.openapi(error, async (c) => {
    const { series, days } = c.req.valid('query');
    return c.json({ series, ...(await forecasts.error(actorOf(c).tenant, series, days)) }, 200);
  });
  app.openapi(refresh, async (c) => {
    await forecasts.refresh(actorOf(c).tenant, c.req.valid('query').series);
    return c.body(null, 204);
  });
  return app;
}

/** A published price is no forecast: it comes first. */
async function valueAt(services: ForecastApiDeps, tenant: string, series: string, at_ms: number) {
  const { forecasts, clock, tariffs, prices } = services;
  const area = series === 'price' ? (tariffs?.area(tenant) ?? null) : null;
  const published = area === null ? null : await prices?.market(area, 'day-ahead', at_ms, at_ms + SLOT_MS);
  const value = published?.values[0];
  if (published && value !== undefined && !Number.isNaN(value)) {
    const unit = `${published.currency}/MWh`;
    return { series, at: iso(at_ms), unit, value, quantiles: {}, source: 'published' as const, model: null };
  }
  const known = await forecasts.latest(tenant, series, clock.now());
  const near = known?.points.find((point) => point.at_ms === at_ms);
  const source = near || at_ms < clock.now() ? known : await forecasts.planning?.(tenant, series);
  const point = near ?? source?.points.find((each) => each.at_ms === at_ms);
  if (!source || !point) {
    const reason = forecasts.reason?.(tenant, series) ?? '';
    const text = `Nothing of ${series} is known or forecast for ${iso(at_ms)}. ${reason}`.trim();
    throw new NotFoundError(text, 'Ask for an instant within the next 30 days.');
  }
  const { mean, quantiles } = point;
  return {
    series,
    at: iso(at_ms),
    unit: source.unit,
    value: mean,
    quantiles,
    source: 'forecast' as const,
    model: source.model,
  };
}
