/** Alerts: what is wrong now and what was. */
import { z } from '@hono/zod-openapi';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, iso } from '../api.ts';

const AlertSchema = z
  .object({
    id: z.string(),
    kind: z.string().openapi({ example: 'meter_silent' }),
    object: z.string().openapi({ example: 'main', description: 'The meter point, device, area or file it is about.' }),
    severity: z.enum(['info', 'warning', 'fault']),
    detail: z.record(z.string(), z.unknown()),
    opened_at: z.iso.datetime(),
    closed_at: z.iso.datetime().nullable().openapi({ description: 'null while it lasts.' }),
  })
  .openapi('Alert');

const list = apiRoute('user', {
  method: 'get',
  path: '/api/v1/alerts',
  tags: ['Operations'],
  summary: 'What is wrong, open ones first',
  request: {
    query: z.object({
      open: z.enum(['true', 'false']).optional().openapi({ description: 'true: only what lasts.' }),
      limit: z.coerce.number().int().min(1).max(1000).default(200),
    }),
  },
  responses: {
    200: {
      description: 'The newest of each kind first; empty when all is well.',
      content: { 'application/json': { schema: z.object({ alerts: z.array(AlertSchema) }) } },
    },
  },
});

export function createAlertsApi({ alerts }: Pick<Services, 'alerts'>) {
  const app = createApiApp();
  app.openapi(list, async (c) => {
    const { open, limit } = c.req.valid('query');
    const found = await alerts.list(actorOf(c).tenant, { open_only: open === 'true', limit });
    const rows = found.map(({ opened_ms, closed_ms, ...alert }) => ({
      ...alert,
      opened_at: iso(opened_ms),
      closed_at: closed_ms === null ? null : iso(closed_ms),
    }));
    return c.json({ alerts: rows }, 200);
  });
  return app;
}
