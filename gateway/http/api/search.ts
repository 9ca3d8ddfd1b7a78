/** The search for devices on the network or on one bus: started, watched and stopped by admins. */
import { z } from '@hono/zod-openapi';
import type { ModbusConnection } from '../../../connectors/meters/modbus/source.ts';
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import { ConnectionSchema } from '../../services/devices/connection.ts';
import type { SearchState } from '../../services/discovery-search.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, iso, json } from '../api.ts';

const tags = ['Devices'];
const unit = z.number().int().min(1).max(247);

const WishSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('network'),
      ranges: z
        .array(z.string().max(50))
        .min(1)
        .max(16)
        .openapi({
          description: 'Private IPv4 ranges, at most 1,024 addresses together.',
          example: ['192.168.1.0/24'],
        }),
      confirmed: z.literal(true).openapi({ description: 'You may search these networks.' }),
    }),
    z.strictObject({
      kind: z.literal('bus'),
      connection: ConnectionSchema.openapi({
        example: { kind: 'modbus-tcp', host: '192.168.1.20', port: 502, unit: 1, poll_s: 10 },
      }),
      from_unit: unit.default(1),
      to_unit: unit.default(247),
    }),
  ])
  .openapi('DeviceSearchWish');

const SearchSchema = z
  .object({
    id: z.string(),
    kind: z.enum(['network', 'bus']),
    where: z.string().openapi({ example: '192.168.1.0/24' }),
    state: z.enum(['running', 'done', 'stopped', 'failed']),
    begun: z.iso.datetime(),
    ended: z.iso.datetime().nullable(),
    done: z.number().int(),
    total: z.number().int(),
    problem: z.string().nullable().openapi({ description: 'Why it failed, in words.' }),
    reason: z.enum(['unreachable', 'time_limit']).nullable().openapi({
      description: '`unreachable`: the bus could not be connected. `time_limit`: it took longer than a search may.',
    }),
    found: z.array(
      z.object({
        id: z.string(),
        vendor: z.string().openapi({ example: 'Eastron' }),
        model: z.string().openapi({ example: 'SDM630 (Modbus V2, MCT)' }),
        serial: z.string(),
        version: z.string(),
        address: z.string().openapi({ example: '192.168.1.20:502 unit 3' }),
        profile: z.string().nullable().openapi({ example: 'eastron-sdm630' }),
        connection: z.record(z.string(), z.unknown()).nullable(),
        found_by: z.enum(['modbus', 'http', 'mdns']),
        known: z.string().nullable().openapi({ description: 'The device of the box that is read from there already.' }),
      }),
    ),
  })
  .openapi('DeviceSearch');

const start = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/device-search',
  tags,
  summary: 'Search for devices',
  description:
    'Asks every address of the ranges on the ports of Modbus and HTTP, and listens for mDNS; or every unit of one bus. It only reads. One search at a time.',
  request: { body: { required: true, content: json(WishSchema) } },
  responses: { 202: { description: 'Begun; GET tells how it goes.', content: json(SearchSchema) } },
});
const state = apiRoute('admin', {
  method: 'get',
  path: '/api/v1/device-search',
  tags,
  summary: 'The last search and what it found',
  responses: {
    200: { description: 'Running or ended.', content: json(SearchSchema) },
    404: { description: 'There was none since the start of the box.' },
  },
});
const stop = apiRoute('admin', {
  method: 'delete',
  path: '/api/v1/device-search',
  tags,
  summary: 'Stop the search',
  responses: {
    200: { description: 'Stopped; what was found stays.', content: json(SearchSchema) },
    404: { description: 'None runs.' },
  },
});

export function createSearchApi({ search }: Services) {
  return createApiApp()
    .openapi(start, async (c) => {
      const wish = c.req.valid('json');
      if (wish.kind === 'network') return c.json(shown(await search.start(actorOf(c), wish)), 202);
      const { connection, from_unit, to_unit } = wish;
      if (connection.kind !== 'modbus-tcp' && connection.kind !== 'modbus-rtu')
        throw new InvalidDataError('Only a Modbus bus has unit numbers to search.', 'Give modbus-tcp or modbus-rtu.');
      const bus = connection as ModbusConnection;
      return c.json(shown(await search.start(actorOf(c), { kind: 'bus', connection: bus, from_unit, to_unit })), 202);
    })
    .openapi(state, (c) => {
      const found = search.state(actorOf(c).tenant);
      if (!found) throw new NotFoundError('There was no search since the start.', 'POST begins one.');
      return c.json(shown(found), 200);
    })
    .openapi(stop, async (c) => c.json(shown(await search.stop(actorOf(c))), 200));
}

function shown({ begun_ms, ended_ms, found, ...rest }: SearchState): z.infer<typeof SearchSchema> {
  return {
    ...rest,
    begun: iso(begun_ms),
    ended: ended_ms === null ? null : iso(ended_ms),
    found: found.map((each) => ({ ...each, connection: each.connection && { ...each.connection } })),
  };
}
