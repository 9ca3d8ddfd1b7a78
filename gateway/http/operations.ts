/** /healthz, /readyz and /metrics: for whoever watches the box. They work before set-up. */
import { z } from '@hono/zod-openapi';
import type { Services } from '../services.ts';
import { apiRoute, createApiApp, type Env, problem } from './api.ts';

const ReportSchema = z
  .object({
    ready: z.boolean(),
    parts: z.array(
      z.object({
        name: z.string(),
        state: z.enum(['ok', 'degraded', 'down']),
        text: z.string(),
        since: z.iso.datetime().nullable(),
      }),
    ),
  })
  .openapi('Health');

const tags = ['Operations'];
const json = { 'application/json': { schema: ReportSchema } };

const healthz = apiRoute(null, {
  method: 'get',
  path: '/healthz',
  tags,
  summary: 'Whether the process lives',
  responses: { 200: { description: 'It does.', content: { 'text/plain': { schema: z.literal('ok') } } } },
});
const readyz = apiRoute(null, {
  method: 'get',
  path: '/readyz',
  tags,
  summary: 'Whether the box can serve',
  description: 'Parts without which the box still keeps readings and answers are `degraded`, and the box stays ready.',
  responses: {
    200: { description: 'Ready.', content: json },
    503: { description: 'A part that the box needs is down.', content: json },
  },
});
const metrics = apiRoute(null, {
  method: 'get',
  path: '/metrics',
  tags,
  summary: 'Prometheus metrics',
  description: 'From the box itself without a key; from elsewhere with an API key of any role.',
  responses: { 200: { description: 'Text exposition format.', content: { 'text/plain': { schema: z.string() } } } },
});

/** @param services for health and the metrics' registry; gauges that are asked for are filled at scrape time. */
export function createOperationsApi(services: Services) {
  const { health, jobs, journal, metrics: all } = services;
  const app = createApiApp();
  app.openapi(healthz, (c) => c.text('ok' as const, 200));
  app.openapi(readyz, async (c) => {
    const { ready, parts } = await health.report();
    const body = {
      ready,
      parts: parts.map(({ since_ms, ...part }) => ({
        ...part,
        since: since_ms === null ? null : new Date(since_ms).toISOString(),
      })),
    };
    return ready ? c.json(body, 200) : c.json(body, 503);
  });
  app.openapi(metrics, async (c) => {
    if (!c.get('actor') && !isLoopback(c.get('client')))
      return problem(c, 401, 'Send an API key as `Authorization: Bearer …`.') as never;
    const { bytes, quarantined } = journal.stats();
    all.journal_bytes.set(bytes);
    all.journal_quarantined.set(quarantined.length);
    for (const queue of await jobs.depth()) {
      all.jobs.set({ queue: queue.name, state: 'waiting' }, queue.waiting);
      all.jobs.set({ queue: queue.name, state: 'active' }, queue.active);
      all.jobs.set({ queue: queue.name, state: 'failed' }, queue.failed);
    }
    return c.text(await all.registry.metrics(), 200, { 'content-type': all.registry.contentType });
  });
  return app;
}

function isLoopback(address: Env['Variables']['client']): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}
