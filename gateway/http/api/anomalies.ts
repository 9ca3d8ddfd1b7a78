/** What is unusual about meter points against their forecasts, and what people say of it. */
import { z } from '@hono/zod-openapi';
import { CAUSES } from '../../../engine/anomaly/explain.ts';
import type { AnomalyRecord } from '../../services/anomalies/rows.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, iso } from '../api.ts';

const tags = ['Operations'];
const AnomalySchema = z
  .object({
    id: z.string(),
    meter: z.string().openapi({ example: 'hall-3' }),
    quantity: z.string().openapi({ example: 'import_kWh' }),
    kind: z.enum(['point', 'shift', 'drift', 'shape']).openapi({ description: 'What about its course is unusual.' }),
    since: z.iso.datetime().openapi({ description: 'When it began, as far as the hours tell.' }),
    opened: z.iso.datetime().openapi({ description: 'When it was first seen.' }),
    ended: z.iso.datetime().nullable().openapi({ description: 'null while it lasts.' }),
    score: z.number().openapi({ example: 2.4, description: '−log10 of the pooled p-value, at its highest.' }),
    energy_kWh: z.number().nullable().openapi({ example: 84.2, description: 'Actual less forecast since then.' }),
    amount: z
      .number()
      .nullable()
      .openapi({ example: 21.7, description: 'What that energy cost; null without prices.' }),
    currency: z.string().nullable().openapi({ example: 'EUR' }),
    causes: z
      .array(z.object({ cause: z.enum(CAUSES), share: z.number() }))
      .openapi({ description: 'Likeliest first, with the share of the difference that each explains.' }),
    verdict: z.enum(['expected', 'real']).nullable(),
    verdict_by: z.string().nullable().openapi({ example: 'anna' }),
  })
  .openapi('Anomaly');

const params = z.object({ id: z.string().openapi({ example: 'a3f0c2d4-5b6e-4f70-8a91-b2c3d4e5f607' }) });
const none = { 404: { description: 'No such anomaly.' } };
const answer = (description: string) => ({
  200: { description, content: { 'application/json': { schema: AnomalySchema } } },
  ...none,
});

const list = apiRoute('user', {
  method: 'get',
  path: '/api/v1/anomalies',
  tags,
  summary: 'What is unusual against the forecast, open ones first',
  request: {
    query: z.object({
      open: z.enum(['true', 'false']).optional().openapi({ description: 'true: only what lasts.' }),
      meter: z.string().optional().openapi({ example: 'hall-3' }),
      limit: z.coerce.number().int().min(1).max(1000).default(200),
    }),
  },
  responses: {
    200: {
      description: 'Empty when all is as forecast.',
      content: { 'application/json': { schema: z.object({ anomalies: z.array(AnomalySchema) }) } },
    },
  },
});
const one = apiRoute('user', {
  method: 'get',
  path: '/api/v1/anomalies/{id}',
  tags,
  summary: 'One anomaly',
  request: { params },
  responses: answer('Since when, how much, and what is likely behind it.'),
});
const judge = apiRoute('user', {
  method: 'post',
  path: '/api/v1/anomalies/{id}/verdict',
  tags,
  summary: 'Say whether it was expected or real',
  description:
    'Expected: it is over, and the like must be more unusual to be told again. Real: its hours teach the forecast nothing. The last word counts.',
  request: {
    params,
    body: {
      required: true,
      content: { 'application/json': { schema: z.object({ verdict: z.enum(['expected', 'real']) }) } },
    },
  },
  responses: answer('As it is now.'),
});

export function createAnomaliesApi({ anomalies }: Pick<Services, 'anomalies'>) {
  const app = createApiApp();
  app.openapi(list, async (c) => {
    const { open, meter = null, limit } = c.req.valid('query');
    const found = await anomalies.list(actorOf(c).tenant, { open_only: open === 'true', meter, limit });
    return c.json({ anomalies: found.map(shown) }, 200);
  });
  app.openapi(one, async (c) => c.json(shown(await anomalies.get(actorOf(c).tenant, c.req.valid('param').id)), 200));
  app.openapi(judge, async (c) => {
    const { verdict } = c.req.valid('json');
    return c.json(shown(await anomalies.judge(actorOf(c), c.req.valid('param').id, verdict)), 200);
  });
  return app;
}

function shown({ since_ms, opened_ms, ended_ms, ...rest }: AnomalyRecord) {
  return { ...rest, since: iso(since_ms), opened: iso(opened_ms), ended: ended_ms === null ? null : iso(ended_ms) };
}
