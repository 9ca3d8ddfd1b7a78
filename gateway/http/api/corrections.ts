/** What was corrected: values that a person sets over readings, and values that a later reading replaced. */
import { z } from '@hono/zod-openapi';
import type { RepairAct, RepairAsked } from '../../services/repairs.ts';
import { requireSeries } from '../../services/repairs.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, InstantSchema, iso } from '../api.ts';
import { ActSchema, ChangeSchema, EffectSchema, SpanSchema } from './correction-schemas.ts';

const tags = ['Data'];
const RepairSchema = z
  .object({
    meter: z.string().openapi({ example: 'main' }),
    quantity: z.string().openapi({ example: 'import_kWh' }),
    at: InstantSchema,
    value: z
      .number()
      .nullable()
      .optional()
      .openapi({ description: 'null: known to be missing; left out: the repair is lifted.' }),
  })
  .openapi('Repair');

const repair = apiRoute('analyst', {
  method: 'post',
  path: '/api/v1/data/repair',
  tags,
  summary: 'Set or lift values over readings',
  description:
    'A repair lies over the reading of that instant; no import overwrites it. Slots, costs and totals follow before the answer. Kept in the audit log.',
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.object({ reason: z.string().min(1).max(500), repairs: z.array(RepairSchema).min(1).max(1000) }),
        },
      },
    },
  },
  responses: {
    200: {
      description: 'Done.',
      content: {
        'application/json': { schema: z.object({ repaired: z.number().int(), repairs: z.array(z.uuid()) }) },
      },
    },
    404: { description: 'No such meter point.' },
  },
});

const changes = apiRoute('analyst', {
  method: 'get',
  path: '/api/v1/data/changes',
  tags,
  summary: 'Values that a later, different one replaced',
  request: { query: z.object({ meter: z.string(), quantity: z.string(), from: InstantSchema, to: InstantSchema }) },
  responses: {
    200: {
      description: 'Oldest first.',
      content: {
        'application/json': {
          schema: z.object({
            changes: z.array(
              z.object({ at: z.iso.datetime(), value: z.number(), replaced_by: z.number(), changed: z.iso.datetime() }),
            ),
          }),
        },
      },
    },
    404: { description: 'No such meter point.' },
  },
});

const reasonField = z.string().min(1).max(500).openapi({ example: 'meter was exchanged, value from the installer' });
const jsonBody = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { 'application/json': { schema } },
});
const idParam = z.object({ id: z.uuid() });
const faults = { 400: { description: 'Makes no sense for this quantity or these readings; says why.' } };
const unknown = { 404: { description: 'No such meter point or repair.' } };

const preview = apiRoute('analyst', {
  method: 'post',
  path: '/api/v1/data/repairs/preview',
  tags,
  summary: 'What a repair of a span would change',
  description: 'Readings, energy and cost before and after. Stores nothing.',
  request: { body: jsonBody(SpanSchema) },
  responses: {
    200: { description: 'Before and after.', content: { 'application/json': { schema: EffectSchema } } },
    ...faults,
    ...unknown,
  },
});
const apply = apiRoute('analyst', {
  method: 'post',
  path: '/api/v1/data/repairs',
  tags,
  summary: 'Repair a span of readings',
  description:
    'Sets a value, an energy that is spread as on other days, a straight line, or no value. The old values are kept; ' +
    'slots, totals and costs follow before the answer.',
  request: { body: jsonBody(SpanSchema.extend({ reason: reasonField })) },
  responses: {
    200: {
      description: 'Done.',
      content: { 'application/json': { schema: z.object({ id: z.uuid(), repaired: z.number().int() }) } },
    },
    ...faults,
    ...unknown,
  },
});
const list = apiRoute('analyst', {
  method: 'get',
  path: '/api/v1/data/repairs',
  tags,
  summary: 'Repairs: who, when, why',
  request: {
    query: z.object({
      meter: z.string().optional().openapi({ description: 'Left out: of all meter points.' }),
      limit: z.coerce.number().int().min(1).max(200).default(50),
    }),
  },
  responses: {
    200: {
      description: 'Newest first.',
      content: { 'application/json': { schema: z.object({ repairs: z.array(ActSchema) }) } },
    },
  },
});
const one = apiRoute('analyst', {
  method: 'get',
  path: '/api/v1/data/repairs/{id}',
  tags,
  summary: 'The old and new values of a repair',
  request: { params: idParam },
  responses: {
    200: {
      description: 'Oldest instant first.',
      content: { 'application/json': { schema: ActSchema.extend({ changes: z.array(ChangeSchema) }) } },
    },
    ...unknown,
  },
});
const turned = (act: 'undo' | 'redo', summary: string, description: string) =>
  apiRoute('analyst', {
    method: 'post',
    path: `/api/v1/data/repairs/{id}/${act}`,
    tags,
    summary,
    description,
    request: { params: idParam, body: jsonBody(z.object({ reason: reasonField })) },
    responses: {
      200: { description: 'Done.', content: { 'application/json': { schema: z.object({ id: z.uuid() }) } } },
      ...faults,
      ...unknown,
    },
  });
const undo = turned('undo', 'Take a repair back', 'As if it had never been made; what later repairs set stays.');
const redo = turned('redo', 'Bring a repair again that was taken back', 'Later repairs still lie over it.');

export function createCorrectionsApi(services: Pick<Services, 'repairs' | 'series' | 'meters'>) {
  const { repairs } = services;
  const app = createApiApp();
  app.openapi(preview, async (c) => {
    const { tenant } = actorOf(c);
    const effect = await repairs.preview(tenant, askedOf(c.req.valid('json')));
    const { at_ms, before, after, unit } = effect.slots;
    const slots = Array.from(at_ms, (at, i) => ({ at: iso(at), before: known(before[i]!), after: known(after[i]!) }));
    const changed = effect.changed.map(({ at_ms: at, ...values }) => ({ at: iso(at), ...values }));
    return c.json({ ...effect, notes: [...effect.notes], changed, slots: { unit, rows: slots } }, 200);
  });
  app.openapi(apply, async (c) => {
    const body = c.req.valid('json');
    const { id, count } = await repairs.apply(actorOf(c), askedOf(body), body.reason);
    return c.json({ id, repaired: count }, 200);
  });
  app.openapi(list, async (c) => {
    const { meter, limit } = c.req.valid('query');
    const acts = await repairs.list(actorOf(c).tenant, meter ?? null, { limit });
    return c.json({ repairs: acts.map(actOf) }, 200);
  });
  app.openapi(one, async (c) => {
    const { act, changes: rows } = await repairs.changes(actorOf(c).tenant, c.req.valid('param').id, 20_000);
    return c.json({ ...actOf(act), changes: rows.map(({ at_ms, ...row }) => ({ at: iso(at_ms), ...row })) }, 200);
  });
  app.openapi(undo, async (c) =>
    c.json(await repairs.undo(actorOf(c), c.req.valid('param').id, c.req.valid('json').reason), 200),
  );
  app.openapi(redo, async (c) =>
    c.json(await repairs.redo(actorOf(c), c.req.valid('param').id, c.req.valid('json').reason), 200),
  );
  app.openapi(repair, async (c) => {
    const { reason, repairs: asked } = c.req.valid('json');
    const values = asked.map(({ meter, quantity, at, value }) => ({ meter, quantity, at_ms: at, value }));
    const { ids } = await repairs.set(actorOf(c), reason, values);
    return c.json({ repaired: asked.length, repairs: ids }, 200);
  });
  app.openapi(changes, async (c) => {
    const { tenant } = actorOf(c);
    const { meter, quantity, from, to } = c.req.valid('query');
    requireSeries(services.meters, tenant, meter, quantity);
    const found = await services.series.readings.changes(tenant, { meter, quantity, from_ms: from, to_ms: to });
    const rows = found.map(({ at_ms, value, replaced_by, changed_ms }) => ({
      at: iso(at_ms),
      value,
      replaced_by,
      changed: iso(changed_ms),
    }));
    return c.json({ changes: rows }, 200);
  });
  return app;
}

const known = (value: number) => (Number.isNaN(value) ? null : value);

function askedOf({ meter, quantity, from, to, choice }: z.output<typeof SpanSchema>): RepairAsked {
  return { meter, quantity, from_ms: from, to_ms: to, choice };
}

function actOf({ from_ms, to_ms, at_ms, ...act }: RepairAct) {
  return { ...act, from: iso(from_ms), to: iso(to_ms), at: iso(at_ms) };
}
