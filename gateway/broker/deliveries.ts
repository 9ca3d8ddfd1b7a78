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
  /** The time of the first arrival of a message with QoS 1 or 2. */
  arrival(sender: Sender, key: number, dup: boolean, now_ms: number): number;
  acknowledged(key: number, now_ms: number): void;
  ended(client: string, now_ms: number): void;
};

/** Names a message: client, payload and packet id in 48 bits. */
export function deliveryKey(sender: Sender, packet_id: number, payload: Uint8Array): number {
  return crc32(payload, sender.seed) * 65_536 + packet_id;
}

export function createDeliveries(): Deliveries {
  const arrivals = new Map<number, Arrival>();
  const ends = new Map<string, number>();
  function remember(key: number, arrival: Arrival): void {
    // Deleted first, so that the map stays in the order of arrival.
    arrivals.delete(key);
    arrivals.set(key, arrival);
    if (arrivals.size > REMEMBERED) forgetOldest(arrivals);
  }
  /** Clients that resend without the DUP flag exist (mqtt.js): then only what may be unacknowledged is taken for a resend. */
  function mayBeResent({ acked_ms }: Arrival, client: string): boolean {
    const ended_ms = ends.get(client);
    return acked_ms === null || (ended_ms !== undefined && acked_ms >= ended_ms - ACK_LOST_WITHIN_MS);
  }
  return {
    restore: (key, at_ms) => remember(key, { at_ms, acked_ms: null }),
    sender: (client) => ({ seed: crc32(client), client, resending: true }),
    arrival(sender, key, dup, now_ms) {
      const known = arrivals.get(key);
      if (known && (dup || (sender.resending && mayBeResent(known, sender.client)))) return known.at_ms;
      if (!dup) sender.resending = false;
      remember(key, { at_ms: now_ms, acked_ms: null });
      return now_ms;
    },
    acknowledged(key, now_ms) {
      const known = arrivals.get(key);
      if (known) known.acked_ms = now_ms;
    },
    ended(client, now_ms) {
      ends.delete(client);
      ends.set(client, now_ms);
      if (ends.size > CLIENTS_REMEMBERED) forgetOldest(ends);
    },
  };
}

function forgetOldest(map: Map<unknown, unknown>): void {
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
