/** Temperature and irradiance at the site's place: what was, and what is forecast. */
import { z } from '@hono/zod-openapi';
import { InvalidDataError } from '../../../engine/errors.ts';
import { HOUR_MS } from '../../../engine/model/time.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, InstantSchema, iso } from '../api.ts';

const MOST_MS = 400 * 24 * HOUR_MS;
const WeatherSchema = z
  .object({
    enabled: z.boolean().openapi({ description: 'Whether the box asks for weather at all.' }),
    fetched_at: z.iso.datetime().nullable(),
    fault: z.string().nullable().openapi({ description: 'What went wrong in the last run, in words.' }),
    hours: z.array(
      z.object({
        at: z.iso.datetime().openapi({ description: 'Start of the hour.' }),
        temperature_C: z.number().nullable().openapi({ example: 12.4 }),
        irradiance_W_m2: z.number().nullable().openapi({ example: 310 }),
        forecast: z.boolean(),
      }),
    ),
  })
  .openapi('Weather');

const weather = apiRoute('user', {
  method: 'get',
  path: '/api/v1/weather',
  tags: ['Prices'],
  summary: "Weather at the site's place, by hours",
  description: 'Empty where the site has no coordinates or weather is switched off.',
  request: {
    query: z.object({
      from: InstantSchema.optional().openapi({ description: 'The current hour where left out.' }),
      to: InstantSchema.optional().openapi({ description: '48 hours after `from` where left out.' }),
    }),
  },
  responses: {
    200: { description: 'Hours of [from, to).', content: { 'application/json': { schema: WeatherSchema } } },
  },
});

export function createWeatherApi({ weather: service, clock }: Pick<Services, 'weather' | 'clock'>) {
  const app = createApiApp();
  app.openapi(weather, async (c) => {
    const { tenant } = actorOf(c);
    const asked = c.req.valid('query');
    const from_ms = asked.from ?? Math.floor(clock.now() / HOUR_MS) * HOUR_MS;
    const to_ms = asked.to ?? from_ms + 48 * HOUR_MS;
    if (!(to_ms > from_ms) || to_ms - from_ms > MOST_MS)
      throw new InvalidDataError('`to` must come after `from`, by at most 400 days.', 'Ask for a shorter range.');
    const [hours, state] = await Promise.all([service.hours(tenant, from_ms, to_ms), service.state(tenant)]);
    const { enabled, last_success_ms, fault } = state;
    return c.json(
      {
        ...{ enabled, fault, fetched_at: last_success_ms === null ? null : iso(last_success_ms) },
        hours: hours.map(({ at_ms, ...hour }) => ({ at: iso(at_ms), ...hour })),
      },
      200,
    );
  });
  return app;
}
