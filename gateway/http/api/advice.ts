/** How the advice does: its settings, its performance, the policy that decides, and the log for analysts. */
import { z } from '@hono/zod-openapi';
import { stream } from 'hono/streaming';
import { parquetOf } from '../../../connectors/series/duckdb/parquet.ts';
import { InvalidDataError } from '../../../engine/errors.ts';
import { LOG_COLUMNS, type LogRow } from '../../services/advice/log-rows.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, InstantSchema, iso } from '../api.ts';

const tags = ['Advice'];
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;
const TimeSchema = z.string().regex(TIME, { error: 'is no time such as 22:00' });
const SettingsSchema = z
  .object({
    per_day: z.number().int().min(0).max(50).openapi({ description: 'New pieces of advice a local day.', example: 6 }),
    quiet: z
      .object({ from: TimeSchema, to: TimeSchema })
      .nullable()
      .openapi({ description: 'Local times between which nothing new is advised; null: at any time.' }),
    demand_charge_per_kW: z
      .number()
      .min(0)
      .nullable()
      .openapi({ description: "What a kW more in the month's peak costs, in the site's currency." }),
  })
  .openapi('AdviceSettings');
const readSettings = apiRoute('user', {
  method: 'get',
  path: '/api/v1/recommend/settings',
  tags,
  summary: 'How much advice the site wants, and when',
  responses: { 200: { description: 'The settings.', content: { 'application/json': { schema: SettingsSchema } } } },
});
const writeSettings = apiRoute('admin', {
  method: 'put',
  path: '/api/v1/recommend/settings',
  tags,
  summary: 'Changes how much advice the site wants, and when',
  request: { body: { required: true, content: { 'application/json': { schema: SettingsSchema } } } },
  responses: { 204: { description: 'Saved; the audit log has it.' } },
});

const amountSchema = z
  .object({
    amount: z.number(),
    low: z.number().nullable().openapi({ description: '90 % interval, by the errors of the forecast it is against.' }),
    high: z.number().nullable().openapi({ description: 'null: not known.' }),
  })
  .nullable()
  .openapi('RealisedSaving');
const WeekSchema = z.object({
  from: z.iso.datetime(),
  shown: z.number().int(),
  accepted: z.number().int(),
  dismissed: z.number().int(),
  realised: amountSchema,
  regret: z.number().nullable().openapi({ description: 'Reward that the best choice would have earned beyond, mean.' }),
});
const performance = apiRoute('user', {
  method: 'get',
  path: '/api/v1/recommend/performance',
  tags,
  summary: 'Acceptance, realised savings and regret over the last twelve weeks',
  responses: {
    200: {
      description: 'Week by week.',
      content: {
        'application/json': {
          schema: z
            .object({
              currency: z.string().nullable(),
              realised: amountSchema,
              waiting: z.number().int().openapi({ description: 'Accepted ones whose effect is still to come.' }),
              kinds: z.array(z.object({ kind: z.string(), accepted: z.number().int(), answered: z.number().int() })),
              weeks: z.array(WeekSchema),
            })
            .openapi('AdvicePerformance'),
        },
      },
    },
  },
});

const policy = apiRoute('analyst', {
  method: 'get',
  path: '/api/v1/recommend/policy',
  tags,
  summary: 'The policy that decides, and how its challengers would have done',
  description:
    'Judged every night on the log by IPS, SNIPS, the direct method, DR and switch-DR. A challenger goes live only where its lead over the champion is above 0 with 95 %.',
  responses: {
    200: {
      description: 'Null where too little was answered to judge.',
      content: { 'application/json': { schema: z.record(z.string(), z.unknown()) } },
    },
  },
});

const LogQuery = z.object({
  format: z.enum(['jsonl', 'parquet']).default('jsonl'),
  from: InstantSchema.optional(),
  to: InstantSchema.optional(),
  silent: z
    .enum(['true', 'false'])
    .default('false')
    .openapi({ description: 'Also what nobody answered, with `click` null.' }),
});
const log = apiRoute('analyst', {
  method: 'get',
  path: '/api/v1/recommend/log',
  tags,
  summary: 'The log of decisions as the Open Bandit Pipeline reads it',
  description:
    'timestamp, item_id (a kind of advice), position (from 1), click (the reward, 0 … 1), propensity_score, user_feature_0 …; then kind, action, policy, seed and the delay of the reward.',
  request: { query: LogQuery },
  responses: {
    200: {
      description: 'One row a place of each slate, oldest first.',
      content: {
        'application/x-ndjson': { schema: z.string() },
        'application/vnd.apache.parquet': { schema: z.string().openapi({ format: 'binary' }) },
      },
    },
  },
});

export function createAdviceApi({ advice, clock }: Pick<Services, 'advice' | 'clock'>) {
  const app = createApiApp();
  app.openapi(readSettings, async (c) => {
    const { quiet, ...settings } = await advice.settings(actorOf(c).tenant);
    const hours = quiet && { from: timeOf(quiet.from_min), to: timeOf(quiet.to_min) };
    return c.json({ ...settings, quiet: hours }, 200);
  });
  app.openapi(writeSettings, async (c) => {
    const { quiet, ...settings } = c.req.valid('json');
    const hours = quiet && { from_min: minuteOf(quiet.from), to_min: minuteOf(quiet.to) };
    await advice.saveSettings(actorOf(c), { ...settings, quiet: hours });
    return c.body(null, 204);
  });
  app.openapi(performance, async (c) => {
    const { weeks, ...all } = await advice.performance(actorOf(c).tenant);
    return c.json({ ...all, weeks: weeks.map(({ from_ms, ...week }) => ({ from: iso(from_ms), ...week })) }, 200);
  });
  app.openapi(policy, async (c) => c.json({ ...(await advice.policy(actorOf(c).tenant)) }, 200));
  app.openapi(log, async (c) => {
    const { format, from: from_ms = 0, to: to_ms = clock.now() + 1, silent } = c.req.valid('query');
    if (from_ms >= to_ms) throw new InvalidDataError('The range is empty.', 'Give a `from` before `to`.');
    const rows = advice.log(actorOf(c).tenant, { from_ms, to_ms, silent: silent === 'true' });
    if (format === 'parquet') {
      const bytes = await parquetOf(LOG_COLUMNS, inColumns(rows));
      return new Response(bytes, { headers: fileHeaders('application/vnd.apache.parquet', 'parquet') }) as never;
    }
    for (const [name, value] of Object.entries(fileHeaders('application/x-ndjson', 'jsonl'))) c.header(name, value);
    return stream(c, async (out) => {
      for await (const page of rows) {
        if (out.aborted) return;
        await out.write(page.map((row) => `${JSON.stringify(row)}\n`).join(''));
      }
    }) as never;
  });
  return app;
}

function fileHeaders(type: string, ending: string): Record<string, string> {
  return { 'content-type': type, 'content-disposition': `attachment; filename="advice-log.${ending}"` };
}

async function* inColumns(pages: AsyncIterable<LogRow[]>) {
  for await (const page of pages) yield page.map((row) => LOG_COLUMNS.map(({ name }) => row[name] ?? null));
}

function timeOf(minute: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

/** `hh:mm` of a day → minutes. */
export function minuteOf(time: string): number {
  const [hour, minute] = time.split(':').map(Number);
  return hour! * 60 + minute!;
}
