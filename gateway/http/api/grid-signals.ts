/** Signals of the grid operator under §14a EnWG, what was drawn meanwhile, and where they come from. */
import { z } from '@hono/zod-openapi';
import { NotFoundError } from '../../../engine/errors.ts';
import type { GridSignal } from '../../services/grid-signals.ts';
import { signalsCsv } from '../../services/plans/evidence.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, InstantSchema, iso, json } from '../api.ts';

const tags = ['Grid signals'];
const YEAR_MS = 366 * 86_400_000;

const SignalSchema = z
  .object({
    id: z.string(),
    source: z.enum(['http', 'mqtt', 'modbus', 'person']),
    ...{ received_at: z.iso.datetime(), from: z.iso.datetime() },
    to: z.iso.datetime().nullable().openapi({ description: 'null: until it is taken back.' }),
    asked_W: z.number(),
    minimum_W: z
      .number()
      .openapi({ description: 'What the controllable devices may always draw together (BK6-22-300).' }),
    limit_W: z.number().openapi({ description: 'What is obeyed: never below the minimum.' }),
    devices: z.array(z.string()),
    obeyed_at: z.iso.datetime().nullable(),
    ended_at: z.iso.datetime().nullable(),
  })
  .openapi('GridSignal');
const list = apiRoute('user', {
  ...{ method: 'get', path: '/api/v1/grid-signals', tags, summary: 'Signals with what was drawn while they held' },
  request: {
    query: z.object({
      from: InstantSchema.optional().openapi({ description: 'A year ago where left out.' }),
      to: InstantSchema.optional(),
      format: z.enum(['json', 'csv']).default('json'),
    }),
  },
  responses: {
    200: {
      description: 'Newest first; as CSV one row for each minute, as evidence.',
      content: {
        ...json(
          z.object({
            minimum_W: z.number(),
            signals: z.array(
              SignalSchema.extend({
                draws: z.array(z.object({ at: z.iso.datetime(), drawn_W: z.number().nullable() })),
              }),
            ),
          }),
        ),
        'text/csv': { schema: z.string() },
      },
    },
  },
});
const send = apiRoute('analyst', {
  ...{
    method: 'post',
    path: '/api/v1/grid-signals',
    tags,
    summary: 'A signal of the grid operator: holds at once, in place of the one before',
  },
  request: {
    body: {
      required: true,
      content: json(
        z
          .strictObject({
            limit_W: z.number().min(0).max(1e9).openapi({ example: 4200 }),
            from: InstantSchema.optional(),
            to: InstantSchema.optional().openapi({ description: 'Left out: until it is taken back.' }),
          })
          .openapi('NewGridSignal'),
      ),
    },
  },
  responses: { 200: { description: 'What is obeyed.', content: json(SignalSchema) } },
});
const end = apiRoute('analyst', {
  ...{ method: 'delete', path: '/api/v1/grid-signals', tags, summary: 'Take back the signal that came by HTTP' },
  responses: { 204: { description: 'Taken back.' }, 404: { description: 'None held.' } },
});
const Inputs = z.looseObject({}).openapi('GridInputs', {
  description:
    'Where signals come from beside HTTP: `mqtt` (a device that publishes to meters/<device>/grid-limit) and `modbus` (a register).',
  example: { mqtt: { device: 'control-box' }, modbus: { device: 'relay', register: 0, mask: 1, limit_W: 0 } },
});
const inputs = apiRoute('admin', {
  ...{ method: 'get', path: '/api/v1/grid-signals/inputs', tags, summary: 'Where signals come from' },
  responses: { 200: { description: 'null: not used.', content: json(Inputs) } },
});
const saveInputs = apiRoute('admin', {
  ...{ method: 'put', path: '/api/v1/grid-signals/inputs', tags, summary: 'Say where signals come from' },
  request: { body: { required: true, content: json(Inputs) } },
  responses: { 200: { description: 'As stored.', content: json(Inputs) } },
});

export function createGridSignalsApi({ gridSignals, clock }: Services) {
  const app = createApiApp();
  app.openapi(list, async (c) => {
    const { tenant } = actorOf(c);
    const { from = clock.now() - YEAR_MS, to = clock.now() + YEAR_MS, format } = c.req.valid('query');
    const signals = await gridSignals.list(tenant, from, to);
    const drawn = await Promise.all(signals.map(({ id }) => gridSignals.draws(tenant, id)));
    if (format === 'csv') {
      const headers = {
        'content-type': 'text/csv; charset=utf-8',
        'content-disposition': 'attachment; filename="section-14a.csv"',
      };
      return new Response(signalsCsv(signals, drawn), { headers }) as never;
    }
    const { minimum_W } = await gridSignals.minimum_W(tenant);
    const shown = signals.map((signal, i) => ({
      ...signalOut(signal),
      draws: drawn[i]!.map(({ at_ms, drawn_W }) => ({ at: iso(at_ms), drawn_W })),
    }));
    return c.json({ minimum_W, signals: shown }, 200);
  });
  app.openapi(send, async (c) => {
    const { limit_W, from, to } = c.req.valid('json');
    const made = await gridSignals.signal(actorOf(c).tenant, { source: 'http', limit_W, from_ms: from, to_ms: to });
    return c.json(signalOut(made), 200);
  });
  app.openapi(end, async (c) => {
    if (!(await gridSignals.end(actorOf(c).tenant, 'http'))) throw new NotFoundError('No signal by HTTP holds.');
    return c.body(null, 204);
  });
  app.openapi(inputs, async (c) => c.json(await gridSignals.inputs(actorOf(c).tenant), 200));
  app.openapi(saveInputs, async (c) => c.json(await gridSignals.saveInputs(actorOf(c), c.req.valid('json')), 200));
  return app;
}

function signalOut({ received_ms, from_ms, to_ms, obeyed_ms, ended_ms, devices, ...rest }: GridSignal) {
  const orNull = (at_ms: number | null) => (at_ms === null ? null : iso(at_ms));
  return {
    ...{ ...rest, devices: [...devices], received_at: iso(received_ms), from: iso(from_ms) },
    ...{ to: orNull(to_ms), obeyed_at: orNull(obeyed_ms), ended_at: orNull(ended_ms) },
  };
}
