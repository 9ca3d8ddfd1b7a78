/** What aedes asks about each connection, publish and subscription. */
import type { Socket } from 'node:net';
import type { AedesPublishPacket, Client, PublishPacket } from 'aedes';
import type { BrokerOptions } from '../broker.ts';
import { admit } from './admit.ts';
import type { Sender } from './deliveries.ts';
import type { DeviceRoute, Routes } from './routes.ts';

export type Session = { route: DeviceRoute; generation: number; sender: Sender; client: Client };
/** Hears of every message that a device may publish. */
export type Listener = (tenant: string, topic: string, payload: Buffer) => void;

/** aedes carries the sender's id with the packet, but does not type it. */
type FromClient = PublishPacket & { clientId?: string };
type Done = (error?: Error | null) => void;

/** Under this topic aedes hands back what must not be published: readings nobody subscribed to, and foreign topics. */
export const SINK = '$luna/sink';

/** A full disk refuses thousands of messages a second for one reason. */
const WARN_EVERY_MS = 5000;

export function createHooks(options: BrokerOptions, listeners: ReadonlySet<Listener>) {
  const { routes, messages, deliveries, metrics, log } = options;
  const admitted = new WeakMap<Client, Session>();
  /** Own topics of devices that ever subscribed: only for them do readings go through the broker's own delivery. */
  const subscribing = new Set<string>();
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
    preConnect(client: Client, packet: Parameters<typeof admit>[2], done: (error: Error | null, ok: boolean) => void) {
      admit(options, client, packet).then(
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
      done(null, admitted.has(client));
    },
    authorizePublish(client: Client | null, packet: PublishPacket, done: Done) {
      // The will of a client from before a restart: its topic was checked when it connected.
      if (!client) return done(null);
      const session = admitted.get(client);
      const route = session && currentRoute(session, routes);
      if (!session || !route?.enabled) return done(new Error('the device was removed or switched off'));
      packet.retain = false;
      (packet as FromClient).clientId = client.id;
      if (route.mayPublish(packet.topic)) return takePublish(session, route, packet, done);
      // MQTT 3.1.1 knows no refusal of a publish; cutting the connection would make the device repeat it for ever.
      messages.refuse(route, 'topic', `It published to ${packet.topic}, which is not its topic.`);
      packet.topic = SINK;
      done(null);
    },
    authorizeSubscribe(
      client: Client,
      subscription: { topic: string },
      done: (error: null, subscription: never | null) => void,
    ) {
      const session = admitted.get(client);
      const route = session && currentRoute(session, routes);
      if (route?.maySubscribe(subscription.topic)) {
        subscribing.add(route.own);
        return done(null, subscription as never);
      }
      metrics.mqtt_refused.inc({ reason: 'subscribe' });
      if (route) messages.refuse(route, 'subscribe', `It subscribed to ${subscription.topic}, which is not its topic.`);
      // null makes aedes answer 0x80 for this filter and keep the connection.
      done(null, null);
    },
    /** Asked for every delivery, queued ones too: tenants never hear each other, though their topics may be the same. */
    authorizeForward(client: Client, packet: AedesPublishPacket): AedesPublishPacket | null {
      const route = admitted.get(client)?.route;
      if (!route?.maySubscribe(packet.topic)) return null;
      const sender = (packet as FromClient).clientId;
      return sender === undefined || sender.startsWith(`${route.tenant}/`) ? packet : null;
    },
  };

  /** aedes writes PUBACK (and PUBREC) once `done` is called without an error, and ends the connection with one. */
  function takePublish(session: Session, route: DeviceRoute, packet: PublishPacket, done: Done): void {
    const { topic, qos, dup, messageId } = packet;
    const payload = packet.payload as Buffer;
    for (const listener of listeners) listener(route.tenant, topic, payload);
    const delivery = qos > 0 ? { sender: session.sender, packet_id: messageId ?? 0, dup } : undefined;
    messages.take(routes.receiver(route, topic), topic, payload, options.clock.now(), delivery).then(
      () => {
        if (topic === route.push_topic && !subscribing.has(route.own)) packet.topic = SINK;
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
