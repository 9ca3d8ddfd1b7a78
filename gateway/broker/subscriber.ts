/** How a connected client gets its messages: what aedes leaves open or does otherwise. */
import type { Client } from 'aedes';
import { topicMatches } from '../../connectors/meters/profile/topics.ts';
import { unmark } from './retained.ts';

/** What may wait in memory for a client that does not read; then it is dropped. A durable session keeps QoS 1 and 2. */
export const UNREAD_MAX_BYTES = 4 * 1024 * 1024;
/** Messages remembered, to give one that several filters match only once. */
const REMEMBERED = 256;

type Packet = { topic: string; clientId?: string; qos: 0 | 1 | 2; brokerId: string | null; brokerCounter: number };
type Deliver = (packet: Packet, done: () => void) => void;
/** What aedes 1.2 has on a client, but does not type. */
type Delivering = Client & {
  subscriptions: Record<string, { qos: 0 | 1 | 2 }>;
  duplicates: Record<string, number>;
  deliver0: Deliver;
  deliverQoS: Deliver;
  waitForDrain(done: (error: Error | null, client: Client) => void): void;
};

/** Call it as soon as aedes has made the client. */
export function tuneDelivery(given: Client): void {
  const client = given as Delivering;
  deliverOnce(client);
  neverWait(client);
}

/**
 * A message that several filters match comes once, with the highest QoS granted by any of them, never above the
 * sender's (MQTT 3.1.1, 3.3.5 and 4.3). aedes takes the filter it finds first; and it drops what overtakes another
 * message on its way through the store, taking it for a repetition.
 */
function deliverOnce(client: Delivering): void {
  const { deliver0, deliverQoS } = client;
  const seen = new Set<number>();
  client.duplicates = new Proxy({}, { get: () => 0, set: () => true });
  function isRepetition({ brokerId, brokerCounter }: Packet): boolean {
    if (brokerId === null) return false;
    if (seen.has(brokerCounter)) return true;
    seen.add(brokerCounter);
    if (seen.size > REMEMBERED) seen.delete(seen.values().next().value!);
    return false;
  }
  client.deliver0 = client.deliverQoS = (packet, done) => {
    unmark(packet);
    if (isRepetition(packet)) return void setImmediate(done);
    packet.qos = grantedQos(client, packet);
    (packet.qos > 0 ? deliverQoS : deliver0)(packet, done);
  };
}

function grantedQos({ subscriptions }: Delivering, { topic, qos }: Packet): 0 | 1 | 2 {
  let granted: 0 | 1 | 2 = 0;
  for (const filter in subscriptions)
    if (subscriptions[filter]!.qos > granted && topicMatches(filter, topic)) granted = subscriptions[filter]!.qos;
  return granted < qos ? granted : qos;
}

/**
 * A sender never waits for a subscriber that does not read: the message lies in memory, up to a bound and for the
 * drain timeout, then the subscriber is dropped. Only the queue of a session that comes back goes out at its pace.
 */
function neverWait(client: Delivering): void {
  const wait = client.waitForDrain.bind(client);
  let waiting = false;
  client.waitForDrain = (done) => {
    if (client.connecting) return wait(done);
    if (!waiting) {
      waiting = true;
      wait(() => {
        waiting = false;
      });
    }
    if (client.conn.writableLength > UNREAD_MAX_BYTES) client.conn.destroy(new Error('it does not read its messages'));
    setImmediate(done, null, client);
  };
}
