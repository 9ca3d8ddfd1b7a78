/**
 * Retained messages: one for each topic of each tenant, kept on disk and in memory, bounded for each device. Two tenants
 * may have the same topic, so in the store and in its stream a topic carries its tenant; `unmark` takes it off again.
 */
import { Readable } from 'node:stream';
import type { LevelPersistence, StoredPacket } from 'aedes-persistence-level';
import { topicMatches } from '../../connectors/meters/profile/topics.ts';
import { boxOf, MARK, ownerOf, tenantOf } from './topic-rules.ts';

/** What one device may leave at the broker. */
export const RETAINED_MAX_BYTES = 4 * 1024 * 1024;
export const RETAINED_MAX_TOPICS = 1000;

export type Retained = Pick<LevelPersistence, 'storeRetained' | 'createRetainedStreamCombi'> & {
  /** Removes all that a device left. @param owner `tenant/device` */
  forget(owner: string): Promise<void>;
};
type Share = { topics: number; bytes: number };

/**
 * Takes over what the store has.
 * @param onFull hears whose message is not kept, because that device has left too much already
 */
export async function openRetained(store: LevelPersistence, onFull: (client_id: string) => void): Promise<Retained> {
  const kept = new Map<string, StoredPacket>();
  const shares = new Map<string, Share>();
  // Bound: they are replaced by what this returns.
  const [write, readAll] = [store.storeRetained.bind(store), store.createRetainedStream.bind(store)];

  function account(packet: StoredPacket | undefined, sign: 1 | -1): void {
    if (!packet) return;
    const owner = ownerOf(packet.clientId);
    const share = shares.get(owner) ?? { topics: 0, bytes: 0 };
    share.topics += sign;
    share.bytes += sign * packet.payload.length;
    if (share.topics > 0) shares.set(owner, share);
    else shares.delete(owner);
  }
  function put(marked: string, packet: StoredPacket): void {
    account(kept.get(marked), -1);
    if (packet.payload.length === 0) kept.delete(marked);
    else kept.set(marked, packet);
    if (packet.payload.length > 0) account(packet, 1);
  }
  function hasRoom(marked: string, { clientId, payload }: StoredPacket): boolean {
    if (payload.length === 0 || clientId === boxOf(tenantOf(clientId))) return true;
    const share = shares.get(ownerOf(clientId)) ?? { topics: 0, bytes: 0 };
    return (
      share.bytes + payload.length <= RETAINED_MAX_BYTES && (kept.has(marked) || share.topics < RETAINED_MAX_TOPICS)
    );
  }
  for await (const packet of readAll('#') as AsyncIterable<StoredPacket>) put(packet.topic, packet);
  return {
    async storeRetained(packet) {
      const topic = `${tenantOf(packet.clientId)}${MARK}${packet.topic}`;
      if (!hasRoom(topic, packet)) return onFull(packet.clientId);
      // A copy: a payload from the network is a piece of a much larger buffer.
      put(topic, { ...packet, topic, payload: Buffer.from(packet.payload) });
      await write({ ...packet, topic });
    },
    async forget(owner) {
      for (const [topic, packet] of [...kept]) {
        if (ownerOf(packet.clientId) !== owner) continue;
        const empty = { ...packet, topic, payload: Buffer.alloc(0) };
        put(topic, empty);
        await write(empty);
      }
    },
    createRetainedStreamCombi: (filters) => Readable.from(matching(kept, filters)),
  };
}

/** Gives a packet out of the stream its topic back, and says whose tenant it is by its sender. */
export function unmark(packet: { topic: string; clientId?: string }): void {
  const at = packet.topic.indexOf(MARK);
  if (at < 0) return;
  packet.clientId = boxOf(packet.topic.slice(0, at));
  packet.topic = packet.topic.slice(at + 1);
}

function* matching(kept: ReadonlyMap<string, StoredPacket>, filters: readonly string[]): Generator<StoredPacket> {
  const wanted = filters.map((filter) => ({ filter, begin: filter.split(/[+#]/, 1)[0]!.replace(/\/$/, '') }));
  for (const [marked, packet] of kept) {
    const topic = marked.slice(marked.indexOf(MARK) + 1);
    if (wanted.some(({ filter, begin }) => topic.startsWith(begin) && topicMatches(filter, topic))) yield packet;
  }
}
