/** People: who may sign in, and what everybody may change about themselves. */
import { z } from '@hono/zod-openapi';
import { NotAllowedError, NotFoundError } from '../../../engine/errors.ts';
import type { Person, Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, iso } from '../api.ts';

const tags = ['People'];
const RoleSchema = z.enum(['admin', 'analyst', 'user']);
const LanguageSchema = z.enum(['en', 'de']);
const password = z.string().openapi({ description: 'At least 10 characters.', format: 'password' });
const PersonSchema = z
  .object({
    id: z.uuid(),
    login: z.string().openapi({ example: 'anna' }),
    name: z.string().openapi({ example: 'Anna Nord' }),
    role: RoleSchema,
    language: LanguageSchema,
    disabled: z.boolean(),
    last_sign_in: z.iso.datetime().nullable(),
    second_factor: z.boolean().openapi({ description: 'Whether they give a one-time code when they sign in.' }),
  })
  .openapi('Person');
const MeSchema = z
  .object({ person: z.string(), name: z.string(), role: RoleSchema, language: LanguageSchema, tenant: z.string() })
  .openapi('Me');

const params = z.object({ id: z.string() });
const unknown = { 404: { description: 'No such person.' } };
const body = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true as const,
  content: { 'application/json': { schema } },
});

const list = apiRoute('admin', {
  method: 'get',
  path: '/api/v1/people',
  tags,
  summary: 'Everybody who may sign in',
  responses: {
    200: {
      description: 'By login.',
      content: { 'application/json': { schema: z.object({ people: z.array(PersonSchema) }) } },
    },
  },
});
const add = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/people',
  tags,
  summary: 'Add a person',
  request: {
    body: body(
      z.strictObject({
        login: z.string().openapi({ example: 'anna' }),
        name: z.string().openapi({ example: 'Anna Nord' }),
        role: RoleSchema,
        password,
        language: LanguageSchema.optional(),
      }),
    ),
  },
  responses: { 201: { description: 'Added.', content: { 'application/json': { schema: PersonSchema } } } },
});
const change = apiRoute('admin', {
  method: 'patch',
  path: '/api/v1/people/{id}',
  tags,
  summary: 'Change a person',
  description: 'A new password or role, or disabling, ends their sessions and tokens. The last admin stays one.',
  request: {
    params,
    body: body(
      z.strictObject({
        name: z.string().optional(),
        role: RoleSchema.optional(),
        disabled: z.boolean().optional(),
        language: LanguageSchema.optional(),
        password: password.optional(),
      }),
    ),
  },
  responses: { 204: { description: 'Changed.' }, ...unknown },
});
const remove = apiRoute('admin', {
  method: 'delete',
  path: '/api/v1/people/{id}',
  tags,
  summary: 'Remove a person',
  description: 'What they did stays in the audit log.',
  request: { params },
  responses: { 204: { description: 'Gone.' }, ...unknown },
});
const resetCode = apiRoute('admin', {
  method: 'delete',
  path: '/api/v1/people/{id}/second-factor',
  tags,
  summary: "Remove a person's second factor",
  description: 'For whoever lost phone and recovery codes. Ends their sessions and tokens.',
  request: { params },
  responses: { 204: { description: 'Gone.' }, ...unknown },
});
const DemandSchema = z
  .strictObject({ roles: z.array(RoleSchema).openapi({ example: ['admin'] }) })
  .openapi('SecondFactorDemand');
const demanded = apiRoute('admin', {
  method: 'get',
  path: '/api/v1/second-factor',
  tags,
  summary: 'Roles whose people need a second factor',
  responses: { 200: { description: 'The roles.', content: { 'application/json': { schema: DemandSchema } } } },
});
const demand = apiRoute('admin', {
  method: 'put',
  path: '/api/v1/second-factor',
  tags,
  summary: 'Say whose role needs a second factor',
  description: 'People of these roles can do nothing until they have set one up in the browser. API keys go on.',
  request: { body: body(DemandSchema) },
  responses: { 204: { description: 'Holds at once.' } },
});
const me = apiRoute('user', {
  method: 'get',
  path: '/api/v1/me',
  tags,
  summary: 'Whom the box takes you for',
  responses: { 200: { description: 'You.', content: { 'application/json': { schema: MeSchema } } } },
});
const changeMe = apiRoute('user', {
  method: 'patch',
  path: '/api/v1/me',
  tags,
  summary: 'Change your own language or password',
  description: 'A new password needs the present one, and ends all your sessions and tokens.',
  request: {
    body: body(
      z.strictObject({
        language: LanguageSchema.optional(),
        password: password.optional(),
        present_password: password.optional(),
      }),
    ),
  },
  responses: { 204: { description: 'Changed.' } },
});

function shown({ last_sign_in_ms, ...person }: Person) {
  return { ...person, last_sign_in: last_sign_in_ms === null ? null : iso(last_sign_in_ms) };
}

export function createPeopleApi({ access }: Pick<Services, 'access'>) {
  const app = createApiApp();
  app.openapi(list, async (c) => c.json({ people: (await access.listPeople(actorOf(c).tenant)).map(shown) }, 200));
  app.openapi(add, async (c) => c.json(shown(await access.addPerson(actorOf(c), c.req.valid('json'))), 201));
  app.openapi(change, async (c) => {
    await access.changePerson(actorOf(c), c.req.valid('param').id, c.req.valid('json'));
    return c.body(null, 204);
  });
  app.openapi(remove, async (c) => {
    await access.removePerson(actorOf(c), c.req.valid('param').id);
    return c.body(null, 204);
  });
  app.openapi(resetCode, async (c) => {
    await access.second_factor.remove(actorOf(c), c.req.valid('param').id);
    return c.body(null, 204);
  });
  app.openapi(demanded, async (c) => c.json({ roles: await access.second_factor.roles(actorOf(c).tenant) }, 200));
  app.openapi(demand, async (c) => {
    await access.second_factor.demand(actorOf(c), c.req.valid('json').roles);
    return c.body(null, 204);
  });
  app.openapi(me, (c) => {
    const { person, role, language, tenant } = actorOf(c);
    return c.json({ person, name: c.get('session')?.name ?? person, role, language, tenant }, 200);
  });
  app.openapi(changeMe, async (c) => {
    const actor = actorOf(c);
    const { language, password: wanted, present_password } = c.req.valid('json');
    const person = (await access.listPeople(actor.tenant)).find(({ login }) => login === actor.person);
    if (!person) throw new NotFoundError('An API key has neither language nor password.', 'Sign in as a person.');
    if (wanted !== undefined) {
      if (present_password === undefined)
        throw new NotAllowedError('The present password is missing.', 'Send it as present_password.');
      await access.confirmPassword(actor.person, present_password, c.get('client'));
    }
    await access.changePerson(actor, person.id, { language, password: wanted });
    return c.body(null, 204);
  });
  return app;
}
