/** The package ships no types: what of it we call or put our own in the place of. */
declare module 'aedes-persistence-level' {
  import type { Readable } from 'node:stream';
  import type { ClassicLevel } from 'classic-level';

  export type StoredPacket = {
    topic: string;
    payload: Buffer;
    qos: 0 | 1 | 2;
    retain: boolean;
    /** Of the sender, with its tenant before it: aedes carries it from the broker's hooks to the store. */
    clientId: string;
    messageId?: number;
  };
  export type StoredSubscription = { topic: string; qos: 0 | 1 | 2; clientId?: string };
  export type LevelPersistence = {
    /** Ends each topic's message with an empty payload. */
    storeRetained(packet: StoredPacket): Promise<void>;
    createRetainedStream(pattern: string): Readable;
    createRetainedStreamCombi(patterns: readonly string[]): Readable;
    addSubscriptions(client: { id: string }, subscriptions: readonly StoredSubscription[]): Promise<void>;
    removeSubscriptions(client: { id: string }, topics: readonly string[]): Promise<void>;
    cleanSubscriptions(client: { id: string }): Promise<void>;
    subscriptionsByClient(client: { id: string }): Promise<StoredSubscription[]>;
    subscriptionsByTopic(topic: string): Promise<StoredSubscription[]>;
    outgoingEnqueueCombi(subscriptions: readonly StoredSubscription[], packet: StoredPacket): Promise<unknown>;
    outgoingClearMessageId(client: { id: string }, packet: StoredPacket): Promise<StoredPacket | undefined>;
    /** Rejects "no such packet" when the message is not in the queue. */
    outgoingUpdate(client: { id: string }, packet: StoredPacket): Promise<void>;
    incomingStorePacket(client: { id: string }, packet: StoredPacket): Promise<void>;
    cleanIncoming(client: { id: string }): Promise<void>;
  };
  /** A persistence for `Aedes.createBroker`. */
  export default function levelPersistence(db: ClassicLevel<string, Buffer>): LevelPersistence;
}
