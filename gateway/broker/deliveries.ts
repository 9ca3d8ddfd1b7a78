/**
 * When each MQTT message first arrived. A message that is delivered again (its acknowledgement was lost, or the box was
 * killed) and that carries no time of its own keeps the time of its first arrival. The journal's records carry the key, so
 * that this holds over a restart.
 */
import { crc32 } from 'node:zlib';

/** Messages remembered; the oldest are forgotten first. */
const REMEMBERED = 65_536;
const CLIENTS_REMEMBERED = 10_000;
/** Older arrivals are never taken for the same message, however it is marked. */
const RESENT_WITHIN_MS = 7 * 86_400_000;
/** A client that resends without the DUP flag does so as soon as it is connected again. */
const UNMARKED_WITHIN_MS = 120_000;

type Arrival = {
  at_ms: number;
  /** Number of the arrival, counted over all clients. */
  nth: number;
  /** Its acknowledgement was written to an open connection; false also for what the journal replayed. */
  acked: boolean;
};

/** One connection of a client. */
export type Sender = {
  /** CRC32 of the client id: the start value of its messages' keys. */
  seed: number;
  client: string;
  /** True until the connection brings something new: a client resends first, in order. */
  resending: boolean;
  /** False once the connection has ended: no acknowledgement reaches it any more. */
  open: boolean;
  /** Number of the last arrival before it, or of its own last. */
  last_nth: number;
};

export type Deliveries = {
  /** Takes over what the journal replays at start. */
  restore(key: number, at_ms: number): void;
  sender(client: string): Sender;
  /** The time of the first arrival of a message with QoS 1 or 2 that is delivered again; undefined for a new one. */
  firstArrival(sender: Sender, message: Delivered, now_ms: number): number | undefined;
  /** Remembers a new message without a time of its own. @returns its key */
  remember(sender: Sender, packet_id: number, payload: Uint8Array, at_ms: number): number;
  acknowledged(sender: Sender, key: number): void;
  /** @param graceful the client took its leave with DISCONNECT */
  ended(sender: Sender, graceful: boolean): void;
};
export type Delivered = { packet_id: number; payload: Uint8Array; dup: boolean };

/** Names a message: client, payload and packet id in 48 bits. */
function deliveryKey(sender: Sender, packet_id: number, payload: Uint8Array): number {
  return crc32(payload, sender.seed) * 65_536 + packet_id;
}

export function createDeliveries(): Deliveries {
  const arrivals = new Map<number, Arrival>();
  /** Keys in the order of arrival; a map alone would search for its oldest entry. */
  const order = new Float64Array(REMEMBERED);
  let turn = 0;
  let count = 0;
  /** By client: the messages that had arrived when it last took its leave. */
  const left = new Map<string, number>();
  function put(key: number, at_ms: number): void {
    const arrival = { at_ms, nth: ++count, acked: false };
    const known = arrivals.get(key);
    if (known) {
      Object.assign(known, arrival);
      return;
    }
    arrivals.delete(order[turn]!);
    order[turn] = key;
    turn = (turn + 1) % REMEMBERED;
    arrivals.set(key, arrival);
  }
  /**
   * DUP marks a resend [MQTT-3.3.1-1]; then only a client that had the acknowledgement and took its leave begins anew.
   * Without it the message is new (a meter that sleeps between readings begins each connection with the same packet id,
   * often with the same value), unless it is what a broken connection left unacknowledged.
   */
  function isResent({ at_ms, nth, acked }: Arrival, sender: Sender, dup: boolean, now_ms: number): boolean {
    const hasLeft = nth <= (left.get(sender.client) ?? 0);
    const age_ms = now_ms - at_ms;
    if (dup) return !(hasLeft && acked) && age_ms <= RESENT_WITHIN_MS;
    return sender.resending && !hasLeft && !acked && age_ms <= UNMARKED_WITHIN_MS;
  }
  return {
    restore: put,
    sender: (client) => ({ seed: crc32(client), client, resending: true, open: true, last_nth: count }),
    firstArrival(sender, { packet_id, payload, dup }, now_ms) {
      if (!dup && !sender.resending) return undefined;
      const known = arrivals.get(deliveryKey(sender, packet_id, payload));
      return known && isResent(known, sender, dup, now_ms) ? known.at_ms : undefined;
    },
    remember(sender, packet_id, payload, at_ms) {
      sender.resending = false;
      const key = deliveryKey(sender, packet_id, payload);
      put(key, at_ms);
      sender.last_nth = count;
      return key;
    },
    acknowledged(sender, key) {
      const known = arrivals.get(key);
      if (known && sender.open) known.acked = true;
    },
    ended(sender, graceful) {
      sender.open = false;
      if (!graceful) return;
      left.delete(sender.client);
      if (left.size >= CLIENTS_REMEMBERED) left.delete(left.keys().next().value!);
      left.set(sender.client, sender.last_nth);
    },
  };
}
