/** JSON Web Tokens for programs that sign in with a login and password or an API key. */
import { z } from '@hono/zod-openapi';
import type { Services } from '../../services.ts';
import { apiRoute, createApiApp, iso, problem } from '../api.ts';

const issue = apiRoute(null, {
  method: 'post',
  path: '/api/v1/token',
  tags: ['People'],
  summary: 'A token of one hour',
  description:
    'From login and password in the body, or without body from an API key in `Authorization: Bearer`. ' +
    'Send it as `Authorization: Bearer …`. It ends early when the person or key is disabled.',
  request: {
    body: {
      required: false,
      content: {
        'application/json': {
          schema: z.strictObject({
            login: z.string().openapi({ example: 'anna' }),
            password: z.string().openapi({ format: 'password' }),
            code: z.string().optional().openapi({
              description: 'One-time or recovery code, where the person has a second factor.',
              example: '123456',
            }),
          }),
        },
      },
    },
  },
  responses: {
    200: {
      description: 'The token.',
      content: {
        'application/json': {
          schema: z.object({ token: z.string(), expires_at: z.iso.datetime() }).openapi('Token'),
        },
      },
    },
  },
});

export function createTokenApi({ access }: Pick<Services, 'access'>) {
  const app = createApiApp();
  app.openapi(issue, async (c) => {
    const { login, password, code } = c.req.valid('json') ?? {};
    let actor = c.get('actor');
    if (login !== undefined && password !== undefined) {
      const { token, session } = await access.signIn(login, password, c.get('client'), undefined, code);
      await access.signOut(token);
      actor = session.actor;
    }
    if (!actor) return problem(c, 401, 'Send login and password as JSON, or an API key as bearer.') as never;
    const { token, expires_ms } = await access.issueToken(actor);
    return c.json({ token, expires_at: iso(expires_ms) }, 200, { 'cache-control': 'no-store' });
  });
  return app;
}
