/** What a connection must look like, and which one fits which profile. */
// Schemas that the API shows must be made by its zod, whatever is loaded first.
import { z } from '@hono/zod-openapi';
import { baseUrl } from '../../../connectors/meters/http/source.ts';
import { InvalidDataError } from '../../../engine/errors.ts';
import type { Connection } from '../../../engine/model/site.ts';
import type { ProfileSummary } from '../../services.ts';

const host = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9._:-]{1,253}$/, 'is no host name or address; give e.g. 192.168.1.20');
const unit = z.number().int().min(0).max(255).describe('Unit number (slave address) on the bus.');
/** No `.` or `..` as a step, nothing empty: the path stays within /dev. */
const SERIAL_PORT = /^(?:\/dev(?:\/(?!\.{1,2}(?:\/|$))[\w.:+@-]+)+|COM\d{1,3})$/;
const poll_s = z.number().min(1).max(86_400).describe('Seconds between two readings.');

export const ConnectionSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('mqtt'),
    topic: z
      .string()
      .trim()
      .max(200)
      .regex(/^[^+#]*$/, 'contains + or #; give the topic itself')
      .regex(/^(?!(?:\$|luna|meters|homeassistant)(?:\/|$))/, 'begins with a word that the box uses itself')
      .nullable()
      .default(null)
      .describe("The topic the device publishes under; the device's id where left out."),
  }),
  z.strictObject({
    kind: z.literal('modbus-tcp'),
    host,
    port: z.number().int().min(1).max(65_535).default(502),
    unit: unit.default(1),
    poll_s: poll_s.default(10),
    framing: z.enum(['tcp', 'rtu']).optional().describe('`rtu`: RTU frames over TCP, as simple gateways speak.'),
  }),
  z.strictObject({
    kind: z.literal('modbus-rtu'),
    path: z.string().max(200).regex(SERIAL_PORT, 'is no serial port; give e.g. /dev/ttyUSB0').describe('Serial port.'),
    baud: z.number().int().min(300).max(1_000_000).default(9600),
    parity: z.enum(['none', 'even', 'odd']).default('none'),
    stop_bits: z.literal([1, 2]).default(1),
    unit: unit.default(1),
    poll_s: poll_s.default(10),
  }),
  z.strictObject({
    kind: z.literal('http'),
    url: z.string().max(500),
    token: z.string().max(1000).nullable().optional().describe('Never shown again; left out: stays as it is.'),
    poll_s: poll_s.default(10),
  }),
  z.strictObject({ kind: z.literal('push') }),
]);

const KINDS = { mqtt: ['mqtt'], modbus: ['modbus-tcp', 'modbus-rtu'], http: ['http'] } as const;

/**
 * @param input from outside; @param kept the connection so far, whose token stays where none is given.
 * @throws InvalidDataError that lists every fault.
 */
export function parseConnection(input: unknown, profile: ProfileSummary | null, kept?: Connection): Connection {
  const parsed = ConnectionSchema.safeParse(input);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => ({
      where: ['connection', ...issue.path].join('.'),
      problem: issue.message,
    }));
    const text = faults.map(({ where, problem }) => `${where} ${problem}`).join('; ');
    throw new InvalidDataError(`The connection has faults: ${text}.`, 'Change these fields.', faults);
  }
  requireFit(parsed.data.kind, profile);
  return completed(parsed.data, kept);
}

function completed(connection: z.output<typeof ConnectionSchema>, kept: Connection | undefined): Connection {
  if (connection.kind === 'mqtt') return { ...connection, topic: connection.topic || null };
  if (connection.kind !== 'http') return connection;
  const token = connection.token === undefined && kept?.kind === 'http' ? kept.token : (connection.token ?? null);
  return { ...connection, url: baseUrl(connection.url), token };
}

function requireFit(kind: Connection['kind'], profile: ProfileSummary | null): void {
  const kinds: readonly string[] = profile ? KINDS[profile.transport] : ['mqtt', 'push'];
  if (kinds.includes(kind)) return;
  throw new InvalidDataError(
    profile
      ? `The profile ${profile.name} is read over ${kinds.join(' or ')}, not ${kind}.`
      : `A device without profile sends by itself (mqtt or push); ${kind} needs a profile that says what to read.`,
    'Choose another connection or another profile.',
  );
}

/** Whether the device comes to the box and therefore has a user name and password. */
export function hasCredential({ kind }: Connection): boolean {
  return kind === 'mqtt' || kind === 'push';
}

/** For people, without secrets. */
export function withoutSecrets(connection: Connection): Connection {
  return connection.kind === 'http' ? { ...connection, token: null } : connection;
}
