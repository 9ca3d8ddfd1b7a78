/** API keys of programs. */
import { z } from '@hono/zod-openapi';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, iso } from '../api.ts';

const tags = ['People'];
const RoleSchema = z.enum(['admin', 'analyst', 'user']);
const KeySchema = z
  .object({
    id: z.uuid(),
    name: z.string().openapi({ example: 'export' }),
    role: RoleSchema,
    created: z.iso.datetime(),
    last_used: z.iso.datetime().nullable().openapi({ description: 'To the minute.' }),
  })
  .openapi('ApiKey');

const list = apiRoute('admin', {
  method: 'get',
  path: '/api/v1/keys',
  tags,
  summary: 'The valid API keys',
  responses: {
    200: {
      description: 'Names and roles; the keys themselves are not kept.',
      content: { 'application/json': { schema: z.object({ keys: z.array(KeySchema) }) } },
    },
  },
});
const create = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/keys',
  tags,
  summary: 'Make an API key',
  description: 'Send it as `Authorization: Bearer luna_…`. A name that is taken gets a number.',
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.strictObject({ name: z.string().openapi({ example: 'export' }), role: RoleSchema }),
        },
      },
    },
  },
  responses: {
    201: {
      description: 'The key, shown only now.',
      content: {
        'application/json': {
          schema: z.object({ id: z.uuid(), key: z.string().openapi({ example: 'luna_…' }) }).openapi('NewApiKey'),
        },
      },
    },
  },
});
const revoke = apiRoute('admin', {
  method: 'delete',
  path: '/api/v1/keys/{id}',
  tags,
  summary: 'Revoke an API key and the tokens made with it',
  request: { params: z.object({ id: z.string() }) },
  responses: { 204: { description: 'Void from now on.' }, 404: { description: 'No such key.' } },
});

export function createKeysApi({ access }: Pick<Services, 'access'>) {
  const app = createApiApp();
  app.openapi(list, async (c) => {
    const keys = await access.listKeys(actorOf(c).tenant);
    return c.json(
      {
        keys: keys.map(({ created_ms, last_used_ms, ...key }) => ({
          ...key,
          created: iso(created_ms),
          last_used: last_used_ms === null ? null : iso(last_used_ms),
        })),
      },
      200,
    );
  });
  app.openapi(create, async (c) => {
    const { name, role } = c.req.valid('json');
    return c.json(await access.createKey(actorOf(c), name, role), 201, { 'cache-control': 'no-store' });
  });
  app.openapi(revoke, async (c) => {
    await access.revokeKey(actorOf(c), c.req.valid('param').id);
    return c.body(null, 204);
  });
  return app;
}
