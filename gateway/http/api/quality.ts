/** Data quality of a meter point and local day. */
import { z } from '@hono/zod-openapi';
import { NotFoundError } from '../../../engine/errors.ts';
import { localDate } from '../../../engine/model/time.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp } from '../api.ts';

const ReportSchema = z
  .object({
    meter: z.string(),
    day: z.string().openapi({ example: '2026-03-29' }),
    state: z.enum(['ok', 'warning', 'fault']),
    checks: z.array(
      z.object({
        name: z.enum(['schema', 'nulls', 'ranges', 'gaps', 'outliers', 'agreement']),
        quantity: z.string().openapi({ example: 'import_kWh' }),
        passed: z.boolean(),
        count: z.number().int(),
        text: z.string().openapi({ example: '3 of 92 slots have no value, from 02:00.' }),
      }),
    ),
  })
  .openapi('QualityReport');

const report = apiRoute('user', {
  method: 'get',
  path: '/api/v1/quality',
  tags: ['Data'],
  summary: 'The data quality report of a meter point and local day',
  description:
    'Five checks per quantity (schema, nulls, ranges, gaps, outliers), and agreement where registers and power tell of different energy. Of today as far as it has come.',
  request: {
    query: z.object({
      meter: z.string().openapi({ example: 'main' }),
      day: z.string().optional().openapi({ example: '2026-03-29', description: 'Today where left out.' }),
      language: z.enum(['en', 'de']).optional(),
    }),
  },
  responses: {
    200: { description: 'The report.', content: { 'application/json': { schema: ReportSchema } } },
    404: { description: 'No such meter point, or nothing was ever measured.' },
  },
});

export function createQualityApi({ quality, site, clock }: Pick<Services, 'quality' | 'site' | 'clock'>) {
  const app = createApiApp();
  app.openapi(report, async (c) => {
    const actor = actorOf(c);
    const { meter, day, language = actor.language } = c.req.valid('query');
    const tz = site.get(actor.tenant)?.time_zone ?? 'UTC';
    const found = await quality.report(actor.tenant, meter, day ?? localDate(clock.now(), tz));
    if (!found) throw new NotFoundError(`Nothing of ${meter} was measured by that day.`, 'Choose an earlier day.');
    const checks = found.checks.map(({ text_de, text, ...check }) => ({
      ...check,
      text: language === 'de' ? (text_de ?? text) : text,
    }));
    return c.json({ ...found, checks }, 200);
  });
  return app;
}
