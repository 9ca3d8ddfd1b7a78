/** A way to reach people: its settings as they are kept and checked, and the connector that goes it. */
import { z } from 'zod';
import { createEmailNotifier } from '../../../connectors/notify/email.ts';
import type { Connect } from '../../../connectors/notify/faults.ts';
import { createBrokerPublish, createMqttNotifier, type Publish } from '../../../connectors/notify/mqtt.ts';
import { createWebhookNotifier, type WebhookFetch } from '../../../connectors/notify/webhook.ts';
import { InvalidDataError, UnavailableError } from '../../../engine/errors.ts';
import type { Clock, Notifier } from '../../../engine/ports.ts';

const host = z
  .string()
  .trim()
  .min(1)
  .max(253)
  .regex(/^[^\s/@]+$/, 'is a host name or address, without http://');
const port = z.number().int().min(1).max(65_535);
const ca_pem = z
  .string()
  .max(20_000)
  .regex(
    /^\s*-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----\s*$/,
    'begins with -----BEGIN CERTIFICATE-----',
  )
  .nullable()
  .default(null);
const user = z.string().trim().min(1).max(320).nullable().default(null);
const line = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
    .regex(/^[^\u0000-\u001f\u007f]*$/, 'contains control characters');

const EmailSchema = z.strictObject({
  host,
  port,
  security: z.enum(['tls', 'starttls', 'none']),
  user,
  from: line(320).regex(
    /^([^<>]*<[^\s@<>]+@[^\s@<>]+>|[^\s@<>]+@[^\s@<>]+)$/,
    'is no sender such as Luna <luna@example.org>',
  ),
  ca_pem,
});
const WebhookSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'is no web address' }).max(2000),
});
const MqttSchema = z.discriminatedUnion('broker', [
  z.strictObject({
    broker: z.literal('own'),
    device: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'is no id of a device')
      .describe('The device that may read them at alerts/<organisation>/<device>/#.'),
  }),
  z.strictObject({
    broker: z.literal('external'),
    ...{ host, port, tls: z.boolean().default(false), user, ca_pem },
    prefix: line(200).regex(/^[^+#$/][^+#]*[^+#/]$|^[^+#$/]$/, 'is a topic without wildcards, such as site/alerts'),
  }),
]);

/** What a channel is, by kind; the same schemas serve the API, the pages and what is read from the database. */
export const ChannelSettingsSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('email'), settings: EmailSchema }),
  z.strictObject({ kind: z.literal('webhook'), settings: WebhookSchema }),
  z.strictObject({ kind: z.literal('mqtt'), settings: MqttSchema }),
]);
export type ChannelSettings = z.infer<typeof ChannelSettingsSchema>;
export const SEVERITIES = ['info', 'warning', 'fault'] as const;

/** @throws InvalidDataError with each fault at its place */
export function parseChannelSettings(kind: string, settings: unknown): ChannelSettings {
  const parsed = ChannelSettingsSchema.safeParse({ kind, settings });
  if (parsed.success) return parsed.data;
  throw new InvalidDataError(
    'The channel cannot be saved like this.',
    'Mend what is named.',
    parsed.error.issues.map(({ path, message }) => ({ where: path.join('.') || 'kind', problem: message })),
  );
}

/** Ways out of the box; each lets out only to addresses that are allowed. */
export type WaysOut = {
  connect: Connect;
  fetch: WebhookFetch;
  /** Publishes at the box's own broker. */
  publish: (tenant: string, topic: string, payload: string, retain: boolean) => Promise<void>;
  clock: Clock;
};

/** @param secret password or signing secret, in clear */
export function openNotifier(
  tenant: string,
  { kind, settings }: ChannelSettings,
  secret: string | null,
  ways: WaysOut,
): Notifier {
  if (kind === 'email') return createEmailNotifier({ settings, password: secret, connect: ways.connect });
  if (kind === 'webhook')
    return createWebhookNotifier({ settings, secret: secret ?? '', fetch: ways.fetch, clock: ways.clock });
  if (settings.broker === 'own') {
    const prefix = `alerts/${tenant}/${settings.device}`;
    return createMqttNotifier({ prefix, where: 'The broker of this box', publish: publishOwn(tenant, ways.publish) });
  }
  return createMqttNotifier({
    prefix: settings.prefix,
    where: `The broker ${settings.host}:${settings.port}`,
    publish: createBrokerPublish({ settings, password: secret, connect: ways.connect }),
  });
}

function publishOwn(tenant: string, publish: WaysOut['publish']): Publish {
  return async (messages, signal) => {
    for (const { topic, payload, retain } of messages) {
      if (signal.aborted) throw new UnavailableError('The broker of this box is busy.');
      await publish(tenant, topic, payload, retain);
    }
  };
}
