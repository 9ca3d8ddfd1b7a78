/** The plan of the site: what the box would do and why; its devices; what people set by hand; what if. */
import { z } from '@hono/zod-openapi';
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import { planCalendar } from '../../services/plans/calendar.ts';
import type { PlanBody, StoredPlan } from '../../services/plans/stored.ts';
import type { PlanChange } from '../../services/plans.ts';
import { tariffExamples } from '../../services/tariff-examples.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, InstantSchema, iso, json } from '../api.ts';

const tags = ['Plan'];

const DeviceSlotSchema = z.object({
  id: z.string(),
  power_W: z.number().openapi({ description: '+ discharges, − charges or draws.' }),
  energy_kWh: z.number().openapi({ description: 'Stored at the end of the slot.' }),
  reason: z.string().nullable().openapi({ example: 'charges-cheap-before' }),
  reason_at: z.iso.datetime().nullable().openapi({ description: 'What the reason speaks of, such as the departure.' }),
});
const SlotSchema = z.object({
  at: z.iso.datetime(),
  import_per_kWh: z.number(),
  export_per_kWh: z.number(),
  load_W: z.number(),
  generation_W: z.number(),
  grid_W: z.number().openapi({ description: '+ is import.' }),
  unplanned_W: z.number().openapi({ description: 'At the grid without any plan.' }),
  curtailed_W: z.number(),
  marginal_per_kWh: z.number().openapi({ description: 'What one more kWh in this slot would cost, all considered.' }),
  devices: z.array(DeviceSlotSchema),
});
const CostSchema = z.object({
  ...{ import: z.number(), export: z.number(), demand: z.number(), wear: z.number() },
  stored: z.number().openapi({ description: 'Value of what is stored at the end.' }),
  total: z.number(),
});
const PlanSchema = z
  .object({
    id: z.string().nullable().openapi({ description: 'null: a plan under other circumstances, not kept.' }),
    made_at: z.iso.datetime().nullable(),
    cause: z.string().nullable().openapi({ example: 'schedule' }),
    currency: z.string(),
    devices: z.array(
      z.object({ id: z.string(), name: z.string(), kind: z.string(), capacity_kWh: z.number().nullable() }),
    ),
    slots: z.array(SlotSchema),
    cost: CostSchema,
    baselines: z.array(z.object({ name: z.string(), cost: CostSchema })).openapi({
      description: 'What it would cost without a plan, batteries at rest (none) or by a simple rule.',
    }),
    saving: z.object({ none: z.number(), rule: z.number(), best_rule: z.string() }),
    gave_way: z
      .array(
        z.object({
          ...{ limit: z.string(), id: z.string(), from: z.iso.datetime(), to: z.iso.datetime() },
          ...{ energy_kWh: z.number(), power_W: z.number() },
        }),
      )
      .openapi({ description: 'Limits that could not be kept, by how much and when; empty where all hold.' }),
    proof: z.object({
      method: z.string(),
      bound: z.number(),
      objective: z.number(),
      gap: z.number(),
      iterations: z.number(),
    }),
    assumptions: z
      .array(z.record(z.string(), z.unknown()))
      .openapi({ description: 'What was taken for lack of better.' }),
    problem: z.string().nullable().openapi({ description: 'Why the last attempt gave no newer plan.' }),
  })
  .openapi('Plan');

const read = apiRoute('user', {
  ...{
    method: 'get',
    path: '/api/v1/plan',
    tags,
    summary: 'The newest plan, with a reason for each device in each slot',
  },
  responses: {
    200: { description: 'The plan.', content: json(PlanSchema) },
    404: { description: 'No plan yet; `detail` says why.' },
  },
});
const calendar = apiRoute('user', {
  ...{ method: 'get', path: '/api/v1/plan.ics', tags, summary: 'The newest plan as a calendar (RFC 5545)' },
  responses: {
    200: {
      description: 'One event for each stretch in which a device runs.',
      content: { 'text/calendar': { schema: z.string() } },
    },
  },
});
const refresh = apiRoute('analyst', {
  ...{ method: 'post', path: '/api/v1/plan/refresh', tags, summary: 'Make a plan now' },
  responses: { 200: { description: 'The new plan.', content: json(PlanSchema) } },
});
const ChangeSchema = z
  .strictObject({
    battery_kWh: z
      .number()
      .min(0)
      .max(1e6)
      .optional()
      .openapi({ description: 'All batteries together; power in proportion.' }),
    tariff: z
      .string()
      .min(1)
      .max(200_000)
      .optional()
      .openapi({ description: 'YAML of a tariff, or the id of an example.', example: 'de-commercial' }),
  })
  .openapi('PlanChange');
const whatIf = apiRoute('user', {
  ...{
    method: 'post',
    path: '/api/v1/plan/what-if',
    tags,
    summary: 'What the plan would be with another battery or tariff; nothing is kept',
  },
  request: { body: { required: true, content: json(ChangeSchema) } },
  responses: { 200: { description: 'The plan under these circumstances.', content: json(PlanSchema) } },
});

const AnyDevice = z
  .looseObject({ kind: z.enum(['battery', 'vehicle', 'heat-pump', 'load']), id: z.string(), name: z.string() })
  .openapi('PlanDevice', {
    description: 'As docs/guides/plans.md describes it; every fault is named.',
    example: {
      ...{ kind: 'battery', id: 'battery', name: 'Battery', capacity_kWh: 20, charge_W: 10000, discharge_W: 10000 },
      soc_meter: 'battery',
    },
  });
const devices = apiRoute('user', {
  ...{ method: 'get', path: '/api/v1/plan/devices', tags, summary: 'What a plan may move' },
  responses: {
    200: {
      description: 'Batteries, cars, heat pumps and loads.',
      content: json(z.object({ devices: z.array(AnyDevice) })),
    },
  },
});
const saveDevice = apiRoute('admin', {
  ...{ method: 'put', path: '/api/v1/plan/devices/{id}', tags, summary: 'Add or change a device of the plan' },
  request: {
    params: z.object({ id: z.string() }),
    body: { required: true, content: json(z.looseObject({ kind: z.string(), name: z.string() })) },
  },
  responses: { 200: { description: 'As stored.', content: json(AnyDevice) } },
});
const removeDevice = apiRoute('admin', {
  ...{ method: 'delete', path: '/api/v1/plan/devices/{id}', tags, summary: 'Take a device out of the plan' },
  request: { params: z.object({ id: z.string() }) },
  responses: { 204: { description: 'Removed.' }, 404: { description: 'No such device.' } },
});
const Settings = z.looseObject({}).openapi('PlanSettings', {
  description: 'Horizon, how forecasts are weighed, limits of the connection, prices of limits that give way.',
  example: { horizon_h: 48, weigh: 'expected', curtailable: false, import_limit_W: 80000 },
});
const settings = apiRoute('user', {
  ...{ method: 'get', path: '/api/v1/plan/settings', tags, summary: 'How plans are made' },
  responses: { 200: { description: 'The settings.', content: json(Settings) } },
});
const saveSettings = apiRoute('admin', {
  ...{ method: 'put', path: '/api/v1/plan/settings', tags, summary: 'Change how plans are made' },
  request: { body: { required: true, content: json(Settings) } },
  responses: { 200: { description: 'As stored.', content: json(Settings) } },
});

const OverrideSchema = z
  .strictObject({
    device: z.string().min(1).openapi({ example: 'battery' }),
    from: InstantSchema,
    to: InstantSchema,
    power_W: z.number().min(-1e8).max(1e8).openapi({ description: '+ discharges, − charges or draws, 0 stops.' }),
  })
  .openapi('PlanOverride');
const StoredOverrideSchema = z.object({
  ...{ id: z.string(), device: z.string(), from: z.iso.datetime(), to: z.iso.datetime(), power_W: z.number() },
  ...{ cost: z.number().nullable(), by: z.string() },
});
const overrides = apiRoute('user', {
  ...{ method: 'get', path: '/api/v1/plan/overrides', tags, summary: 'What people set by hand and is not over' },
  responses: {
    200: { description: 'In order of time.', content: json(z.object({ overrides: z.array(StoredOverrideSchema) })) },
  },
});
const overrideCost = apiRoute('analyst', {
  ...{
    method: 'post',
    path: '/api/v1/plan/overrides/cost',
    tags,
    summary: 'What setting a device by hand would cost; nothing is set',
  },
  request: { body: { required: true, content: json(OverrideSchema) } },
  responses: {
    200: {
      description: 'More than the plan; negative is less.',
      content: json(z.object({ cost: z.number(), currency: z.string() })),
    },
  },
});
const override = apiRoute('analyst', {
  ...{
    method: 'post',
    path: '/api/v1/plan/overrides',
    tags,
    summary: 'Set a device by hand for a time; the plan is made around it',
  },
  request: { body: { required: true, content: json(OverrideSchema) } },
  responses: { 200: { description: 'As set, with its cost.', content: json(StoredOverrideSchema) } },
});
const lift = apiRoute('analyst', {
  ...{ method: 'delete', path: '/api/v1/plan/overrides/{id}', tags, summary: 'Let the plan have the device again' },
  request: { params: z.object({ id: z.string() }) },
  responses: { 204: { description: 'Lifted.' }, 404: { description: 'No such override.' } },
});
const SetpointSchema = z.object({
  ...{
    device: z.string(),
    way: z.enum(['mqtt', 'modbus']),
    power_W: z.number(),
    because: z.enum(['plan', 'signal', 'safe']),
  },
  ...{ sent_at: z.iso.datetime().nullable(), valid_until: z.iso.datetime(), fault: z.string().nullable() },
});
const setpoints = apiRoute('user', {
  ...{
    method: 'get',
    path: '/api/v1/plan/setpoints',
    tags,
    summary: 'What was last sent to devices whose writing is switched on',
  },
  responses: {
    200: { description: 'One for each such device.', content: json(z.object({ setpoints: z.array(SetpointSchema) })) },
  },
});

export function createPlanApi({ plans, setpoints: sent, site, tariffs, clock }: Services) {
  const app = createApiApp();
  async function newest(tenant: string): Promise<StoredPlan> {
    const plan = await plans.latest(tenant);
    if (plan) return plan;
    const problem = plans.problem(tenant);
    throw new NotFoundError(
      problem?.message ?? 'No plan was made yet.',
      problem?.remedy ?? 'One is made every quarter of an hour.',
    );
  }
  app.openapi(read, async (c) => {
    const { tenant } = actorOf(c);
    return c.json(planOut(await newest(tenant), plans.problem(tenant)?.message ?? null), 200);
  });
  app.openapi(calendar, async (c) => {
    const { tenant, language } = actorOf(c);
    const text = planCalendar(await newest(tenant), {
      language,
      name: site.get(tenant)?.name ?? 'Luna',
      now_ms: clock.now(),
    });
    return new Response(text, { headers: { 'content-type': 'text/calendar; charset=utf-8' } }) as never;
  });
  app.openapi(refresh, async (c) => c.json(planOut(await plans.refresh(actorOf(c).tenant, 'person'), null), 200));
  app.openapi(whatIf, async (c) => {
    const { battery_kWh, tariff } = c.req.valid('json');
    const change: PlanChange = {
      ...(battery_kWh === undefined ? {} : { battery_kWh }),
      ...(tariff === undefined ? {} : { tariff: tariffNamed(tariffs, tariff) }),
    };
    return c.json(planOut(await plans.whatIf(actorOf(c).tenant, change), null), 200);
  });
  app.openapi(devices, async (c) => c.json({ devices: await plans.devices(actorOf(c).tenant) }, 200));
  app.openapi(saveDevice, async (c) => {
    const device = { ...c.req.valid('json'), id: c.req.valid('param').id };
    return c.json(await plans.saveDevice(actorOf(c), device), 200);
  });
  app.openapi(removeDevice, async (c) => {
    await plans.removeDevice(actorOf(c), c.req.valid('param').id);
    return c.body(null, 204);
  });
  app.openapi(settings, async (c) => c.json(await plans.settings(actorOf(c).tenant), 200));
  app.openapi(saveSettings, async (c) => c.json(await plans.saveSettings(actorOf(c), c.req.valid('json')), 200));
  app.openapi(overrides, async (c) =>
    c.json({ overrides: (await plans.overrides(actorOf(c).tenant)).map(overrideOut) }, 200),
  );
  app.openapi(overrideCost, async (c) => {
    const { from, to, ...rest } = c.req.valid('json');
    return c.json(await plans.overrideCost(actorOf(c).tenant, { ...rest, from_ms: from, to_ms: to }), 200);
  });
  app.openapi(override, async (c) => {
    const { from, to, ...rest } = c.req.valid('json');
    return c.json(overrideOut(await plans.override(actorOf(c), { ...rest, from_ms: from, to_ms: to })), 200);
  });
  app.openapi(lift, async (c) => {
    await plans.liftOverride(actorOf(c), c.req.valid('param').id);
    return c.body(null, 204);
  });
  app.openapi(setpoints, (c) =>
    c.json(
      {
        setpoints: sent.state(actorOf(c).tenant).map(({ sent_ms, valid_until_ms, name: _name, ...one }) => ({
          ...{ ...one, sent_at: sent_ms === null ? null : iso(sent_ms), valid_until: iso(valid_until_ms) },
        })),
      },
      200,
    ),
  );
  return app;
}

/** @throws InvalidDataError with the faults of a tariff that cannot be read */
export function tariffNamed(tariffs: Pick<Services['tariffs'], 'read'>, text: string) {
  const yaml = tariffExamples().find(({ id }) => id === text)?.yaml ?? text;
  const { tariff, faults } = tariffs.read(yaml);
  if (!tariff)
    throw new InvalidDataError('The tariff cannot be read.', 'POST /api/v1/tariff/check names its faults.', faults);
  return tariff;
}

function overrideOut({ from_ms, to_ms, ...rest }: Awaited<ReturnType<Services['plans']['override']>>) {
  return { ...rest, from: iso(from_ms), to: iso(to_ms) };
}

function planOut(plan: PlanBody & Partial<Pick<StoredPlan, 'id' | 'made_ms' | 'cause'>>, problem: string | null) {
  const at = (t: number) => iso(plan.from_ms + t * plan.slot_min * 60_000);
  return {
    ...{
      id: plan.id ?? null,
      made_at: plan.made_ms === undefined ? null : iso(plan.made_ms),
      cause: plan.cause ?? null,
    },
    ...{
      currency: plan.currency,
      cost: plan.cost,
      baselines: plan.baselines,
      saving: plan.saving,
      proof: plan.proof,
      problem,
    },
    devices: plan.devices.map(({ id, name, kind, capacity_kWh }) => ({ id, name, kind, capacity_kWh })),
    slots: plan.grid_W.map((grid_W, t) => ({
      ...{ at: at(t), grid_W, import_per_kWh: plan.import_price[t]!, export_per_kWh: plan.export_price[t]! },
      ...{ load_W: plan.load_W[t]!, generation_W: plan.generation_W[t]!, unplanned_W: plan.unplanned_W[t]! },
      ...{ curtailed_W: plan.curtailed_W[t]!, marginal_per_kWh: plan.marginal_per_kWh[t]! },
      devices: plan.devices.map(({ id, power_W, energy_kWh, reasons }) => ({
        ...{ id, power_W: power_W[t]!, energy_kWh: energy_kWh[t]!, reason: reasons[t]?.code ?? null },
        reason_at: reasons[t]?.at_ms == null ? null : iso(reasons[t].at_ms),
      })),
    })),
    gave_way: plan.gave_way.map(({ from_ms, to_ms, ...one }) => ({ ...one, from: iso(from_ms), to: iso(to_ms) })),
    assumptions: plan.assumptions.map((one) => ({ ...one })),
  };
}
