/** What aedes asks about each connection, publish and subscription. */
import type { Socket } from 'node:net';
import type { AedesPublishPacket, Client, ConnectPacket, PublishPacket } from 'aedes';
import type { BrokerOptions } from '../broker.ts';
import { admit } from './admit.ts';
import type { Sender } from './deliveries.ts';
import type { DeviceRoute, Routes } from './routes.ts';
import type { Sessions } from './sessions.ts';
import { isFilter, isTopic, tenantOf } from './topic-rules.ts';

export type Session = { route: DeviceRoute; generation: number; sender: Sender; client: Client };
/** Hears of every message that a device may publish. */
export type Listener = (tenant: string, topic: string, payload: Buffer) => void;

/** aedes carries the sender's id with the packet, but does not type it. */
type FromClient = PublishPacket & { clientId?: string };
/** aedes has them on a client, but does not type them. */
type Subscriber = Client & { subscriptions: object };
type Done = (error?: Error | null) => void;
type Subscribed = (error: Error | null, subscription?: never | null) => void;

/** Under this topic aedes hands back what must not be published: readings nobody subscribed to, and foreign topics. */
export const SINK = '$luna/sink';

/** A full disk refuses thousands of messages a second for one reason. */
const WARN_EVERY_MS = 5000;

/** Filters of one connection. */
const FILTERS_MAX = 1000;

export type HookDeps = BrokerOptions & {
  sessions: Sessions;
  listeners: ReadonlySet<Listener>;
  /** Whether a client with this id is connected. */
  isHere: (client_id: string) => boolean;
};

export function createHooks(options: HookDeps) {
  const { sessions, listeners, isHere } = options;
  const { routes, messages, deliveries, metrics, log } = options;
  const admitted = new WeakMap<Client, Session>();
  /** Own topics of devices that ever subscribed: only for them do readings go through the broker's own delivery. */
  const subscribing = new Set(sessions.ids().map(ownTopicsOf));
  let warned_ms = -WARN_EVERY_MS;
  function warn(device: string, err: Error): void {
    if (performance.now() - warned_ms < WARN_EVERY_MS) return;
    warned_ms = performance.now();
    log.warn(
      { device, err },
      'messages cannot be stored now; they are not acknowledged, so that their senders keep them',
    );
  }
  return {
    sessionOf: (client: Client) => admitted.get(client),
    preConnect(client: Client, packet: ConnectPacket, done: (error: Error | null, ok: boolean) => void) {
      connect(client, packet).then(
        (ok) => done(null, ok),
        (error: Error) => {
          log.error({ err: error }, 'a connection failed while it was checked');
          done(error, false);
        },
      );
    },
    authenticate(client: Client, _name: unknown, _password: unknown, done: (error: null, ok: boolean) => void) {
      done(null, admitted.has(client));
    },
    authorizePublish(client: Client | null, packet: PublishPacket, done: Done) {
      // The will of a client from before a restart: its topic was checked when it connected.
      if (!client) return done(null);
      if (!isTopic(packet.topic)) return done(new Error('a topic that MQTT does not allow'));
      const session = admitted.get(client);
      const route = session && currentRoute(session, routes);
      if (!session || !route?.enabled) return done(new Error('the device was removed or switched off'));
      (packet as FromClient).clientId = client.id;
      if (route.mayPublish(packet.topic)) return takePublish(session, route, packet, done);
      // MQTT 3.1.1 knows no refusal of a publish; cutting the connection would make the device repeat it for ever.
      messages.refuse(route, 'topic', `It published to ${packet.topic}, which is not its topic.`);
      packet.topic = SINK;
      packet.retain = false;
      done(null);
    },
    authorizeSubscribe(client: Client, subscription: { topic: string }, done: Subscribed) {
      const { topic } = subscription;
      if (!isFilter(topic)) return done(new Error('a topic filter that MQTT does not allow'));
      const session = admitted.get(client);
      const route = session && currentRoute(session, routes);
      const room = Object.keys((client as Subscriber).subscriptions).length < FILTERS_MAX;
      if (route?.enabled && room && route.maySubscribe(topic)) {
        subscribing.add(route.own);
        sessions.allow(subscription);
        return done(null, subscription as never);
      }
      if (route)
        messages.refuse(
          route,
          'subscribe',
          `It subscribed to ${topic}, which ${room ? 'is not its topic' : 'is one filter too many'}.`,
        );
      else metrics.mqtt_refused.inc({ reason: 'subscribe' });
      // null makes aedes answer 0x80 for this filter and keep the connection.
      done(null, null);
    },
    /** Asked for every delivery, queued ones too: tenants never hear each other, though their topics may be the same. */
    authorizeForward(client: Client, packet: AedesPublishPacket): AedesPublishPacket | null {
      const session = admitted.get(client);
      const route = session && currentRoute(session, routes);
      if (!route?.enabled || !route.maySubscribe(packet.topic)) return null;
      const sender = (packet as FromClient).clientId;
      return sender !== undefined && tenantOf(sender) === route.tenant ? packet : null;
    },
  };

  async function connect(client: Client, packet: ConnectPacket): Promise<boolean> {
    const who = await admit(options, client, packet);
    if (!who) return false;
    const { route, client_id } = who;
    packet.clientId = client_id;
    admitted.set(client, { route, generation: routes.generation(), sender: deliveries.sender(client_id), client });
    await sessions.connected(client_id, packet.clean !== false, isHere);
    return true;
  }

  /** aedes writes PUBACK (and PUBREC) once `done` is called without an error, and ends the connection with one. */
  function takePublish(session: Session, route: DeviceRoute, packet: PublishPacket, done: Done): void {
    const { topic, qos, dup, messageId } = packet;
    const payload = packet.payload as Buffer;
    for (const listener of listeners) listener(route.tenant, topic, payload);
    const delivery = qos > 0 ? { sender: session.sender, packet_id: messageId ?? 0, dup } : undefined;
    messages.take(routes.receiver(route, topic), topic, payload, options.clock.now(), delivery).then(
      () => {
        if (topic === route.push_topic && !packet.retain && !subscribing.has(route.own)) packet.topic = SINK;
        corkTurn(session.client.conn as Socket);
        done(null);
      },
      (error: Error) => {
        metrics.mqtt_refused.inc({ reason: 'unavailable' });
        warn(route.device, error);
        done(error);
      },
    );
  }
}

/** Of the device behind a client id that the box has put together. */
function ownTopicsOf(client_id: string): string {
  return `meters/${client_id.split('/', 2)[1]}/`;
}

function currentRoute(session: Session, routes: Routes): DeviceRoute | null {
  if (session.generation === routes.generation()) return session.route;
  const route = routes.of(session.route.tenant, session.route.device);
  if (!route) return null;
  session.route = route;
  session.generation = routes.generation();
  return route;
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
