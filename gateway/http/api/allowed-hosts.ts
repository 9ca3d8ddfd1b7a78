/** Hosts on private networks that the box may ask. */
import { z } from '@hono/zod-openapi';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, iso } from '../api.ts';

const tags = ['Operations'];
const HostsSchema = z
  .object({
    configured: z.array(z.string()).openapi({ description: 'From `allowed_hosts` of the configuration.' }),
    allowed: z.array(
      z.object({ host: z.string().openapi({ example: 'mail.local' }), by: z.string(), at: z.iso.datetime() }),
    ),
  })
  .openapi('AllowedHosts');
const refused = { 403: { description: 'Only for admins of the organisation that the box belongs to.' } };

const list = apiRoute('admin', {
  method: 'get',
  path: '/api/v1/allowed-hosts',
  tags,
  summary: 'Hosts on private networks that the box may ask',
  responses: {
    200: { description: 'The hosts.', content: { 'application/json': { schema: HostsSchema } } },
    ...refused,
  },
});
const allow = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/allowed-hosts',
  tags,
  summary: 'Allow a host on a private network',
  description: 'With a port (`10.0.0.5:8025`) only that port. Public addresses need no permission.',
  request: {
    body: {
      required: true,
      content: {
        'application/json': { schema: z.strictObject({ host: z.string().openapi({ example: 'mail.local' }) }) },
      },
    },
  },
  responses: { 204: { description: 'Allowed from now on.' }, 400: { description: 'That is no host.' }, ...refused },
});
const remove = apiRoute('admin', {
  method: 'delete',
  path: '/api/v1/allowed-hosts/{host}',
  tags,
  summary: 'Take the permission of a host back',
  request: { params: z.object({ host: z.string() }) },
  responses: {
    204: { description: 'Not asked any more.' },
    404: { description: 'It was not allowed by people.' },
    ...refused,
  },
});

export function createAllowedHostsApi({ allowedHosts }: Pick<Services, 'allowedHosts'>) {
  const app = createApiApp();
  app.openapi(list, async (c) => {
    const { configured, allowed } = allowedHosts.list(actorOf(c));
    const shown = allowed.map(({ host, by, at_ms }) => ({ host, by, at: iso(at_ms) }));
    return c.json({ configured: [...configured], allowed: shown }, 200);
  });
  app.openapi(allow, async (c) => {
    await allowedHosts.allow(actorOf(c), c.req.valid('json').host);
    return c.body(null, 204);
  });
  app.openapi(remove, async (c) => {
    await allowedHosts.remove(actorOf(c), c.req.valid('param').host);
    return c.body(null, 204);
  });
  return app;
}
