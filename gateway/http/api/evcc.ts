/**
 * evcc's optimizer on this box, in the shape that github.com/evcc-io/optimizer documents (openapi.yaml, MIT). The API key
 * stands in the address, for evcc sends an Authorization header of its own cloud: that one is neither checked nor kept.
 */
import { z } from '@hono/zod-openapi';
import type { EvccRequest, EvccResponse } from '../../../engine/dispatch/evcc-request.ts';
import { API_KEY } from '../../auth/keys.ts';
import type { Actor, Services } from '../../services.ts';
import { apiRoute, createApiApp, json, problem } from '../api.ts';

const tags = ['evcc'];
const KeyParam = z.object({
  key: z.string().openapi({ description: 'An API key of this box, made on the page Admin, Keys.', example: 'luna_…' }),
});
const MOST_STEPS = 2000;
const series = z.array(z.number()).max(MOST_STEPS);

const BatterySchema = z
  .looseObject({
    charge_from_grid: z.boolean().optional(),
    discharge_to_grid: z.boolean().optional(),
    s_capacity: z.number().optional(),
    ...{ s_min: z.number(), s_max: z.number(), s_initial: z.number() },
    ...{ c_min: z.number(), c_max: z.number(), d_max: z.number(), p_a: z.number() },
    ...{ p_demand: series.nullish(), s_goal: series.nullish(), c_priority: z.number().optional() },
  })
  .openapi('EvccBattery');
const RequestSchema = z
  .looseObject({
    strategy: z
      .looseObject({ charging_strategy: z.string().optional(), discharging_strategy: z.string().optional() })
      .optional(),
    grid: z
      .looseObject({
        p_max_imp: z.number().nullish(),
        p_max_exp: z.number().nullish(),
        prc_p_exc_imp: z.number().nullish(),
      })
      .optional(),
    batteries: z.array(BatterySchema).max(50),
    time_series: z.looseObject({ dt: series, gt: series, ft: series, p_N: series, p_E: series }),
    eta_c: z.number().optional(),
    eta_d: z.number().optional(),
  })
  .openapi('EvccRequest');
const ResponseSchema = z
  .looseObject({
    status: z.enum(['Optimal', 'Feasible', 'Infeasible', 'Not Solved']),
    objective_value: z.number().nullable(),
    limit_violations: z.object({ grid_import_limit_exceeded: z.boolean(), grid_export_limit_hit: z.boolean() }),
    batteries: z.array(z.object({ charging_power: series, discharging_power: series, state_of_charge: series })),
    ...{ grid_import: series, grid_export: series, flow_direction: series },
    ...{ grid_import_overshoot: series, grid_export_overshoot: series },
  })
  .openapi('EvccResponse');

const schedule = apiRoute(null, {
  method: 'post',
  path: '/evcc/{key}/optimize/charge-schedule',
  tags,
  summary: 'A charge schedule in the shape of evcc’s optimizer',
  description: 'Set `OPTIMIZER_URI=http://box:8080/evcc/<key>` in evcc; docs/guides/evcc.md says how.',
  request: { params: KeyParam, body: { required: true, content: json(RequestSchema) } },
  responses: { 200: { description: 'The schedule.', content: json(ResponseSchema) } },
});
const health = apiRoute(null, {
  method: 'get',
  path: '/evcc/{key}/optimize/health',
  tags,
  summary: 'Whether schedules can be asked for with this key',
  request: { params: KeyParam },
  responses: {
    200: { description: 'They can.', content: json(z.object({ status: z.string(), message: z.string() })) },
  },
});

const SCHEDULE_MS = 20_000;

export function createEvccApi({ access, workers }: Services) {
  const app = createApiApp();
  const holder = async (key: string): Promise<Actor | null> => (API_KEY.test(key) ? access.bearer(key) : null);
  const refused = 'The key in the address is none of this box. Make one on the page Admin, Keys.';
  // Before the request itself is looked at.
  app.use('/evcc/:key/*', async (c, next) => {
    const actor = await holder(c.req.param('key'));
    if (!actor) return problem(c, 401, refused);
    c.set('actor', actor);
    return next();
  });
  app.openapi(schedule, async (c) => {
    const request = c.req.valid('json') as EvccRequest;
    return c.json(await workers.run<EvccResponse>('evcc-schedule', request, { timeout_ms: SCHEDULE_MS }), 200);
  });
  app.openapi(health, (c) => c.json({ status: 'healthy', message: 'Luna iEMS answers charge schedules.' }, 200));
  return app;
}
