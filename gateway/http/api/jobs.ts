/** The queues of background work. */
import { z } from '@hono/zod-openapi';
import type { Services } from '../../services.ts';
import { apiRoute, createApiApp } from '../api.ts';

const QueueSchema = z
  .object({
    name: z.string().openapi({ example: 'forecast' }),
    waiting: z.number().int(),
    active: z.number().int(),
    failed: z.number().int().openapi({ description: 'Failed for good since the queue last succeeded.' }),
  })
  .openapi('Queue');

const list = apiRoute('admin', {
  method: 'get',
  path: '/api/v1/jobs',
  tags: ['Operations'],
  summary: 'Queues of background work and how full they are',
  responses: {
    200: {
      description: 'One entry per queue.',
      content: { 'application/json': { schema: z.object({ queues: z.array(QueueSchema) }) } },
    },
  },
});

export function createJobsApi({ jobs }: Pick<Services, 'jobs'>) {
  const app = createApiApp();
  app.openapi(list, async (c) => c.json({ queues: [...(await jobs.depth())] }, 200));
  return app;
}
