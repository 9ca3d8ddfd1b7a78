/** What was corrected: values that a person sets over readings, and values that a later reading replaced. */
import { z } from '@hono/zod-openapi';
import { applyRepairs, type RepairDeps, requireSeries } from '../../services/repairs.ts';
import { actorOf, apiRoute, createApiApp, InstantSchema, iso } from '../api.ts';

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
      content: { 'application/json': { schema: z.object({ repaired: z.number().int() }) } },
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

export function createCorrectionsApi(services: RepairDeps) {
  const app = createApiApp();
  app.openapi(repair, async (c) => {
    const { reason, repairs } = c.req.valid('json');
    const list = repairs.map(({ meter, quantity, at, value }) => ({ meter, quantity, at_ms: at, value }));
    await applyRepairs(services, actorOf(c), reason, list);
    return c.json({ repaired: repairs.length }, 200);
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
