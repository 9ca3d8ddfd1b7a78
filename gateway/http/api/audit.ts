/** The audit log: who did what, when. */
import { z } from '@hono/zod-openapi';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, iso } from '../api.ts';

const EntrySchema = z
  .object({
    id: z.number().int(),
    at: z.iso.datetime(),
    actor: z.string().openapi({ example: 'anna' }),
    act: z.string().openapi({ example: 'change site' }),
    object: z.string().openapi({ example: 'works' }),
    detail: z.record(z.string(), z.unknown()),
  })
  .openapi('AuditEntry');

const list = apiRoute('admin', {
  method: 'get',
  path: '/api/v1/audit',
  tags: ['Operations'],
  summary: 'Administrative acts, newest first',
  request: {
    query: z.object({
      limit: z.coerce.number().int().min(1).max(500).default(100).openapi({ type: 'integer', example: 100 }),
      before: z.coerce
        .number()
        .int()
        .optional()
        .openapi({ type: 'integer', description: 'Id of the last entry of the former page.' }),
    }),
  },
  responses: {
    200: {
      description: 'A page of entries.',
      content: { 'application/json': { schema: z.object({ entries: z.array(EntrySchema) }) } },
    },
  },
});

export function createAuditApi({ audit }: Pick<Services, 'audit'>) {
  const app = createApiApp();
  app.openapi(list, async (c) => {
    const { limit, before } = c.req.valid('query');
    const entries = await audit.list(actorOf(c).tenant, { limit, before });
    return c.json({ entries: entries.map(({ at_ms, ...entry }) => ({ ...entry, at: iso(at_ms) })) }, 200);
  });
  return app;
}
