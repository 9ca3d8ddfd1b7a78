/** The site: name, place, time zone, currency and what energy costs there. */
import { z } from '@hono/zod-openapi';
import { NotFoundError } from '../../../engine/errors.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp } from '../api.ts';

const tags = ['Site'];
const vat_percent = z.number().min(0).max(100).openapi({ example: 19 });
const PriceSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('fixed'),
      per_kWh: z.number().openapi({ description: "In the site's currency, without VAT.", example: 0.29 }),
      vat_percent,
    }),
    z.strictObject({
      kind: z.literal('day-ahead'),
      area: z.string().openapi({ description: 'Market area.', example: 'DE-LU' }),
      factor: z.number().openapi({ description: 'Times the market price.', example: 1 }),
      fee_per_kWh: z.number().openapi({ description: 'Added after the factor, without VAT.', example: 0.12 }),
      vat_percent,
    }),
  ])
  .openapi('EnergyPrice');
const SettingsSchema = z
  .strictObject({
    id: z.string().openapi({ example: 'works' }),
    name: z.string().openapi({ example: 'Works North' }),
    place: z.string().default('').openapi({ example: 'Hamburg' }),
    latitude: z.number().nullable().default(null).openapi({ description: 'Degrees north.', example: 53.55 }),
    longitude: z.number().nullable().default(null).openapi({ description: 'Degrees east.', example: 9.99 }),
    time_zone: z.string().openapi({ description: 'IANA name.', example: 'Europe/Berlin' }),
    country: z.string().openapi({ description: 'ISO 3166-1 alpha-2.', example: 'DE' }),
    currency: z.string().openapi({ description: 'ISO 4217.', example: 'EUR' }),
    energy_price: PriceSchema.optional().openapi({
      description: 'The tariff, where it is no more than one price; left out where it is (see `/api/v1/tariff`).',
    }),
  })
  .openapi('SiteSettings');
const SiteSchema = SettingsSchema.extend({
  demo: z.boolean().openapi({ description: 'True while the site shows the demo.' }),
}).openapi('Site');

const read = apiRoute('user', {
  method: 'get',
  path: '/api/v1/site',
  tags,
  summary: 'The site',
  responses: {
    200: { description: 'Its settings.', content: { 'application/json': { schema: SiteSchema } } },
    404: { description: 'It was not set up yet.' },
  },
});
const save = apiRoute('admin', {
  method: 'put',
  path: '/api/v1/site',
  tags,
  summary: 'Set the site up, or change its settings',
  request: { body: { required: true, content: { 'application/json': { schema: SettingsSchema } } } },
  responses: { 200: { description: 'As stored.', content: { 'application/json': { schema: SiteSchema } } } },
});

export function createSiteApi({ site, tariffs }: Pick<Services, 'site' | 'tariffs'>) {
  const app = createApiApp();
  const stored = (tenant: string) => {
    const found = site.get(tenant);
    if (!found) throw new NotFoundError('The site was not set up yet.', 'An admin can do so with PUT /api/v1/site.');
    const { tenant: _, ...settings } = found;
    return { ...settings, energy_price: tariffs.simple(tenant) ?? undefined };
  };
  app.openapi(read, (c) => c.json(stored(actorOf(c).tenant), 200));
  app.openapi(save, async (c) => {
    await site.save(actorOf(c), c.req.valid('json'));
    return c.json(stored(actorOf(c).tenant), 200);
  });
  return app;
}
