/** Alerts: what is wrong now and what was, who has seen it and who was told. */
import { z } from '@hono/zod-openapi';
import { NotFoundError } from '../../../engine/errors.ts';
import { alertWords, type WordsDeps } from '../../alert-words.ts';
import type { Actor, Alert, Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, iso } from '../api.ts';

const tags = ['Operations'];
const orNull = (at_ms: number | null) => (at_ms === null ? null : iso(at_ms));
const AlertSchema = z
  .object({
    id: z.string(),
    kind: z.string().openapi({ example: 'meter_silent' }),
    object: z.string().openapi({ example: 'main', description: 'The meter point, device, area or file it is about.' }),
    severity: z.enum(['info', 'warning', 'fault']),
    text: z.string().openapi({ example: 'The meter Hall 3 has been silent since 14:05.' }),
    remedy: z.string().openapi({ description: 'What to do, in a sentence or two.' }),
    detail: z.record(z.string(), z.unknown()),
    opened_at: z.iso.datetime(),
    closed_at: z.iso.datetime().nullable().openapi({ description: 'null while it lasts.' }),
    acknowledged_at: z.iso.datetime().nullable(),
    acknowledged_by: z.string().nullable().openapi({ example: 'anna' }),
  })
  .openapi('Alert');
const ToldSchema = z
  .object({
    what: z.enum(['opened', 'escalated', 'repeated', 'acknowledged', 'solved']),
    recipient: z.string().openapi({ example: 'Anna' }),
    channel: z.string().openapi({ example: 'mail' }),
    state: z.enum(['waiting', 'sent', 'given up']),
    made_at: z.iso.datetime(),
    sent_at: z.iso.datetime().nullable(),
    tries: z.number().int(),
  })
  .openapi('Told');

const list = apiRoute('user', {
  method: 'get',
  path: '/api/v1/alerts',
  tags,
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
const params = z.object({ id: z.string().openapi({ example: 'a3f0c2d4-5b6e-4f70-8a91-b2c3d4e5f607' }) });
const none = { 404: { description: 'No such alert.' } };
const one = apiRoute('user', {
  method: 'get',
  path: '/api/v1/alerts/{id}',
  tags,
  summary: 'One alert, and who was told of it when',
  request: { params },
  responses: {
    200: {
      description: 'The alert.',
      content: { 'application/json': { schema: z.object({ alert: AlertSchema, told: z.array(ToldSchema) }) } },
    },
    ...none,
  },
});
const acknowledge = apiRoute('user', {
  method: 'post',
  path: '/api/v1/alerts/{id}/acknowledge',
  tags,
  summary: 'Acknowledge an alert',
  description: 'Nobody further is told of it and it is not repeated, until it gets worse. The first one counts.',
  request: { params },
  responses: {
    200: { description: 'Acknowledged.', content: { 'application/json': { schema: AlertSchema } } },
    ...none,
  },
});

type Deps = WordsDeps & Pick<Services, 'alerts' | 'clock'> & { notify: Pick<Services['notify'], 'told'> };

export function createAlertsApi(deps: Deps) {
  const { alerts, clock } = deps;
  const app = createApiApp();
  const shown = ({ tenant, language }: Actor, alert: Alert) => {
    const { text, remedy } = alertWords(deps, tenant, alert, language, clock.now());
    const { opened_ms, closed_ms, acknowledged_ms, ...rest } = alert;
    const acknowledged_at = orNull(acknowledged_ms);
    return { ...rest, text, remedy, opened_at: iso(opened_ms), closed_at: orNull(closed_ms), acknowledged_at };
  };
  app.openapi(list, async (c) => {
    const { open, limit } = c.req.valid('query');
    const actor = actorOf(c);
    const found = await alerts.list(actor.tenant, { open_only: open === 'true', limit });
    return c.json({ alerts: found.map((alert) => shown(actor, alert)) }, 200);
  });
  app.openapi(one, async (c) => {
    const actor = actorOf(c);
    const alert = await alerts.get(actor.tenant, c.req.valid('param').id);
    if (!alert) throw new NotFoundError('There is no such alert.', 'It may belong to something that was removed.');
    const told = (await deps.notify.told(actor.tenant, alert.id)).map((entry) => ({
      ...{ what: entry.what, recipient: entry.recipient_name, channel: entry.channel_name, state: entry.state },
      ...{ made_at: iso(entry.made_ms), sent_at: orNull(entry.sent_ms), tries: entry.tries },
    }));
    return c.json({ alert: shown(actor, alert), told }, 200);
  });
  app.openapi(acknowledge, async (c) => {
    const actor = actorOf(c);
    return c.json(shown(actor, await alerts.acknowledge(actor, c.req.valid('param').id)), 200);
  });
  return app;
}
