/** What months saved, on what was measured; and what a battery would have done in them. */
import { z } from '@hono/zod-openapi';
import type { StoredSimulation } from '../../services/simulations.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, iso, json } from '../api.ts';

const tags = ['Savings'];
const MonthParam = z.object({
  month: z
    .string()
    .regex(/^\d{4}-\d{2}$/)
    .openapi({ example: '2026-04' }),
});
const SavingsSchema = z
  .object({
    ...{ month: z.string(), currency: z.string(), computed_at: z.iso.datetime() },
    actual: z.number().openapi({ description: 'The bill as it was.' }),
    without: z.number().openapi({ description: 'The bill with batteries at rest and the other devices as they come.' }),
    saving: z.number(),
    parts: z
      .array(
        z.object({
          ...{ device: z.string(), name: z.string(), kind: z.string(), amount: z.number() },
          lines: z.array(z.object({ kind: z.string(), name: z.string(), amount: z.number() })),
        }),
      )
      .openapi({ description: 'They add up to `saving` to the cent, and their lines to them.' }),
    ...{ complete: z.boolean(), missing_slots: z.number().int(), unproved: z.array(z.string()) },
    control: z
      .object({ plan: z.number(), shuffled: z.number() })
      .nullable()
      .openapi({ description: 'The month planned again with its forecasts, and with forecasts at the wrong times.' }),
  })
  .openapi('MonthSavings');
const month = apiRoute('user', {
  ...{ method: 'get', path: '/api/v1/savings/{month}', tags, summary: 'What a month saved, on what was measured' },
  request: { params: MonthParam },
  responses: { 200: { description: 'Parts add up exactly.', content: json(SavingsSchema) } },
});
const AskedSchema = z
  .looseObject({ from: z.string(), to: z.string(), capacity_kWh: z.number(), power_kW: z.number() })
  .openapi('SimulationRequest', {
    example: { from: '2026-01', to: '2026-06', capacity_kWh: 50, power_kW: 25, efficiency: 0.95 },
  });
const SimulationSchema = z
  .object({
    ...{ id: z.string(), asked: z.record(z.string(), z.unknown()), by: z.string(), at: z.iso.datetime() },
    state: z.enum(['waiting', 'running', 'done', 'failed']),
    ...{ done: z.number().int(), total: z.number().int(), problem: z.string().nullable() },
    result: z.record(z.string(), z.unknown()).nullable().openapi({
      description: 'By policy: bill, saving with its 95 % interval, capture, cycles, peak.',
    }),
  })
  .openapi('Simulation');
const begin = apiRoute('analyst', {
  ...{
    method: 'post',
    path: '/api/v1/simulations',
    tags,
    summary: 'Begin a simulation of past months; it runs as a job',
  },
  request: { body: { required: true, content: json(AskedSchema) } },
  responses: { 202: { description: 'Begun; ask for it by its id.', content: json(z.object({ id: z.string() })) } },
});
const list = apiRoute('user', {
  ...{ method: 'get', path: '/api/v1/simulations', tags, summary: 'Simulations, newest first' },
  responses: { 200: { description: 'Up to 50.', content: json(z.object({ simulations: z.array(SimulationSchema) })) } },
});
const read = apiRoute('user', {
  ...{
    method: 'get',
    path: '/api/v1/simulations/{id}',
    tags,
    summary: 'A simulation: how far it is, or what it found',
  },
  request: { params: z.object({ id: z.string() }) },
  responses: {
    200: { description: 'The simulation.', content: json(SimulationSchema) },
    404: { description: 'None has this id.' },
  },
});

export function createSavingsApi({ savings, simulations }: Services) {
  const app = createApiApp();
  app.openapi(month, async (c) => {
    const { computed_ms, ...rest } = await savings.month(actorOf(c).tenant, c.req.valid('param').month);
    return c.json({ ...rest, computed_at: iso(computed_ms) }, 200);
  });
  app.openapi(begin, async (c) => c.json({ id: await simulations.begin(actorOf(c), c.req.valid('json')) }, 202));
  app.openapi(list, async (c) => c.json({ simulations: (await simulations.list(actorOf(c).tenant)).map(out) }, 200));
  app.openapi(read, async (c) => c.json(out(await simulations.get(actorOf(c).tenant, c.req.valid('param').id)), 200));
  return app;
}

function out({ at_ms, result, asked, ...rest }: StoredSimulation) {
  return { ...rest, at: iso(at_ms), asked: { ...asked }, result: result && { ...result } };
}
