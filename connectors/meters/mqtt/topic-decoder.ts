/**
 * What a device may publish and subscribe to, and what its messages mean. Made per device from its profile; used by
 * the broker and by the client of an external broker.
 */
import { InvalidDataError } from '../../../engine/errors.ts';
import type { Device } from '../../../engine/model/site.ts';
import { parsePath, valueAt } from '../profile/json-path.ts';
import { createPayloadDecoder, parseDocument } from '../profile/payload.ts';
import type { ChannelReading, Profile } from '../profile/profile.ts';
import type { MqttSpec } from '../profile/schema.ts';
import { filled, filterWithin, topicMatches } from '../profile/topics.ts';
import { scaled } from '../profile/units.ts';

export type DecodedMessage = { readings: ChannelReading[]; firmware?: string };

export type TopicDecoder = {
  /** The credential of a program that publishes for many devices: topics decide whose a message is. */
  readonly bridge?: boolean;
  mayPublish(topic: string): boolean;
  maySubscribe(filter: string): boolean;
  /** Topic filters that bring the device's readings, for a client of an external broker. */
  subscriptions(): string[];
  /** Readings of one message; none for a topic without any. Topics that bring the parts of a sum are remembered.
   * @throws InvalidDataError when the payload is not what the profile says; trying again gives the same. */
  decode(topic: string, payload: Buffer, received_ms: number): DecodedMessage;
};

const LARGEST_PAYLOAD_BYTES = 256 * 1024;

/** @param device its connection gives the topic; without one the device's id stands for it. */
export function createTopicDecoder(
  profile: Profile,
  device: Pick<Device, 'tenant' | 'id' | 'connection'>,
): TopicDecoder {
  if (!profile.mqtt) throw new InvalidDataError(`${profile.name} is no MQTT profile.`, 'Choose another profile.');
  const mqtt = profile.mqtt;
  const own = device.connection.kind === 'mqtt' ? device.connection.topic : null;
  // Other tenants' home automation sees other topics: filters of two tenants never overlap.
  const tenant = device.tenant === 'default' ? '' : `-${device.tenant}`;
  const fill = (pattern: string) => filled(pattern, { topic: own || device.id, tenant });
  const readers = createReaders(mqtt, fill);
  const sums = createSums(mqtt, fill);
  const firmware = createFirmwareReader(mqtt, fill);
  const topics = [...readers.map(([topic]) => topic), ...mqtt.sums.flatMap((sum) => sum.of.map(fill))];
  const publishes = [...mqtt.publishes.map(fill), ...topics];
  const subscribes = mqtt.subscribes.map(fill);
  return {
    bridge: mqtt.bridge,
    mayPublish: (topic) => publishes.some((filter) => topicMatches(filter, topic)),
    maySubscribe: (filter) => subscribes.some((allowed) => filterWithin(filter, allowed)),
    subscriptions: () => [...new Set([...topics, ...(mqtt.firmware ? [fill(mqtt.firmware.topic)] : [])])],
    decode(topic, payload, received_ms) {
      if (payload.length > LARGEST_PAYLOAD_BYTES)
        throw new InvalidDataError(`The message has ${payload.length} bytes; at most 256 kB are read.`);
      const text = payload.toString('utf8');
      const readings: ChannelReading[] = [];
      for (const [filter, read] of readers)
        if (topicMatches(filter, topic)) readings.push(...read(payload, received_ms));
      readings.push(...sums(topic, text, received_ms));
      const version = firmware(topic, text);
      return version === undefined ? { readings } : { readings, firmware: version };
    },
  };
}

type Fill = (pattern: string) => string;

function createReaders(mqtt: MqttSpec, fill: Fill) {
  return mqtt.topics.map((spec) => [fill(spec.topic), createPayloadDecoder(spec)] as const);
}

/**
 * A sum is made when its last part arrives and all others are fresh: so a message that is delivered again gives the
 * same sum again, and none is lost with a message that was not acknowledged.
 */
function createSums(mqtt: MqttSpec, fill: Fill) {
  const parts = new Map<string, { value: number; at_ms: number }>();
  const sums = mqtt.sums.map((sum) => ({ ...sum, of: sum.of.map(fill) }));
  const needed = new Set(sums.flatMap((sum) => sum.of));
  return (topic: string, text: string, received_ms: number): ChannelReading[] => {
    if (!needed.has(topic)) return [];
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value)) return [];
    parts.set(topic, { value, at_ms: received_ms });
    return sums.flatMap(({ of, channel, quantity, factor, within_s }) => {
      if (of.at(-1) !== topic) return [];
      const fresh = of
        .map((name) => parts.get(name))
        .filter((part) => part && received_ms - part.at_ms <= within_s * 1000);
      if (fresh.length < of.length) return [];
      const total = fresh.reduce((sum, part) => sum + part!.value, 0);
      return [{ channel, quantity, value: scaled(Number(total.toPrecision(14)), factor), at_ms: received_ms }];
    });
  };
}

function createFirmwareReader(mqtt: MqttSpec, fill: Fill): (topic: string, text: string) => string | undefined {
  if (!mqtt.firmware) return () => undefined;
  const filter = fill(mqtt.firmware.topic);
  const path = mqtt.firmware.path === undefined ? null : parsePath(mqtt.firmware.path);
  return (topic, text) => {
    if (!topicMatches(filter, topic)) return undefined;
    if (path === null) return text.replace(/^"|"$/g, '').slice(0, 64) || undefined;
    const value = valueAt(parseDocument('json', text), path);
    return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 64) : undefined;
  };
}
