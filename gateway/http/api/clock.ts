/** The clock of the box: whether it is trusted, what waits for its time, and what an admin can say about it. */
import { z } from '@hono/zod-openapi';
import { NotAllowedError } from '../../../engine/errors.ts';
import type { Actor, Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, InstantSchema, iso } from '../api.ts';

const tags = ['Operations'];
const instant = z.iso.datetime();
const bootParam = z.object({
  boot: z.string().min(1).max(100).openapi({ example: '5f0f4c52-9a6f-4d3d-8f2f-1a110b51a1c8' }),
});
const counted = z.object({ readings: z.number().int() });
const StateSchema = z
  .object({
    trusted: z.boolean(),
    reason: z.enum(['behind', 'away', 'unset', 'jump', 'contradicted']).nullable(),
    since: instant.nullable(),
    believed: instant.openapi({ description: 'What the box goes on with.' }),
    clock: instant.openapi({ description: 'What the clock of the machine shows.' }),
    held: z.array(
      z.object({
        boot: z.string(),
        current: z.boolean().openapi({ description: 'They get their time by themselves once the clock is trusted.' }),
        readings: z.number().int(),
        lasting_s: z.number(),
      }),
    ),
  })
  .openapi('ClockState');

const state = apiRoute('admin', {
  method: 'get',
  path: '/api/v1/clock',
  tags,
  summary: 'Whether the clock is trusted, and the readings that wait for their time',
  responses: { 200: { description: 'Now.', content: { 'application/json': { schema: StateSchema } } } },
});
const believe = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/clock/believe',
  tags,
  summary: 'Say that the clock is right',
  description: 'For admins of the organisation `default`, whose box it is. Readings that wait get their time from it.',
  responses: { 204: { description: 'The clock is trusted.' } },
});
const release = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/clock/held/{boot}/release',
  tags,
  summary: 'Let readings of an earlier start through',
  description: 'By the time of the first of them; the others follow at the distances at which they came.',
  request: {
    params: bootParam,
    body: { required: true, content: { 'application/json': { schema: z.object({ first_at: InstantSchema }) } } },
  },
  responses: {
    200: { description: 'How many.', content: { 'application/json': { schema: counted } } },
    404: { description: 'None of such a start are set aside.' },
  },
});
const discard = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/clock/held/{boot}/discard',
  tags,
  summary: 'Throw readings of an earlier start away',
  request: { params: bootParam },
  responses: {
    200: { description: 'How many.', content: { 'application/json': { schema: counted } } },
    404: { description: 'None of such a start are set aside.' },
  },
});

type Deps = Pick<Services, 'watch' | 'quarantine' | 'audit'>;

export function createClockApi({ watch, quarantine, audit }: Deps) {
  const app = createApiApp();
  app.openapi(state, async (c) => {
    const { trusted, reason, since_ms, believed_ms, wall_ms } = watch.report();
    const held = (await quarantine.held(actorOf(c).tenant)).map(({ first_mono_ms, last_mono_ms, ...one }) => ({
      ...one,
      lasting_s: Math.round((last_mono_ms - first_mono_ms) / 1000),
    }));
    const since = since_ms === null ? null : iso(since_ms);
    return c.json({ trusted, reason, since, believed: iso(believed_ms), clock: iso(wall_ms), held }, 200);
  });
  app.openapi(believe, async (c) => {
    await believeClock({ watch, audit }, actorOf(c));
    return c.body(null, 204);
  });
  app.openapi(release, async (c) => {
    const [actor, { boot }, { first_at }] = [actorOf(c), c.req.valid('param'), c.req.valid('json')];
    const outcome = await quarantine.release(actor.tenant, boot, first_at);
    await audit.record(actor, 'release held readings', boot, { ...outcome, first_at: iso(first_at) });
    return c.json(outcome, 200);
  });
  app.openapi(discard, async (c) => {
    const [actor, { boot }] = [actorOf(c), c.req.valid('param')];
    const outcome = await quarantine.discard(actor.tenant, boot);
    await audit.record(actor, 'discard held readings', boot, outcome);
    return c.json(outcome, 200);
  });
  return app;
}

/** The clock is everybody's: only who owns the box may say this. @throws NotAllowedError */
export async function believeClock({ watch, audit }: Pick<Deps, 'watch' | 'audit'>, actor: Actor): Promise<void> {
  if (actor.tenant !== 'default')
    throw new NotAllowedError('The clock is shared with other organisations.', 'Ask an admin of the box.');
  const { wall_ms, believed_ms, reason } = watch.report();
  await audit.record(actor, 'believe the clock', 'clock', { clock: iso(wall_ms), before: iso(believed_ms), reason });
  watch.believe();
}
