/** The queues of background work. */
import { z } from '@hono/zod-openapi';
import { NotAllowedError } from '../../../engine/errors.ts';
import { mayWatchBox } from '../../owner.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp } from '../api.ts';

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
  description: 'Of the whole box, so for admins of the organisation that it belongs to.',
  responses: {
    200: {
      description: 'One entry per queue.',
      content: { 'application/json': { schema: z.object({ queues: z.array(QueueSchema) }) } },
    },
  },
});

export function createJobsApi({ jobs, site }: Pick<Services, 'jobs' | 'site'>) {
  const app = createApiApp();
  app.openapi(list, async (c) => {
    if (!mayWatchBox(actorOf(c), site.tenants()))
      throw new NotAllowedError('The queues are those of all organisations on this box.', 'Ask an admin of the box.');
    return c.json({ queues: [...(await jobs.depth())] }, 200);
  });
  return app;
}
