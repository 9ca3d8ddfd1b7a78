/** The embedded MQTT 3.1.1 broker: aedes in process, durable sessions on disk, PUBACK after the journal's fsync. */
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { Aedes, type Client, type PublishPacket } from 'aedes';
import { ClassicLevel } from 'classic-level';
import type { Logger } from 'pino';
import { topicMatches } from '../connectors/meters/profile/topics.ts';
import { UnavailableError } from '../engine/errors.ts';
import type { Clock, Closable } from '../engine/ports.ts';
import { watchConnections } from './broker/connections.ts';
import type { Deliveries } from './broker/deliveries.ts';
import { createHooks, type Listener, SINK } from './broker/hooks.ts';
import { createStrangers, limitPackets } from './broker/limit.ts';
import { listenAll } from './broker/listen.ts';
import type { Messages } from './broker/messages.ts';
import type { Routes } from './broker/routes.ts';
import { mendLog } from './broker/session-log.ts';
import { openSessions } from './broker/sessions.ts';
import { tuneDelivery } from './broker/subscriber.ts';
import { boxOf } from './broker/topic-rules.ts';
import type { Metrics } from './metrics.ts';
import type { DeviceService } from './services.ts';

export type BrokerOptions = {
  /** LUNA_HOME; sessions are kept in `mqtt/` below. */
  home: string;
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** MQTT over TLS, where certificates are given. */
  tls: { port: number; cert: string | Buffer; key: string | Buffer } | null;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  devices: Pick<DeviceService, 'authenticate' | 'report'>;
  routes: Routes;
  messages: Messages;
  deliveries: Deliveries;
  /** A subscriber that does not take its messages is dropped after this; 2,000 where not given. */
  drain_ms?: number;
};

export type Broker = Closable & {
  readonly port: number;
  readonly tls_port: number | null;
  /** Publishes from the box itself (discovery, states) to clients of this tenant, QoS 0. */
  publish(tenant: string, topic: string, payload: string, options: { retain: boolean }): Promise<void>;
  /** The next message that a device of the tenant publishes within a topic filter; for a test read. Rejects when aborted. */
  listen(tenant: string, filter: string, signal: AbortSignal): Promise<{ topic: string; payload: Buffer }>;
  /** Hears every message that a device may publish, before it is decoded. @returns a function that ends it */
  hear(listener: Listener): () => void;
  /** Ends the connections of a device, after its credential changed or it was removed. */
  disconnect(tenant: string, device: string): void;
  /** Ends the connections of a device that is gone, and removes its sessions and retained messages. */
  forget(tenant: string, device: string): Promise<void>;
};

const DRAIN_TIMEOUT_MS = 2000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Packets a client may send before its CONNACK. */
const QUEUE_LIMIT = 1000;

/** Opens the broker and listens. Rejects UnavailableError when a port is taken or the session store cannot be opened. */
export async function openBroker(options: BrokerOptions): Promise<Broker> {
  const store = new ClassicLevel<string, Buffer>(join(options.home, 'mqtt'), { valueEncoding: 'buffer' });
  await store.open().catch((cause: unknown) => {
    throw new UnavailableError('The store of MQTT sessions cannot be opened.', `Look at ${store.location}.`, { cause });
  });
  mendLog(store);
  const listeners = new Set<Listener>();
  const strangers = createStrangers();
  const sessions = await openSessions(store, (what, client_id) => tellFull(options, what, client_id));
  const isHere = (id: string) => connections.has(id);
  const { sessionOf, ...hooks } = createHooks({ ...options, sessions, listeners, isHere });
  const aedes = await Aedes.createBroker({
    persistence: sessions.persistence,
    // Unbounded: each message finds its own way, so that none waits for another's subscribers.
    concurrency: 0,
    drainTimeout: options.drain_ms ?? DRAIN_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    queueLimit: QUEUE_LIMIT,
    maxClientsIdLength: 65_535,
    ...hooks,
  });
  const connections = watchConnections(aedes, options, sessionOf);
  logFaults(aedes, options.log);
  function refuse(client: Client, bytes: number): void {
    const session = sessionOf(client);
    if (!session) {
      options.metrics.mqtt_refused.inc({ reason: 'size' });
      return;
    }
    const text = `It announced a message of ${bytes} bytes; send its readings in messages of at most 256 kB.`;
    options.messages.refuse(session.route, 'size', text);
  }
  function serve(socket: Socket): void {
    const client = aedes.handle(socket);
    strangers.add(socket);
    tuneDelivery(client);
    limitPackets(socket, client, {
      admitted: () => sessionOf(client) !== undefined,
      refuse: (bytes) => refuse(client, bytes),
    });
  }
  swallowSink(aedes);
  aedes.on('client', ({ conn }) => strangers.known(conn as Socket));
  const listening = await listenAll(options, serve).catch(async (error: unknown) => {
    await closeAedes(aedes);
    await store.close();
    throw error;
  });
  return {
    port: listening.port,
    tls_port: listening.tls_port,
    publish: (tenant, topic, payload, { retain }) =>
      new Promise((resolve, reject) => {
        const packet = { ...{ cmd: 'publish', topic, payload, retain, qos: 0, dup: false }, clientId: boxOf(tenant) };
        aedes.publish(packet as PublishPacket, (error) => (error ? reject(error) : resolve()));
      }),
    listen: (tenant, filter, signal) => listenOnce(listeners, tenant, filter, signal),
    hear(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    disconnect(tenant, device) {
      for (const client of connections.ofDevice(tenant, device)) client.close();
    },
    async forget(tenant, device) {
      const clients = connections.ofDevice(tenant, device);
      await Promise.all(clients.map((client) => new Promise<void>((done) => client.close(done))));
      await sessions.forgetDevice(tenant, device);
    },
    async close() {
      await listening.close(() => closeAedes(aedes));
      await store.close();
    },
  };
}

function logFaults(aedes: Aedes, log: Logger): void {
  aedes.on('clientError', (client, error) =>
    log.info({ client_id: client.id, reason: error.message }, 'MQTT client dropped'),
  );
  aedes.on('connectionError', (_client, error) => log.debug({ reason: error.message }, 'MQTT connection refused'));
  // aedes types no 'error' event; without a listener a failing session store would end the process.
  (aedes as NodeJS.EventEmitter).on('error', (error: Error) => log.error({ err: error }, 'MQTT broker'));
}

const FULL = {
  queue: 'It is away too long, or does not acknowledge: further messages for it are dropped.',
  retained: 'It left too many retained messages; further ones are delivered, but not kept.',
};

function tellFull({ routes, messages }: BrokerOptions, what: keyof typeof FULL, client_id: string): void {
  const [tenant = '', device = ''] = client_id.split('/', 2);
  const route = routes.of(tenant, device);
  if (route) messages.refuse(route, what, FULL[what]);
}

/** Messages that are done with after the journal skip the broker's matching and queues, which cost more than the journal. */
function swallowSink(aedes: Aedes): void {
  const publish = aedes.publish.bind(aedes) as (packet: PublishPacket, ...rest: unknown[]) => void;
  aedes.publish = ((packet: PublishPacket, ...rest: unknown[]) => {
    if (packet.topic !== SINK) return publish(packet, ...rest);
    const done = rest.at(-1);
    if (typeof done === 'function') setImmediate(done as () => void);
  }) as Aedes['publish'];
}

function closeAedes(aedes: Aedes): Promise<void> {
  return new Promise((done) => aedes.close(done));
}

function listenOnce(
  listeners: Set<Listener>,
  tenant: string,
  filter: string,
  signal: AbortSignal,
): Promise<{ topic: string; payload: Buffer }> {
  return new Promise((resolve, reject) => {
    const end = () => {
      listeners.delete(listener);
      signal.removeEventListener('abort', abort);
    };
    const abort = () => {
      end();
      reject(new UnavailableError('No message came in time.', 'Check that the device publishes to this box.'));
    };
    const listener: Listener = (from, topic, payload) => {
      if (from !== tenant || !topicMatches(filter, topic)) return;
      end();
      resolve({ topic, payload });
    };
    if (signal.aborted) return abort();
    listeners.add(listener);
    signal.addEventListener('abort', abort, { once: true });
  });
}
