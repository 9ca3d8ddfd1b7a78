/**
 * Alerts over MQTT: the state of each alert as a retained message under `<prefix>/<kind>/<object>`, so that a display
 * that connects later knows what is open; and each message as a whole under `<prefix>/message`, not retained.
 */
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';
import { MqttClient } from 'mqtt';
import { InvalidDataError } from '../../engine/errors.ts';
import type { NotifiedAlert, Notifier, NotifierMessage } from '../../engine/ports.ts';
import { type Connect, connectionFault } from './faults.ts';

/** Publishes in order; resolves once the broker has taken everything. */
export type Publish = (messages: readonly MqttOut[], signal: AbortSignal) => Promise<void>;
export type MqttOut = { topic: string; payload: string; retain: boolean };

export type BrokerSettings = { host: string; port: number; tls: boolean; user: string | null; ca_pem: string | null };
export type BrokerOptions = { settings: BrokerSettings; password: string | null; connect: Connect };

/** @param where the broker, for words of failure */
export function createMqttNotifier(options: { prefix: string; where: string; publish: Publish }): Notifier {
  const { prefix, where, publish } = options;
  return {
    async send(message, signal) {
      const out = [
        ...message.alerts.map((alert) => stateOf(prefix, alert)),
        { topic: `${prefix}/message`, payload: JSON.stringify(wholeOf(message)), retain: false },
      ];
      await within(publish(out, signal), signal).catch((error: unknown) => {
        throw connectionFault(where, error, signal);
      });
      return `${out.length} published under ${prefix}/`;
    },
  };
}

/** An object may have any name; in a topic the characters of topic syntax are percent-encoded. */
export function alertTopic(prefix: string, { kind, object }: Pick<NotifiedAlert, 'kind' | 'object'>): string {
  return `${prefix}/${kind}/${encodeURIComponent(object)}`;
}

function stateOf(prefix: string, alert: NotifiedAlert): MqttOut {
  const { id, kind, object, name, severity, text, remedy, link, opened_ms, closed_ms, acknowledged_by } = alert;
  const state = closed_ms !== null ? 'solved' : acknowledged_by !== null ? 'acknowledged' : 'open';
  const closed_at = closed_ms === null ? null : new Date(closed_ms).toISOString();
  return {
    topic: alertTopic(prefix, alert),
    payload: JSON.stringify({
      ...{ id, state, kind, object, name, severity, text, remedy, link, acknowledged_by },
      ...{ opened_at: new Date(opened_ms).toISOString(), closed_at },
    }),
    retain: true,
  };
}

function wholeOf({ id, made_ms, subject, text, test, site, alerts, more }: NotifierMessage) {
  return {
    id,
    type: test ? 'test' : 'alerts',
    made_at: new Date(made_ms).toISOString(),
    site,
    subject,
    text,
    n: alerts.length + more,
  };
}

/** Connects to an external broker for one message, publishes with QoS 1 and leaves. */
export function createBrokerPublish({ settings, password, connect }: BrokerOptions): Publish {
  const { host, port, tls, user, ca_pem } = settings;
  return async (messages, signal) => {
    const socket = await connect(host, port, signal);
    const stream: Duplex = tls
      ? tlsConnect({
          socket,
          host,
          ...(isIP(host) ? {} : { servername: host }),
          ...(ca_pem === null ? {} : { ca: ca_pem }),
        })
      : socket;
    const client = new MqttClient(() => stream, {
      ...{ reconnectPeriod: 0, connectTimeout: 10_000, protocolVersion: 4, clean: true },
      clientId: `luna-alerts-${process.pid}-${Math.random().toString(36).slice(2, 10)}`,
      ...(user === null ? {} : { username: user, password: password ?? '' }),
    });
    const end = () => client.end(true);
    signal.addEventListener('abort', end, { once: true });
    try {
      await connected(client);
      for (const { topic, payload, retain } of messages) await client.publishAsync(topic, payload, { qos: 1, retain });
    } finally {
      signal.removeEventListener('abort', end);
      await client.endAsync().catch(() => {});
      stream.destroy();
    }
  };
}

function connected(client: MqttClient): Promise<void> {
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('error', (error) => reject(refusedBy(error)));
    client.once('close', () => reject(new Error('it ended the connection')));
  });
}

/** CONNACK return codes 4 and 5 (MQTT 3.1.1, table 3.1). */
function refusedBy(error: Error): Error {
  const { code } = error as Error & { code?: number | string };
  return code === 4 || code === 5
    ? new InvalidDataError('The broker refuses user name or password.', 'Check both in the notification settings.')
    : error;
}

/** mqtt.js waits for an acknowledgement for ever; the sender does not. */
function within(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Error('it took too long'));
    if (signal.aborted) late();
    signal.addEventListener('abort', late, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', late));
  });
}
