/**
 * What outlives a connection: durable sessions with their subscriptions and queues, and retained messages, in the
 * broker's LevelDB. The store itself knows neither tenants nor bounds; both are put around it here.
 */
import type { LevelPersistence, StoredPacket, StoredSubscription } from 'aedes-persistence-level';
import levelPersistence from 'aedes-persistence-level';
import type { ClassicLevel } from 'classic-level';
import { createDurableFilters } from './durable-filters.ts';
import { openRetained } from './retained.ts';
import { ownerOf, tenantOf } from './topic-rules.ts';

/** What waits for one session; what comes beyond is dropped (as other brokers do), and counted. */
export const QUEUE_MAX_MESSAGES = 1000;
export const QUEUE_MAX_BYTES = 16 * 1024 * 1024;
/** A client that takes a new id for each durable session would leave them for ever. */
export const SESSIONS_PER_DEVICE = 16;

/** Keys of the store are `<kind>:<client id, URI-encoded>[:…]`. */
const KINDS = ['subscriptions', 'outgoing', 'outgoing-id', 'incoming'] as const;

export type Sessions = {
  /** For `Aedes.createBroker`. */
  persistence: LevelPersistence;
  /** Only subscriptions that were allowed are stored: a refused one may stand in the same packet. */
  allow(subscription: object): void;
  /** A client connects. Forgets the device's session that was away longest where there are too many. */
  connected(client_id: string, clean: boolean, isHere: (client_id: string) => boolean): Promise<void>;
  /** Client ids with a durable session. */
  ids(): string[];
  /** Removes what a device left: its sessions with all they have, and its retained messages. */
  forgetDevice(tenant: string, device: string): Promise<void>;
};
type Queue = { messages: number; bytes: number };

/** @param onFull hears of each message that is not kept: the client's queue is full, or its device left too much */
export async function openSessions(
  store: ClassicLevel<string, Buffer>,
  onFull: (what: 'queue' | 'retained', client_id: string) => void,
): Promise<Sessions> {
  const level = levelPersistence(store);
  const original = bindAll(level);
  const retained = await openRetained(level, (id) => onFull('retained', id));
  const filters = createDurableFilters();
  const queues = await readQueues(store);
  /** In the order in which they were last seen. */
  const known = new Set(await readIds(store));
  /** Who may have something in the store: each connection asks for both to be removed, and hardly any has something. */
  const subscribed = new Set(known);
  const receiving = new Set(known);
  for (const id of known) filters.add(id, await original.subscriptionsByClient({ id }));
  const allowed = new WeakSet<object>();

  function hasRoom({ clientId }: StoredSubscription, { payload }: StoredPacket): boolean {
    const queue = queues.get(clientId!) ?? { messages: 0, bytes: 0 };
    const room = queue.messages < QUEUE_MAX_MESSAGES && queue.bytes + payload.length <= QUEUE_MAX_BYTES;
    if (!room) onFull('queue', clientId!);
    else queues.set(clientId!, { messages: queue.messages + 1, bytes: queue.bytes + payload.length });
    return room;
  }
  Object.assign(level, {
    storeRetained: retained.storeRetained,
    createRetainedStreamCombi: retained.createRetainedStreamCombi,
    async addSubscriptions(client, subscriptions) {
      const added = subscriptions.filter((subscription) => allowed.delete(subscription));
      known.add(client.id);
      subscribed.add(client.id);
      filters.add(client.id, added);
      await original.addSubscriptions(client, added);
    },
    async removeSubscriptions(client, topics) {
      filters.remove(client.id, topics);
      await original.removeSubscriptions(client, topics);
    },
    async cleanSubscriptions({ id }) {
      if (!subscribed.delete(id)) return;
      const subscriptions = await original.subscriptionsByClient({ id });
      const topics = subscriptions.map(({ topic }) => topic);
      if (topics.length > 0) await level.removeSubscriptions({ id }, topics);
    },
    subscriptionsByTopic: async (topic) => filters.matching(topic),
    /** A queue takes what its own tenant sends, with the QoS it asked for. */
    async outgoingEnqueueCombi(subscriptions, packet) {
      const own = subscriptions.filter(({ clientId = '' }) => tenantOf(packet.clientId) === tenantOf(clientId));
      const taking = own.filter((subscription) => hasRoom(subscription, packet));
      await Promise.all(
        taking.map((sub) => original.outgoingEnqueueCombi([sub], { ...packet, qos: lower(sub.qos, packet.qos) })),
      );
    },
    async outgoingClearMessageId(client, packet) {
      const cleared = await original.outgoingClearMessageId(client, packet);
      if (cleared) leave(queues, client.id, cleared.payload?.length ?? 0);
      return cleared;
    },
    /**
     * A message that is not in the queue (a retained one, or one that came when the queue was full) is sent all the
     * same; aedes would end the connection.
     */
    outgoingUpdate: (client, packet) =>
      original.outgoingUpdate(client, packet).catch((error: Error) => {
        if (error.message !== 'no such packet') throw error;
      }),
    /** Only its packet id is needed, to know the same message again. */
    incomingStorePacket(client, packet) {
      receiving.add(client.id);
      return original.incomingStorePacket(client, { ...packet, payload: Buffer.alloc(0) });
    },
    async cleanIncoming(client) {
      if (receiving.delete(client.id)) await original.cleanIncoming(client);
    },
  } satisfies Partial<LevelPersistence>);

  async function forget(id: string): Promise<void> {
    known.delete(id);
    queues.delete(id);
    await level.cleanSubscriptions({ id });
    for (const kind of KINDS) await store.clear(rangeOf(`${kind}:${encodeURIComponent(id)}`));
  }
  return {
    persistence: level,
    allow: (subscription) => void allowed.add(subscription),
    async connected(id, clean, isHere) {
      known.delete(id);
      if (clean) return;
      known.add(id);
      const owner = ownerOf(id);
      const others = [...known].filter((other) => other !== id && ownerOf(other) === owner);
      const away = others.filter((other) => !isHere(other));
      for (const old of away.slice(0, Math.max(0, others.length + 1 - SESSIONS_PER_DEVICE))) await forget(old);
    },
    ids: () => [...known],
    async forgetDevice(tenant, device) {
      const owner = `${tenant}/${device}`;
      for (const id of [...known].filter((one) => ownerOf(one) === owner)) await forget(id);
      await retained.forget(owner);
    },
  };
}

/** The store's own methods, before ours take their place. */
function bindAll(level: LevelPersistence) {
  const names = [
    'addSubscriptions',
    'removeSubscriptions',
    'subscriptionsByClient',
    'outgoingEnqueueCombi',
    'outgoingClearMessageId',
    'outgoingUpdate',
    'incomingStorePacket',
    'cleanIncoming',
  ] as const;
  return Object.fromEntries(names.map((name) => [name, level[name].bind(level)])) as Pick<
    LevelPersistence,
    (typeof names)[number]
  >;
}

function leave(queues: Map<string, Queue>, id: string, bytes: number): void {
  const queue = queues.get(id);
  if (!queue) return;
  queue.messages--;
  queue.bytes = Math.max(0, queue.bytes - bytes);
  if (queue.messages <= 0) queues.delete(id);
}

const lower = (a: 0 | 1 | 2, b: 0 | 1 | 2) => (a < b ? a : b);
const rangeOf = (begin: string) => ({ gte: `${begin}:`, lt: `${begin};` });
const idOf = (key: string) => decodeURIComponent(key.split(':', 2)[1]!);

async function readIds(store: ClassicLevel<string, Buffer>): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const kind of KINDS) for await (const key of store.keys(rangeOf(kind))) ids.add(idOf(key));
  return ids;
}

async function readQueues(store: ClassicLevel<string, Buffer>): Promise<Map<string, Queue>> {
  const queues = new Map<string, Queue>();
  for await (const [key, value] of store.iterator(rangeOf('outgoing'))) {
    const queue = queues.get(idOf(key)) ?? { messages: 0, bytes: 0 };
    queues.set(idOf(key), { messages: queue.messages + 1, bytes: queue.bytes + value.length });
  }
  return queues;
}
