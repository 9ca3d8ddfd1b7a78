/** Shapes of the device routes. */
import { z } from '@hono/zod-openapi';
import { ConnectionSchema } from '../../services/devices/connection.ts';

const role = z.enum(['grid', 'generation', 'battery', 'load', 'sub-meter']);

export const DeviceSchema = z
  .object({
    id: z.string().openapi({ example: 'hall-2' }),
    name: z.string().openapi({ example: 'Hall 2' }),
    profile: z
      .string()
      .nullable()
      .openapi({ description: 'Null: it speaks our own format.', example: 'eastron-sdm630' }),
    connection: z.record(z.string(), z.unknown()).openapi({
      description: 'As given; a token is left out (`has_token`).',
      example: { kind: 'modbus-tcp', host: '192.168.1.20', port: 502, unit: 1, poll_s: 10 },
    }),
    enabled: z.boolean(),
    firmware: z.string().nullable().openapi({ example: '1.1.0' }),
    connected: z.boolean().nullable().openapi({ description: 'Null: not tried yet.' }),
    last_seen: z.iso.datetime().nullable(),
    last_error: z
      .object({ at: z.iso.datetime(), text: z.string() })
      .nullable()
      .openapi({ example: { at: '2026-06-01T12:05:00.000Z', text: 'No answer from 192.168.1.20:502 unit 3.' } }),
    meters: z.array(z.string()).openapi({ example: ['hall-2'] }),
  })
  .openapi('Device');

export const NewDeviceSchema = z
  .strictObject({
    id: z.string().openapi({ example: 'hall-2' }),
    name: z.string().optional().openapi({ example: 'Hall 2' }),
    profile: z.string().nullable().default(null),
    connection: ConnectionSchema,
    points: z
      .array(
        z.strictObject({
          channel: z.string().openapi({ example: 'main' }),
          id: z.string().optional(),
          name: z.string().optional(),
          role: role.optional(),
          parent: z.string().nullable().optional(),
          skip: z.boolean().optional().openapi({ description: 'The channel gets no meter point.' }),
        }),
      )
      .optional()
      .openapi({ description: 'What is left out comes from the profile.' }),
  })
  .openapi('NewDevice');

export const ChangeSchema = z
  .strictObject({
    name: z.string().optional(),
    enabled: z.boolean().optional(),
    connection: ConnectionSchema.optional(),
  })
  .openapi('DeviceChange');

export const CreatedSchema = z
  .object({
    id: z.string(),
    username: z.string().nullable(),
    password: z.string().nullable().openapi({ description: 'Shown only now.' }),
    topic: z.string().nullable().openapi({ example: 'meters/hall-2/readings' }),
    meters: z.array(z.string()),
  })
  .openapi('CreatedDevice');

export const CredentialSchema = z.object({ username: z.string(), password: z.string() }).openapi('DeviceCredential');

export const TestReadSchema = z
  .object({
    ok: z.boolean(),
    problem: z.string().nullable(),
    firmware: z.string().nullable(),
    took_ms: z.number(),
    values: z.array(
      z.object({
        channel: z.string(),
        quantity: z.string().openapi({ example: 'voltage_l1_V' }),
        value: z.number().openapi({ example: 230.2 }),
        unit: z.string().openapi({ example: 'V' }),
        raw: z.string(),
      }),
    ),
  })
  .openapi('TestRead');

export const ImportSchema = z
  .object({
    created: z.array(CreatedSchema),
    changed: z.array(z.string()),
    unchanged: z.array(z.string()),
    faults: z.array(z.object({ device: z.string(), problem: z.string() })),
  })
  .openapi('DeviceImport');
