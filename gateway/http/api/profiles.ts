/** The device profiles that this box knows. */
import { z } from '@hono/zod-openapi';
import { NotFoundError } from '../../../engine/errors.ts';
import type { ProfileSummary, Services } from '../../services.ts';
import { apiRoute, createApiApp } from '../api.ts';

const tags = ['Devices'];
const ProfileSchema = z
  .object({
    name: z.string().openapi({ example: 'eastron-sdm630' }),
    vendor: z.string().openapi({ example: 'Eastron' }),
    model: z.string().openapi({ example: 'SDM630 (Modbus V2, MCT)' }),
    transport: z.enum(['mqtt', 'modbus', 'http']),
    verified: z.boolean().openapi({ description: 'False while all its golden cases are made up after documentation.' }),
    firmware_range: z.string().nullable().openapi({ example: '≥ 1.0.0 and < 2.0.0' }),
    channels: z
      .array(
        z.object({
          name: z.string().openapi({ example: 'main' }),
          label: z.string(),
          role: z.enum(['grid', 'generation', 'battery', 'load', 'sub-meter']),
          quantities: z.array(z.string()).openapi({ example: ['power_W', 'import_kWh'] }),
          rated_power_W: z.number().optional(),
        }),
      )
      .openapi({ description: 'Each becomes a meter point.' }),
    defaults: z
      .record(z.string(), z.union([z.string(), z.number()]))
      .openapi({ description: 'Fill the form.', example: { port: 502, unit: 1, poll_s: 10 } }),
    notes: z.string().nullable().openapi({ description: 'What to set on the device.' }),
  })
  .openapi('Profile');

const list = apiRoute('user', {
  method: 'get',
  path: '/api/v1/profiles',
  tags,
  summary: 'Device profiles',
  responses: {
    200: {
      description: 'By vendor and model.',
      content: { 'application/json': { schema: z.object({ profiles: z.array(ProfileSchema) }) } },
    },
  },
});
const one = apiRoute('user', {
  method: 'get',
  path: '/api/v1/profiles/{name}',
  tags,
  summary: 'One device profile',
  request: { params: z.object({ name: z.string() }) },
  responses: {
    200: { description: 'The profile.', content: { 'application/json': { schema: ProfileSchema } } },
    404: { description: 'No such profile.' },
  },
});

function shown(profile: ProfileSummary): z.infer<typeof ProfileSchema> {
  const channels = profile.channels.map((channel) => ({ ...channel, quantities: [...channel.quantities] }));
  return { ...profile, channels, defaults: { ...profile.defaults } };
}

export function createProfilesApi({ profiles }: Services) {
  return createApiApp()
    .openapi(list, (c) => c.json({ profiles: profiles.list().map(shown) }, 200))
    .openapi(one, (c) => {
      const { name } = c.req.valid('param');
      const profile = profiles.get(name);
      if (!profile)
        throw new NotFoundError(`There is no device profile "${name}".`, 'GET /api/v1/profiles lists them all.');
      return c.json(shown(profile), 200);
    });
}
