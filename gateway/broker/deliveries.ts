/**
 * When each MQTT message first arrived. A message that is delivered again (its acknowledgement was lost, or the box was
 * killed) and that carries no time of its own keeps the time of its first arrival. The journal's records carry the key, so
 * that this holds over a restart.
 */
import { crc32 } from 'node:zlib';

/** Messages remembered; the oldest are forgotten first. */
const REMEMBERED = 65_536;
const CLIENTS_REMEMBERED = 10_000;
/** An acknowledgement that was written longer before the connection ended has arrived. */
const ACK_LOST_WITHIN_MS = 120_000;

type Arrival = {
  at_ms: number /** When the acknowledgement was written; null: never, or before a restart. */;
  acked_ms: number | null;
};

/** One connection of a client. */
export type Sender = {
  /** CRC32 of the client id: the start value of its messages' keys. */
  seed: number;
  client: string;
  /** True until the connection brings something new: a client resends first, in order. */
  resending: boolean;
};

export type Deliveries = {
  /** Takes over what the journal replays at start. */
  restore(key: number, at_ms: number): void;
  sender(client: string): Sender;
  /** The time of the first arrival of a message with QoS 1 or 2 that is delivered again; undefined for a new one. */
  firstArrival(sender: Sender, packet_id: number, payload: Uint8Array, dup: boolean): number | undefined;
  /** Remembers a new message without a time of its own. @returns its key */
  remember(sender: Sender, packet_id: number, payload: Uint8Array, at_ms: number): number;
  acknowledged(key: number, now_ms: number): void;
  ended(client: string, now_ms: number): void;
};

/** Names a message: client, payload and packet id in 48 bits. */
function deliveryKey(sender: Sender, packet_id: number, payload: Uint8Array): number {
  return crc32(payload, sender.seed) * 65_536 + packet_id;
}

export function createDeliveries(): Deliveries {
  const arrivals = new Map<number, Arrival>();
  /** Keys in the order of arrival; a map alone would search for its oldest entry. */
  const order = new Float64Array(REMEMBERED);
  let turn = 0;
  const ends = new Map<string, number>();
  function put(key: number, at_ms: number): void {
    const known = arrivals.get(key);
    if (known) {
      known.at_ms = at_ms;
      known.acked_ms = null;
      return;
    }
    arrivals.delete(order[turn]!);
    order[turn] = key;
    turn = (turn + 1) % REMEMBERED;
    arrivals.set(key, { at_ms, acked_ms: null });
  }
  /** Clients that resend without the DUP flag exist (mqtt.js): then only what may be unacknowledged is taken for a resend. */
  function mayBeResent({ acked_ms }: Arrival, client: string): boolean {
    const ended_ms = ends.get(client);
    return acked_ms === null || (ended_ms !== undefined && acked_ms >= ended_ms - ACK_LOST_WITHIN_MS);
  }
  return {
    restore: put,
    sender: (client) => ({ seed: crc32(client), client, resending: true }),
    firstArrival(sender, packet_id, payload, dup) {
      if (!dup && !sender.resending) return undefined;
      const known = arrivals.get(deliveryKey(sender, packet_id, payload));
      return known && (dup || mayBeResent(known, sender.client)) ? known.at_ms : undefined;
    },
    remember(sender, packet_id, payload, at_ms) {
      sender.resending = false;
      const key = deliveryKey(sender, packet_id, payload);
      put(key, at_ms);
      return key;
    },
    acknowledged(key, now_ms) {
      const known = arrivals.get(key);
      if (known) known.acked_ms = now_ms;
    },
    ended(client, now_ms) {
      if (ends.size >= CLIENTS_REMEMBERED) ends.clear();
      ends.set(client, now_ms);
    },
  };
}
