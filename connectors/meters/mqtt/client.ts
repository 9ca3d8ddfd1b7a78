/** Client of an external MQTT broker: QoS 1, durable session, each message acknowledged after its readings are durable. */
import { connect, type MqttClient } from 'mqtt';
import { ConfigError } from '../../../engine/errors.ts';
import type { Closable } from '../../../engine/ports.ts';

const RECONNECT_MIN_MS = 1000;
const RECONNECT_MAX_MS = 60_000;

export type MqttMessage = { topic: string; payload: Buffer; qos: 0 | 1 | 2; packet_id: number; dup: boolean };
export type MqttConnection = { connected: boolean; since_ms: number; fault: string | null };
export type MqttClientOptions = {
  /** e.g. `mqtt://user:pass@broker:1883`. */
  url: string;
  /** The same over restarts: the broker keeps what came meanwhile under it. */
  client_id: string;
  /** Resolves when the message may be acknowledged. A rejection ends the connection, so that the broker sends it again. */
  onMessage: (message: MqttMessage) => Promise<void>;
  onState: (state: MqttConnection) => void;
  clock: { now(): number };
};
export type ExternalMqtt = Closable & {
  /** Replaces the topic filters; kept over reconnects. */
  subscribe(filters: readonly string[]): void;
  state(): MqttConnection;
};

/** Begins to connect and goes on trying. @throws ConfigError for a URL that is none. */
export function openMqttClient(options: MqttClientOptions): ExternalMqtt {
  const { url, client_id, onMessage, onState, clock } = options;
  if (!/^(mqtts?|tcp|tls|wss?):\/\//.test(url))
    throw new ConfigError(`"${url}" is no address of a broker.`, 'Give e.g. mqtt://user:pass@broker:1883.');
  const client = connect(url, {
    clientId: client_id,
    clean: false,
    protocolVersion: 4,
    resubscribe: false,
    reconnectPeriod: RECONNECT_MIN_MS,
    connectTimeout: 10_000,
  });
  let filters: readonly string[] = [];
  let wait_ms = RECONNECT_MIN_MS;
  let state: MqttConnection = { connected: false, since_ms: clock.now(), fault: null };
  const set = (connected: boolean, fault: string | null) => {
    const since_ms = connected === state.connected ? state.since_ms : clock.now();
    state = { connected, since_ms, fault };
    onState(state);
  };
  client.on('connect', () => {
    wait_ms = RECONNECT_MIN_MS;
    client.options.reconnectPeriod = wait_ms;
    set(true, null);
    if (filters.length > 0) request(client, filters, set);
  });
  client.on('close', () => {
    wait_ms = Math.min(wait_ms * 2, RECONNECT_MAX_MS);
    client.options.reconnectPeriod = wait_ms;
    if (state.connected) set(false, state.fault ?? 'The connection to the broker ended.');
  });
  client.on('error', (error) => set(client.connected, `The broker does not take us: ${error.message}`));
  acknowledgeLater(client, onMessage, (fault) => set(client.connected, fault));
  return {
    subscribe(wanted) {
      const gone = filters.filter((filter) => !wanted.includes(filter));
      filters = [...wanted];
      if (!client.connected) return;
      if (gone.length > 0) client.unsubscribe(gone);
      if (filters.length > 0) request(client, filters, set);
    },
    state: () => state,
    close: () => client.endAsync(true),
  };
}

/** mqtt.js sends PUBACK once this hook calls back; it hands over one message at a time. */
function acknowledgeLater(
  client: MqttClient,
  onMessage: MqttClientOptions['onMessage'],
  failed: (fault: string) => void,
): void {
  client.handleMessage = (packet, done) => {
    const { topic, qos, dup, messageId } = packet;
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : (packet.payload as Buffer);
    onMessage({ topic, payload, qos, packet_id: messageId ?? 0, dup }).then(
      () => done(),
      (error: Error) => {
        failed(error.message);
        // Without an acknowledgement the broker repeats the message only on a new connection.
        client.stream.destroy();
        done(error);
      },
    );
  };
}

function request(
  client: MqttClient,
  filters: readonly string[],
  set: (connected: boolean, fault: string | null) => void,
): void {
  client.subscribe([...filters], { qos: 1 }, (error, granted) => {
    const refused = (granted ?? []).filter(({ qos }) => (qos as number) === 128).map(({ topic }) => topic);
    if (refused.length > 0) set(client.connected, `The broker refuses the topics ${refused.join(', ')}.`);
    else if (error) set(client.connected, `Subscribing failed: ${error.message}`);
  });
}
