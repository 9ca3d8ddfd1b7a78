/** Forecasts of load, generation and price, and how well they did. */
import { z } from '@hono/zod-openapi';
import { NotFoundError } from '../../../engine/errors.ts';
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
    }),
  },
  responses: {
    200: { description: 'The forecast.', content: { 'application/json': { schema: ForecastSchema } } },
    404: { description: 'There is none; `detail` says why.' },
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

export function createForecastApi({ forecasts, clock }: Pick<Services, 'forecasts' | 'clock'>) {
  const app = createApiApp();
  app.openapi(forecast, async (c) => {
    const { tenant } = actorOf(c);
    const { series, at } = c.req.valid('query');
    const found = await forecasts.latest(tenant, series, at ?? clock.now());
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
        points: found.points.map(({ at_ms, mean, quantiles }) => ({ at: iso(at_ms), mean, quantiles })),
      },
      200,
    );
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
