/** Readings pushed over HTTP: `POST /api/v1/readings` (JSON) and `POST /api/v1/data/load` (CSV, JSON lines). */
import { rm } from 'node:fs/promises';
import { type RouteConfig, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { InvalidDataError, NotAllowedError } from '../../../engine/errors.ts';
import { decodePush, READINGS_MAX } from '../../../engine/quality/push.ts';
import type { LoadMapping, Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, type Env, problem, requireRole } from '../api.ts';
import { receiveForm, spool } from './uploads.ts';

const ReadingSchema = z
  .looseObject({
    meter: z
      .string()
      .optional()
      .openapi({ example: 'hall', description: 'Meter point; a device may leave out its own.' }),
    at: z
      .union([z.string(), z.number()])
      .optional()
      .openapi({ example: '2026-03-29T01:00:00Z', description: 'ISO 8601 with zone, or epoch ms; left out = now.' }),
    from: z.union([z.string(), z.number()]).optional().openapi({ description: 'Start, for interval quantities.' }),
    to: z.union([z.string(), z.number()]).optional().openapi({ description: 'End, for interval quantities.' }),
  })
  .openapi('PushedReading', {
    description: 'Quantities by name beside these, e.g. `power_W`, `import_kWh`, `import_interval_kWh`.',
    example: { meter: 'hall', at: '2026-03-29T01:00:00Z', power_W: 1240.5, import_kWh: 20431.7 },
  });
const PushSchema = z.union([
  ReadingSchema,
  z.array(ReadingSchema).max(READINGS_MAX),
  z.object({ readings: z.array(ReadingSchema).max(READINGS_MAX) }),
]);
const OutcomeSchema = z
  .object({
    accepted: z.number().int().openapi({ example: 2 }),
    flagged: z.number().int().openapi({ example: 0, description: 'Kept with a mark: out of range, or clock ahead.' }),
    rejected: z.array(z.object({ index: z.number().int(), problem: z.string() })),
  })
  .openapi('PushOutcome');

/** 10,000 objects of some quantities; more is a file. */
const PUSH_MAX_BYTES = 4 * 1024 * 1024;

const pushRoute: RouteConfig = {
  ...apiRoute(null, {
    method: 'post',
    path: '/api/v1/readings',
    tags: ['Data'],
    summary: 'Push readings',
    description:
      'Answers after the readings are on disk. Needs an API key (analyst or admin) or, with HTTP Basic, the user name ' +
      'and password of a device for its own meter points. When nothing can be kept the answer is 400.',
    request: { body: { required: true, content: { 'application/json': { schema: PushSchema } } } },
    responses: {
      200: { description: 'What was kept and what not.', content: { 'application/json': { schema: OutcomeSchema } } },
      413: { description: 'More than 4 MB; send files to /api/v1/data/load.' },
    },
  }),
  security: [{ bearer: ['analyst'] }, { device: [] }],
};

const ReportSchema = z
  .object({
    id: z.string(),
    lines: z.number().int().openapi({ description: 'Lines with data.' }),
    accepted: z.number().int(),
    flagged: z.number().int(),
    rejected: z.number().int(),
    faults: z
      .array(z.object({ line: z.number().int(), problem: z.string() }))
      .openapi({ description: 'The first 1,000, by line of the file.' }),
    unchanged: z.boolean().openapi({ description: 'The same file was loaded before; nothing was done.' }),
  })
  .openapi('LoadReport');
const MappingSchema = z
  .strictObject({
    at: z.string(),
    meter: z.string().nullable().default(null),
    meter_id: z.string().optional(),
    time_zone: z.string().optional(),
    columns: z.record(z.string(), z.string()),
    decimal_comma: z.boolean().optional(),
    from: z.string().optional(),
    interval_min: z.number().positive().optional(),
    interval_stamp: z.enum(['start', 'end']).optional(),
    create_meters: z.boolean().optional(),
  })
  .openapi('LoadMapping', {
    example: { at: 'Zeit', meter: null, meter_id: 'hall', columns: { 'Leistung [kW]': 'power_W' } },
  });

const fileContent = { schema: z.string().openapi({ format: 'binary' }) };
const loadRoute = apiRoute('analyst', {
  method: 'post',
  path: '/api/v1/data/load',
  tags: ['Data'],
  summary: 'Load a file of readings',
  description:
    'CSV with columns at,meter,<quantity>… or a mapping; JSON lines. As multipart field `file` (and `mapping` as JSON) ' +
    'or as the body itself with the mapping in the query. The same file twice changes nothing.',
  request: {
    query: z.object({
      name: z.string().max(255).optional().openapi({ example: 'january.csv' }),
      mapping: z.string().optional().openapi({ description: 'LoadMapping as JSON, where the columns do not say it.' }),
    }),
    body: {
      required: true,
      content: {
        'text/csv': fileContent,
        'application/x-ndjson': fileContent,
        'multipart/form-data': { schema: z.looseObject({}) },
      },
    },
  },
  responses: {
    200: {
      description: 'What was accepted, flagged and rejected, with line numbers.',
      content: { 'application/json': { schema: ReportSchema } },
    },
    413: { description: 'The file is larger than upload_max_bytes.' },
  },
});

type Deps = Pick<Services, 'intake' | 'devices' | 'clock' | 'loads' | 'config'>;

export function createReadingsApi(services: Deps) {
  const { intake, clock, loads, config } = services;
  const app = createApiApp();
  app.use(
    '/api/v1/readings',
    limited(PUSH_MAX_BYTES, 'Send the readings in parts, or as a file to /api/v1/data/load.'),
  );
  app.post('/api/v1/readings', async (c) => {
    const sender = await senderOf(services, c);
    if (!sender) return unknownSender(c);
    const now_ms = clock.now();
    const pushed = decodePush(await jsonOf(c), { meter: sender.meter, arrival_ms: now_ms });
    const { tenant, device } = sender;
    const group = { tenant, source: 'http', device, received_ms: now_ms, readings: pushed.readings };
    const outcome = await intake(group);
    const rejected = [
      ...pushed.rejected,
      ...outcome.rejected.map(({ index, problem: why }) => ({ index: pushed.places[index]!, problem: why })),
    ].sort((a, b) => a.index - b.index);
    const { accepted, flagged } = outcome;
    if (accepted + flagged > 0) return c.json({ accepted, flagged, rejected });
    const faults = rejected.map(({ index, problem: why }) => ({ where: `readings[${index}]`, problem: why }));
    return problem(c, 400, `No reading was kept: ${rejected[0]?.problem ?? 'there was none.'}`, faults);
  });
  app.openAPIRegistry.registerPath(pushRoute);
  app.use('/api/v1/data/load', limited(config.upload_max_bytes, 'Split the file, or raise upload_max_bytes.'));
  app.openAPIRegistry.registerPath(loadRoute);
  app.post('/api/v1/data/load', requireRole('analyst'), async (c) => c.json(await loadBody(c, loads, config)));
  return app;
}

type Sender = { tenant: string; device: string | null; meter: string | null };

/** An API key or session of an analyst or admin, or a device with its own credential. */
async function senderOf({ devices }: Pick<Deps, 'devices'>, c: Context<Env>): Promise<Sender | null> {
  const actor = c.get('actor');
  if (actor) {
    if (actor.role === 'user')
      throw new NotAllowedError('This needs the role analyst.', 'Ask an admin of the box for such a key.');
    return { tenant: actor.tenant, device: null, meter: null };
  }
  const basic = /^Basic +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
  if (basic === undefined) return null;
  const [username = '', ...password] = Buffer.from(basic, 'base64').toString('utf8').split(':');
  const who = await devices.authenticate(username, password.join(':'));
  return who && { ...who, meter: who.device };
}

function unknownSender(c: Context<Env>): Response {
  const text = "Send an API key as `Authorization: Bearer …`, or a device's user name and password with HTTP Basic.";
  return problem(c, 401, text);
}

function limited(maxSize: number, remedy: string) {
  const onError = (c: Context) =>
    problem(c as Context<Env>, 413, `The body is larger than ${Math.round(maxSize / 1e6)} MB. ${remedy}`);
  return bodyLimit({ maxSize, onError });
}

async function jsonOf(c: Context<Env>): Promise<unknown> {
  try {
    return JSON.parse(await c.req.text());
  } catch (cause) {
    throw new InvalidDataError(`The body is no JSON: ${(cause as Error).message}`, 'Send an object or an array.');
  }
}

async function loadBody(c: Context<Env>, loads: Deps['loads'], { home }: Deps['config']) {
  const actor = actorOf(c);
  if (/^multipart\/form-data\b/i.test(c.req.header('content-type') ?? '')) {
    const { fields, file, discard } = await receiveForm(c, home);
    try {
      return await loads.load(actor, file, mappingOf(fields.mapping ?? c.req.query('mapping')));
    } finally {
      await discard();
    }
  }
  const mapping = mappingOf(c.req.query('mapping'));
  const path = await spool(c.req.raw.body, home);
  try {
    return await loads.load(actor, { name: c.req.query('name') ?? 'upload', path }, mapping);
  } finally {
    await rm(path, { force: true });
  }
}

function mappingOf(text: unknown): LoadMapping | undefined {
  if (text === undefined || text === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(String(text));
  } catch {
    throw new InvalidDataError(
      '`mapping` is no JSON.',
      'Give e.g. {"at":"Zeit","meter_id":"hall","columns":{"kW":"power_W"}}.',
    );
  }
  const parsed = MappingSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => ({
    where: `mapping.${issue.path.join('.')}`,
    problem: issue.message,
  }));
  throw new InvalidDataError('`mapping` has faults.', 'The reference page shows its fields.', faults);
}
