/** The embedded MQTT 3.1.1 broker: aedes in process, durable sessions on disk, PUBACK after the journal's fsync. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes, type AedesPublishPacket, type Client, type PublishPacket } from 'aedes';
import levelPersistence from 'aedes-persistence-level';
import { ClassicLevel } from 'classic-level';
import type { Logger } from 'pino';
import { topicMatches } from '../connectors/meters/profile/topics.ts';
import { UnavailableError } from '../engine/errors.ts';
import type { Clock, Closable } from '../engine/ports.ts';
import { type AdmitDeps, admit } from './broker/admit.ts';
import type { Deliveries, Sender } from './broker/deliveries.ts';
import type { Messages } from './broker/messages.ts';
import type { DeviceRoute, Routes } from './broker/routes.ts';
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
};

export type Broker = Closable & {
  readonly port: number;
  readonly tls_port: number | null;
  /** Publishes from the box itself (discovery, states), QoS 0. */
  publish(topic: string, payload: string, options: { retain: boolean }): Promise<void>;
  /** The next message that a device of the tenant publishes within a topic filter; for a test read. Rejects when aborted. */
  listen(tenant: string, filter: string, signal: AbortSignal): Promise<{ topic: string; payload: Buffer }>;
  /** Ends the connections of a device, after its credential changed or it was removed. */
  disconnect(tenant: string, device: string): void;
};

type Session = { route: DeviceRoute; generation: number; sender: Sender; client: Client };
/** aedes carries the sender's id with the packet, but does not type it. */
type FromClient = PublishPacket & { clientId?: string };
type Listener = (tenant: string, topic: string, payload: Buffer) => void;

/** Under this topic aedes hands back what must not be published: readings nobody subscribed to, and foreign topics. */
const SINK = '$luna/sink';
/** A subscriber that does not take its messages is dropped after this, so that it holds up nobody for long. */
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
  const sessions = new Map<Client, Session>();
  const listeners = new Set<Listener>();
  const aedes = await Aedes.createBroker({
    persistence: levelPersistence(store),
    drainTimeout: DRAIN_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    queueLimit: QUEUE_LIMIT,
    maxClientsIdLength: 65_535,
    ...createHooks(options, sessions, listeners),
  });
  watch(aedes, options, sessions);
  swallowSink(aedes);
  const servers = await listenAll(options, (socket) => aedes.handle(socket)).catch(async (error: unknown) => {
    await closeAedes(aedes);
    await store.close();
    throw error;
  });
  return {
    port: portOf(servers[0]!),
    tls_port: servers[1] ? portOf(servers[1]) : null,
    publish: (topic, payload, { retain }) =>
      new Promise((resolve, reject) =>
        aedes.publish({ cmd: 'publish', topic, payload, retain, qos: 0, dup: false }, (error) =>
          error ? reject(error) : resolve(),
        ),
      ),
    listen: (tenant, filter, signal) => listenOnce(listeners, tenant, filter, signal),
    disconnect(tenant, device) {
      for (const { route, client } of sessions.values())
        if (route.tenant === tenant && route.device === device) client.close();
    },
    async close() {
      const closed = servers.map((server) => new Promise((done) => server.close(done)));
      await closeAedes(aedes);
      await Promise.all(closed);
      await store.close();
    },
  };
}

function createHooks(options: BrokerOptions, sessions: Map<Client, Session>, listeners: Set<Listener>) {
  const { routes, messages, deliveries, clock, metrics, log } = options;
  const admitted = new WeakMap<Client, Session>();
  /** Devices that ever subscribed: only for them do readings go through the broker's own delivery. */
  const subscribing = new Set<string>();

  function routeOf(session: Session): DeviceRoute | null {
    if (session.generation === routes.generation()) return session.route;
    const route = routes.of(session.route.tenant, session.route.device);
    if (!route) return null;
    session.route = route;
    session.generation = routes.generation();
    return route;
  }

  const deps: AdmitDeps = options;
  return {
    preConnect(client: Client, packet: Parameters<typeof admit>[2], done: (error: Error | null, ok: boolean) => void) {
      admit(deps, client, packet).then(
        (who) => {
          if (!who) return done(null, false);
          packet.clientId = who.client_id;
          const sender = deliveries.sender(who.client_id);
          admitted.set(client, { route: who.route, generation: routes.generation(), sender, client });
          done(null, true);
        },
        (error: Error) => {
          log.error({ err: error }, 'a connection failed while it was checked');
          done(error, false);
        },
      );
    },
    authenticate(client: Client, _name: unknown, _password: unknown, done: (error: null, ok: boolean) => void) {
      const session = admitted.get(client);
      if (session) sessions.set(client, session);
      done(null, session !== undefined);
    },
    authorizePublish(client: Client | null, packet: PublishPacket, done: (error?: Error | null) => void) {
      // The will of a client from before a restart: its topic was checked when it connected.
      if (!client) return done(null);
      const session = sessions.get(client);
      const route = session && routeOf(session);
      if (!session || !route?.enabled) return done(new Error('the device was removed or switched off'));
      const { topic } = packet;
      const payload = packet.payload as Buffer;
      packet.retain = false;
      (packet as FromClient).clientId = client.id;
      if (!route.mayPublish(topic)) {
        // MQTT 3.1.1 knows no refusal of a publish; cutting the connection would make the device repeat it for ever.
        packet.topic = SINK;
        messages.refuse(route, 'topic', `It published to ${topic}, which is not its topic.`);
        return done(null);
      }
      for (const listener of listeners) listener(route.tenant, topic, payload);
      const delivery =
        packet.qos > 0 ? { sender: session.sender, packet_id: packet.messageId ?? 0, dup: packet.dup } : undefined;
      messages.take(route, topic, payload, clock.now(), delivery).then(
        () => {
          if (topic === route.push_topic && !subscribing.has(route.own)) packet.topic = SINK;
          corkTurn(client.conn as Socket);
          done(null);
        },
        (error: Error) => {
          metrics.mqtt_refused.inc({ reason: 'unavailable' });
          done(error);
        },
      );
    },
    authorizeSubscribe(
      client: Client,
      subscription: { topic: string },
      done: (error: null, sub: never | null) => void,
    ) {
      const session = sessions.get(client);
      const route = session && routeOf(session);
      if (route?.maySubscribe(subscription.topic)) {
        subscribing.add(route.own);
        return done(null, subscription as never);
      }
      metrics.mqtt_refused.inc({ reason: 'subscribe' });
      if (route) messages.refuse(route, 'subscribe', `It subscribed to ${subscription.topic}, which is not its topic.`);
      // null makes aedes answer 0x80 for this filter and keep the connection.
      done(null, null);
    },
    authorizeForward(client: Client, packet: AedesPublishPacket): AedesPublishPacket | null {
      const route = sessions.get(client)?.route;
      if (!route?.maySubscribe(packet.topic)) return null;
      const sender = (packet as FromClient).clientId;
      return sender === undefined || sender.startsWith(`${route.tenant}/`) ? packet : null;
    },
  };
}

/** Acknowledgements that one group commit sets free leave in one write a connection. */
function corkTurn(socket: Socket): void {
  if (socket.writableCorked > 0) return;
  socket.cork();
  process.nextTick(uncork, socket);
}
function uncork(socket: Socket): void {
  socket.uncork();
}

function watch(
  aedes: Aedes,
  { metrics, devices, deliveries, clock, log }: BrokerOptions,
  sessions: Map<Client, Session>,
) {
  aedes.on('clientReady', (client) => {
    metrics.mqtt_clients.set(sessions.size);
    const session = sessions.get(client);
    if (session) devices.report(session.route.tenant, session.route.device, { kind: 'connected' });
  });
  aedes.on('clientDisconnect', (client) => {
    const session = sessions.get(client);
    if (!session) return;
    sessions.delete(client);
    metrics.mqtt_clients.set(sessions.size);
    deliveries.ended(session.sender.client, clock.now());
    const { tenant, device } = session.route;
    const other = [...sessions.values()].some(({ route }) => route.tenant === tenant && route.device === device);
    if (!other) devices.report(tenant, device, { kind: 'lost', text: 'The connection ended.' });
  });
  aedes.on('clientError', (client, error) =>
    log.info({ client_id: client.id, reason: error.message }, 'MQTT client dropped'),
  );
  aedes.on('connectionError', (_client, error) => log.debug({ reason: error.message }, 'MQTT connection refused'));
  // aedes types no 'error' event; without a listener a failing session store would end the process.
  (aedes as NodeJS.EventEmitter).on('error', (error: Error) => log.error({ err: error }, 'MQTT broker'));
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

async function listenAll({ host, port, tls }: BrokerOptions, handle: (socket: Socket) => void): Promise<Server[]> {
  const serve = (socket: Socket) => {
    socket.setNoDelay(true);
    handle(socket);
  };
  const servers: Server[] = [createServer(serve)];
  if (tls) servers.push(createTlsServer({ cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' }, serve));
  const ports = [port, tls?.port ?? 0];
  try {
    for (const [i, server] of servers.entries()) await listening(server, host, ports[i]!);
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return servers;
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'another program uses it' : cause.message;
      const text = `The MQTT broker cannot listen on port ${port}: ${why}.`;
      reject(new UnavailableError(text, 'Set LUNA_MQTT_PORT to a free port.', { cause }));
    });
    server.listen({ host, port, backlog: 1024 }, resolve);
  });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
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
