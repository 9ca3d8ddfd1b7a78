/** /healthz, /readyz and /metrics: for whoever watches the box. They work before set-up. */
import { statfs } from 'node:fs/promises';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { NotAllowedError } from '../../engine/errors.ts';
import { sameText } from '../auth/secrets.ts';
import { mayWatchBox } from '../owner.ts';
import type { HealthService, Services } from '../services.ts';
import { apiRoute, createApiApp, type Env, problem } from './api.ts';
import { isFromBox } from './client-address.ts';

const ReportSchema = z
  .object({
    ready: z.boolean(),
    parts: z.array(
      z.object({
        name: z.string(),
        state: z.enum(['ok', 'degraded', 'down']),
        text: z.string().nullable().openapi({ description: 'null for whoever is not signed in.' }),
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
  description:
    'Parts without which the box still keeps readings and answers are `degraded`, and the box stays ready. ' +
    'What is wrong with a part is told on the box itself or with an API key of the organisation that the box belongs to; ' +
    'where there are several, of an admin of it.',
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
  description:
    'From the box itself without a key; from elsewhere, also through a proxy, with `metrics_token` of the configuration or ' +
    'an API key of the organisation that the box belongs to. Where there are several, the key has to be of an admin of it: the numbers are those of all.',
  responses: { 200: { description: 'Text exposition format.', content: { 'text/plain': { schema: z.string() } } } },
});

/** Probes ask every store; whoever asks more often gets the same report. */
const REPORT_MS = 1000;

/** @param services for health and the metrics' registry; gauges that are asked for are filled at scrape time. */
export function createOperationsApi(services: Services) {
  const { jobs, journal, metrics: all, config } = services;
  const report = createRecentReport(services);
  const app = createApiApp();
  app.openapi(healthz, (c) => c.text('ok' as const, 200));
  app.openapi(readyz, async (c) => {
    const { ready, parts } = await report();
    const known = isKnown(c, services);
    const body = {
      ready,
      parts: parts.map(({ since_ms, text, ...part }) => ({
        ...part,
        text: known ? text : null,
        since: since_ms === null ? null : new Date(since_ms).toISOString(),
      })),
    };
    return ready ? c.json(body, 200) : c.json(body, 503);
  });
  app.openapi(metrics, async (c) => {
    if (!isKnown(c, services) && !isScraper(c, config.metrics_token)) {
      if (c.get('actor') === null) return problem(c, 401, 'Send an API key as `Authorization: Bearer …`.') as never;
      throw new NotAllowedError(
        'These are the numbers of all organisations on this box.',
        'Ask an admin of the organisation that the box belongs to.',
      );
    }
    const { parts } = await report();
    for (const { name, state } of parts) all.part_up.set({ part: name }, state === 'ok' ? 1 : 0);
    all.disk_free.set(await freeBytes(config.home));
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

/** NaN where the disk does not say. */
async function freeBytes(folder: string): Promise<number> {
  const disk = await statfs(folder).catch(() => null);
  return disk ? disk.bavail * disk.bsize : Number.NaN;
}

/** Who may watch the box, or is on it. */
function isKnown(c: Context<Env>, { site }: Pick<Services, 'site'>): boolean {
  const actor = c.get('actor');
  if (actor !== null && mayWatchBox(actor, site.tenants())) return true;
  return isFromBox(c.get('client'), (name) => c.req.header(name));
}

function isScraper(c: Context<Env>, token: string | null): boolean {
  const given = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
  return Boolean(token) && given !== undefined && sameText(given, token ?? '');
}

function createRecentReport({ health, clock }: Pick<Services, 'health' | 'clock'>): HealthService['report'] {
  let made_ms = Number.NEGATIVE_INFINITY;
  let recent: ReturnType<HealthService['report']> | null = null;
  return () => {
    // The clock may have been set back.
    if (!recent || Math.abs(clock.now() - made_ms) >= REPORT_MS) {
      made_ms = clock.now();
      recent = health.report();
    }
    return recent;
  };
}
