/** Meter points: what is measured, where it hangs, and those that are sums of others. */
import { z } from '@hono/zod-openapi';
import { NotFoundError } from '../../../engine/errors.ts';
import type { MeterPoint } from '../../../engine/model/site.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, iso } from '../api.ts';

const tags = ['Site'];
const PointSchema = z
  .strictObject({
    name: z.string().openapi({ example: 'Main meter' }),
    role: z.enum(['grid', 'generation', 'battery', 'load', 'sub-meter']),
    device: z
      .string()
      .nullable()
      .default(null)
      .openapi({ description: 'The device that supplies it.', example: 'main' }),
    channel: z.string().default('main').openapi({ description: "The device's channel.", example: 'main' }),
    parent: z.string().nullable().default(null).openapi({ description: 'The meter point it is a part of.' }),
    virtual: z
      .array(z.strictObject({ meter: z.string(), factor: z.number() }))
      .nullable()
      .default(null)
      .openapi({ description: 'Sum of others times factors, instead of a device.' }),
  })
  .openapi('MeterPointSettings');
const MeterSchema = PointSchema.extend({
  id: z.string().openapi({ example: 'main' }),
  site: z.string(),
  last: z.iso.datetime().nullable().openapi({ description: 'Newest instant at which anything of it arrived.' }),
}).openapi('MeterPoint');

const params = z.object({ id: z.string().openapi({ example: 'main' }) });
const json = { 'application/json': { schema: MeterSchema } };
const unknown = { 404: { description: 'No such meter point.' } };

const list = apiRoute('user', {
  method: 'get',
  path: '/api/v1/meters',
  tags,
  summary: 'All meter points by name',
  responses: {
    200: {
      description: 'Empty before the first meter.',
      content: { 'application/json': { schema: z.object({ meters: z.array(MeterSchema) }) } },
    },
  },
});
const read = apiRoute('user', {
  method: 'get',
  path: '/api/v1/meters/{id}',
  tags,
  summary: 'One meter point',
  request: { params },
  responses: { 200: { description: 'It.', content: json }, ...unknown },
});
const save = apiRoute('admin', {
  method: 'put',
  path: '/api/v1/meters/{id}',
  tags,
  summary: 'Make or change a meter point',
  description: 'Meter points of a new device are made with the device; this makes virtual ones and changes any.',
  request: { params, body: { required: true, content: { 'application/json': { schema: PointSchema } } } },
  responses: { 200: { description: 'As stored.', content: json } },
});
const remove = apiRoute('admin', {
  method: 'delete',
  path: '/api/v1/meters/{id}',
  tags,
  summary: 'Remove a meter point',
  description: 'Its readings stay in the store. One that a formula names cannot go.',
  request: { params },
  responses: { 204: { description: 'Gone.' }, ...unknown },
});

export function createMetersApi({ meters, live }: Pick<Services, 'meters' | 'live'>) {
  const app = createApiApp();
  const shown = ({ tenant, virtual, ...point }: MeterPoint) => {
    const last_ms = live.last_ms(tenant, point.id);
    return { ...point, virtual: virtual ? [...virtual] : null, last: last_ms === null ? null : iso(last_ms) };
  };
  const find = (tenant: string, id: string) => {
    const point = meters.get(tenant, id);
    if (!point) throw new NotFoundError(`There is no meter point ${id}.`, 'GET /api/v1/meters lists them.');
    return shown(point);
  };
  app.openapi(list, (c) => c.json({ meters: meters.list(actorOf(c).tenant).map(shown) }, 200));
  app.openapi(read, (c) => c.json(find(actorOf(c).tenant, c.req.valid('param').id), 200));
  app.openapi(save, async (c) => {
    const { id } = c.req.valid('param');
    await meters.save(actorOf(c), { id, ...c.req.valid('json') });
    return c.json(find(actorOf(c).tenant, id), 200);
  });
  app.openapi(remove, async (c) => {
    await meters.remove(actorOf(c), c.req.valid('param').id);
    return c.body(null, 204);
  });
  return app;
}
