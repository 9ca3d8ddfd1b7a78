/** Devices: what supplies readings, its connection, its credential and its state. */
import { z } from '@hono/zod-openapi';
import { NotFoundError } from '../../../engine/errors.ts';
import type { Device } from '../../../engine/model/site.ts';
import { ConnectionSchema } from '../../services/devices/connection.ts';
import { exportDevices, importDevices } from '../../services/devices/device-file.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, iso, json } from '../api.ts';
import {
  ChangeSchema,
  CreatedSchema,
  CredentialSchema,
  DeviceSchema,
  ImportSchema,
  NewDeviceSchema,
  TestReadSchema,
} from './device-schemas.ts';

const tags = ['Devices'];
const params = z.object({ id: z.string().openapi({ example: 'hall-2' }) });
const unknown = { 404: { description: 'No such device.' } };
const body = <Schema extends z.ZodType>(schema: Schema) => ({ required: true as const, content: json(schema) });

const list = apiRoute('user', {
  method: 'get',
  path: '/api/v1/devices',
  tags,
  summary: 'Devices with their state',
  responses: { 200: { description: 'By name.', content: json(z.object({ devices: z.array(DeviceSchema) })) } },
});
const one = apiRoute('user', {
  method: 'get',
  path: '/api/v1/devices/{id}',
  tags,
  summary: 'One device',
  request: { params },
  responses: { 200: { description: 'The device.', content: json(DeviceSchema) }, ...unknown },
});
const create = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/devices',
  tags,
  summary: 'Add a device',
  description: 'Makes its meter points too. A device that comes to the box gets a password, shown only in this answer.',
  request: { body: body(NewDeviceSchema) },
  responses: { 201: { description: 'Added.', content: json(CreatedSchema) } },
});
const change = apiRoute('admin', {
  method: 'patch',
  path: '/api/v1/devices/{id}',
  tags,
  summary: 'Change a device',
  request: { params, body: body(ChangeSchema) },
  responses: { 200: { description: 'Changed.', content: json(DeviceSchema) }, ...unknown },
});
const remove = apiRoute('admin', {
  method: 'delete',
  path: '/api/v1/devices/{id}',
  tags,
  summary: 'Remove a device and its meter points',
  request: {
    params,
    query: z.object({
      erase_readings: z
        .enum(['true', 'false'])
        .default('false')
        .openapi({ description: 'Erase what it measured, too.' }),
    }),
  },
  responses: { 204: { description: 'Removed.' }, ...unknown },
});
const test = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/devices/test',
  tags,
  summary: 'Read a device once, without saving',
  description: 'Modbus and HTTP devices are asked; for MQTT the next message is awaited for up to 20 seconds.',
  request: {
    body: body(z.strictObject({ profile: z.string().nullable().default(null), connection: ConnectionSchema })),
  },
  responses: { 200: { description: 'What came of it; `problem` says what failed.', content: json(TestReadSchema) } },
});
const credential = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/devices/{id}/credential',
  tags,
  summary: 'Give a device a new password',
  description: 'The old one ends at once. The password is shown only in this answer.',
  request: { params },
  responses: { 201: { description: 'The new credential.', content: json(CredentialSchema) }, ...unknown },
});
const exported = apiRoute('admin', {
  method: 'get',
  path: '/api/v1/devices.yaml',
  tags,
  summary: 'All devices as YAML',
  description: 'Without secrets.',
  responses: { 200: { description: 'The file.', content: { 'application/yaml': { schema: z.string() } } } },
});
const imported = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/devices.yaml',
  tags,
  summary: 'Add and change devices from YAML',
  description: 'Creates what is not there, changes what differs, removes nothing.',
  request: { body: { required: true, content: { 'application/yaml': { schema: z.string() } } } },
  responses: { 200: { description: 'What was done, per device.', content: json(ImportSchema) } },
});

export function createDevicesApi(services: Services) {
  const { devices, meters } = services;

  function shown(device: Device): z.infer<typeof DeviceSchema> {
    const { tenant, id, name, profile, enabled, firmware } = device;
    const { connected, last_seen_ms, last_error } = devices.state(tenant, id);
    const error = last_error && { at: iso(last_error.at_ms), text: last_error.text };
    return {
      ...{ id, name, profile, enabled, firmware, connected, last_error: error },
      last_seen: last_seen_ms === null ? null : iso(last_seen_ms),
      connection: shownConnection(device),
      meters: meters.ofDevice(tenant, id).map((point) => point.id),
    };
  }
  function need(tenant: string, id: string): Device {
    const device = devices.get(tenant, id);
    if (!device) throw new NotFoundError(`There is no device ${id}.`, 'GET /api/v1/devices lists them.');
    return device;
  }

  return createApiApp()
    .openapi(list, (c) => c.json({ devices: devices.list(actorOf(c).tenant).map(shown) }, 200))
    .openapi(exported, (c) =>
      c.text(exportDevices(services, actorOf(c).tenant), 200, {
        'content-type': 'application/yaml; charset=utf-8',
        'content-disposition': 'attachment; filename="devices.yaml"',
      }),
    )
    .openapi(imported, async (c) => {
      const report = await importDevices(services, actorOf(c), await c.req.text());
      return c.json({ ...report, created: report.created.map((made) => ({ ...made, meters: [...made.meters] })) }, 200);
    })
    .openapi(one, (c) => c.json(shown(need(actorOf(c).tenant, c.req.valid('param').id)), 200))
    .openapi(test, async (c) => {
      const { profile, connection } = c.req.valid('json');
      const tested = await devices.testRead(actorOf(c).tenant, profile, withToken(connection), c.req.raw.signal);
      return c.json({ ...tested, values: [...tested.values] }, 200);
    })
    .openapi(create, async (c) => {
      const { connection, ...wish } = c.req.valid('json');
      const made = await devices.create(actorOf(c), { ...wish, connection: withToken(connection) });
      return c.json({ ...made, meters: [...made.meters] }, 201);
    })
    .openapi(change, async (c) => {
      const actor = actorOf(c);
      const { id } = c.req.valid('param');
      const { connection, ...rest } = c.req.valid('json');
      // Without a token the stored one stays: the service sees that it was left out.
      await devices.update(actor, id, {
        ...rest,
        ...(connection ? { connection: connection as Device['connection'] } : {}),
      });
      return c.json(shown(need(actor.tenant, id)), 200);
    })
    .openapi(remove, async (c) => {
      const erase_readings = c.req.valid('query').erase_readings === 'true';
      await devices.remove(actorOf(c), c.req.valid('param').id, { erase_readings });
      return c.body(null, 204);
    })
    .openapi(credential, async (c) => c.json(await devices.newCredential(actorOf(c), c.req.valid('param').id), 201));
}

/** A token is never shown; that there is one, is. */
function shownConnection({ connection }: Device): z.infer<typeof DeviceSchema>['connection'] {
  if (connection.kind !== 'http') return { ...connection };
  const { token, ...rest } = connection;
  return { ...rest, has_token: token !== null };
}

function withToken(connection: z.infer<typeof ConnectionSchema>): Device['connection'] {
  return connection.kind === 'http' ? { ...connection, token: connection.token ?? null } : connection;
}
