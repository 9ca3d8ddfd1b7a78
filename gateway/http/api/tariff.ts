/** The tariff of the site in its versions, what it makes of the market prices, and the bill of a month. */
import { z } from '@hono/zod-openapi';
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import { HOUR_MS, slotStart } from '../../../engine/model/time.ts';
import type { SlotPrices } from '../../../engine/tariff/prices.ts';
import { billCsv, lineCsv } from '../../services/bills/csv.ts';
import { tariffExamples } from '../../services/tariff-examples.ts';
import type { Services, StoredVersion } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, InstantSchema, iso, json } from '../api.ts';
import { BillSchema, billOut, RowsSchema, rowsOut } from './bill-shapes.ts';

const tags = ['Tariff'];
const MOST_MS = 62 * 24 * HOUR_MS;
const YamlSchema = z.string().min(1).max(200_000).openapi({
  description: 'The tariff as docs/guides/tariffs.md describes it.',
  example:
    'name: Flat\ncurrency: EUR\ntime_zone: Europe/Berlin\nvat_percent: 19\nenergy:\n  - { name: Energy, price_per_kWh: 0.28 }\n',
});
const DaySchema = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/)
  .openapi({ description: 'First local day on which it holds.', example: '2026-07-01' });
const MonthSchema = z
  .string()
  .regex(/^\d{4}-\d{2}$/)
  .openapi({ description: 'Local month.', example: '2026-04' });

const VersionSchema = z
  .object({
    valid_from: DaySchema,
    name: z.string().openapi({ example: 'Gewerbe mit Leistungspreis' }),
    currency: z.string().openapi({ example: 'EUR' }),
    current: z.boolean().openapi({ description: 'Whether it holds now.' }),
    saved_by: z.string(),
    saved_at: z.iso.datetime(),
    yaml: YamlSchema,
  })
  .openapi('TariffVersion');
const TariffSchema = z
  .object({
    area: z.string().nullable().openapi({ description: 'Market area that it asks now.', example: 'DE-LU' }),
    versions: z.array(VersionSchema),
  })
  .openapi('Tariff');

const read = apiRoute('user', {
  method: 'get',
  path: '/api/v1/tariff',
  tags,
  summary: "The versions of the site's tariff",
  responses: { 200: { description: 'Ascending by the day they hold from.', content: json(TariffSchema) } },
});
const save = apiRoute('admin', {
  method: 'put',
  path: '/api/v1/tariff/versions/{valid_from}',
  tags,
  summary: 'Add a version of the tariff, or replace the one of this day; past costs and bills follow',
  request: {
    params: z.object({ valid_from: DaySchema }),
    body: { required: true, content: json(z.strictObject({ yaml: YamlSchema }).openapi('TariffText')) },
  },
  responses: { 200: { description: 'As stored.', content: json(TariffSchema) } },
});
const remove = apiRoute('admin', {
  method: 'delete',
  path: '/api/v1/tariff/versions/{valid_from}',
  tags,
  summary: 'Remove a version of the tariff; the one before it holds on',
  request: { params: z.object({ valid_from: DaySchema }) },
  responses: { 204: { description: 'Removed.' }, 404: { description: 'No version begins on this day.' } },
});

const CheckSchema = z
  .object({
    faults: z.array(z.object({ where: z.string(), problem: z.string(), remedy: z.string().optional() })).openapi({
      description: 'Every fault with its line; none where the tariff can be saved.',
      example: [
        { where: 'line 7', problem: 'energy[1] has no price', remedy: 'Give it one of price_per_kWh, periods.' },
      ],
    }),
    currency: z.string().nullable(),
    months: z
      .array(z.object({ month: MonthSchema, before: z.number().nullable(), after: z.number().nullable() }))
      .openapi({ description: 'Bills of past months that it would change; null where a bill has no total.' }),
  })
  .openapi('TariffCheck');
const check = apiRoute('user', {
  method: 'post',
  path: '/api/v1/tariff/check',
  tags,
  summary: 'Check a tariff without saving it: its faults by line, and what past months would have cost',
  request: {
    body: {
      required: true,
      content: json(z.strictObject({ yaml: YamlSchema, valid_from: DaySchema.optional() }).openapi('TariffDraft')),
    },
  },
  responses: { 200: { description: 'What is wrong, or what it changes.', content: json(CheckSchema) } },
});

const SlotSchema = z.object({
  at: z.iso.datetime(),
  import_per_kWh: z.number().nullable().openapi({ description: 'VAT included; null where a price is missing.' }),
  export_per_kWh: z.number().nullable(),
  import_limit_W: z.number().nullable().openapi({ description: 'null: no limit.' }),
  export_limit_W: z.number().nullable(),
  co2_g_per_kWh: z.number().nullable(),
});
const SlotsSchema = z
  .object({
    currency: z.string(),
    slots: z.array(SlotSchema),
    missing: z.array(z.object({ what: z.string(), from: z.iso.datetime(), to: z.iso.datetime(), slots: z.number() })),
  })
  .openapi('TariffPrices');
const slots = apiRoute('user', {
  method: 'get',
  path: '/api/v1/tariff/prices',
  tags,
  summary: 'What a kWh costs, earns and emits in each slot, and how much power may flow',
  request: {
    query: z.object({
      from: InstantSchema.optional().openapi({ description: 'Now where left out.' }),
      to: InstantSchema.optional().openapi({ description: '48 hours after `from` where left out.' }),
    }),
  },
  responses: { 200: { description: 'The 15-minute slots of [from, to).', content: json(SlotsSchema) } },
});

const examples = apiRoute('user', {
  method: 'get',
  path: '/api/v1/tariff/examples',
  tags,
  summary: 'Example tariffs to begin with',
  responses: {
    200: {
      description: 'Their YAML.',
      content: json(z.array(z.object({ id: z.string(), yaml: YamlSchema }).openapi('TariffExample'))),
    },
  },
});

const format = z.enum(['json', 'csv']).default('json');
const csv = { 'text/csv': { schema: z.string() } };
const bill = apiRoute('user', {
  method: 'get',
  path: '/api/v1/bills/{month}',
  tags,
  summary: 'The bill of a month, itemised; of a month that runs, so far',
  request: { params: z.object({ month: MonthSchema }), query: z.object({ format }) },
  responses: { 200: { description: 'Lines add up exactly to the total.', content: { ...json(BillSchema), ...csv } } },
});
const line = apiRoute('user', {
  method: 'get',
  path: '/api/v1/bills/{month}/lines/{line}',
  tags,
  summary: 'The slots, peaks or lines behind one line of a bill',
  request: {
    params: z.object({ month: MonthSchema, line: z.string().openapi({ example: '1' }) }),
    query: z.object({ format }),
  },
  responses: {
    200: { description: 'Their amounts, not rounded, sum up to the line.', content: { ...json(RowsSchema), ...csv } },
    404: { description: 'The bill has no such line.' },
  },
});

type Dependencies = Pick<Services, 'tariffs' | 'bills' | 'prices' | 'clock'>;

export function createTariffApi({ tariffs, bills, prices, clock }: Dependencies) {
  const app = createApiApp();
  const stored = (tenant: string) => {
    const current = tariffs.current(tenant);
    return {
      area: tariffs.area(tenant),
      versions: tariffs.versions(tenant).map((one) => versionOut(one, one.valid_from === current?.valid_from)),
    };
  };
  app.openapi(read, (c) => c.json(stored(actorOf(c).tenant), 200));
  app.openapi(save, async (c) => {
    await tariffs.save(actorOf(c), c.req.valid('param').valid_from, c.req.valid('json').yaml);
    return c.json(stored(actorOf(c).tenant), 200);
  });
  app.openapi(remove, async (c) => {
    await tariffs.remove(actorOf(c), c.req.valid('param').valid_from);
    return c.body(null, 204);
  });
  app.openapi(check, async (c) => {
    const { yaml, valid_from } = c.req.valid('json');
    const { tariff, faults } = tariffs.read(yaml);
    if (!tariff || valid_from === undefined)
      return c.json({ faults, currency: tariff?.currency ?? null, months: [] }, 200);
    const { currency, months } = await bills.effect(actorOf(c).tenant, valid_from, tariff);
    return c.json({ faults, currency, months: [...months] }, 200);
  });
  app.openapi(slots, async (c) => {
    const asked = c.req.valid('query');
    const from_ms = slotStart(asked.from ?? clock.now());
    const to_ms = asked.to ?? from_ms + 48 * HOUR_MS;
    if (!(to_ms > from_ms) || to_ms - from_ms > MOST_MS)
      throw new InvalidDataError('`to` must come after `from`, by at most 62 days.', 'Ask for a shorter range.');
    return c.json(slotsOut(await prices.slots(actorOf(c).tenant, from_ms, to_ms)), 200);
  });
  app.openapi(examples, (c) => c.json(tariffExamples(), 200));
  app.openapi(bill, async (c) => {
    const { month } = c.req.valid('param');
    const made = await bills.month(actorOf(c).tenant, month);
    if (c.req.valid('query').format === 'csv') return csvAnswer(billCsv(made), `bill-${month}`) as never;
    return c.json(billOut(made, month), 200);
  });
  app.openapi(line, async (c) => {
    const { month, line: id } = c.req.valid('param');
    const made = await bills.month(actorOf(c).tenant, month);
    const found = made.lines.find((one) => one.id === id);
    if (!found) throw new NotFoundError(`The bill of ${month} has no line "${id}".`);
    if (c.req.valid('query').format === 'csv')
      return csvAnswer(lineCsv(found, made.currency), `bill-${month}-line-${id}`) as never;
    return c.json(rowsOut(found, made.currency), 200);
  });
  return app;
}

function csvAnswer(text: string, name: string): Response {
  return new Response(text, {
    headers: {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="${name}.csv"`,
    },
  });
}

function versionOut({ valid_from, tariff, by, at_ms, yaml }: StoredVersion, current: boolean) {
  const { name, currency } = tariff;
  return { valid_from, name, currency, current, saved_by: by, saved_at: iso(at_ms), yaml };
}

function slotsOut(prices: SlotPrices) {
  const finite = (value: number | undefined) => (Number.isFinite(value) ? value! : null);
  return {
    currency: prices.currency,
    slots: Array.from(prices.at_ms, (at_ms, i) => ({
      at: iso(at_ms),
      import_per_kWh: finite(prices.import_per_kWh[i]),
      export_per_kWh: finite(prices.export_per_kWh[i]),
      import_limit_W: finite(prices.import_limit_W[i]),
      export_limit_W: finite(prices.export_limit_W[i]),
      co2_g_per_kWh: finite(prices.co2_g_per_kWh[i]),
    })),
    missing: prices.missing.map((one) => ({
      what: one.what,
      from: iso(one.from_ms),
      to: iso(one.to_ms),
      slots: one.slots,
    })),
  };
}
