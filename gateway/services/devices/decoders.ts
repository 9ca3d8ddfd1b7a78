/** The topic decoders of the devices with an MQTT profile, made when first asked for and again when something changed. */
import { createTopicDecoder, type TopicDecoder } from '../../../connectors/meters/mqtt/topic-decoder.ts';
import { topicMatches } from '../../../connectors/meters/profile/topics.ts';
import type { Device } from '../../../engine/model/site.ts';
import type { MeterService } from '../../services.ts';
import type { Profiles } from '../profiles.ts';
import type { DeviceMemory } from './memory.ts';
import { type ChannelMap, channelMap, oriented } from './orientation.ts';

export type Decoders = {
  /** Rights and decoding of a device; null for one without MQTT profile. Power is turned to the meter point's role. */
  decoderOf(tenant: string, device: string): TopicDecoder | null;
  /** The device whose topic this is: for programs that publish for many devices. */
  ownerOf(tenant: string, topic: string): string | null;
  /** Topic filters that bring the readings of a device, stored or not; none without MQTT profile. */
  filtersOf(device: Pick<Device, 'tenant' | 'id' | 'profile' | 'connection'>): readonly string[];
};

export function createDecoders(
  memory: Pick<DeviceMemory, 'get' | 'list'>,
  meters: Pick<MeterService, 'ofDevice'>,
  profiles: Profiles,
): Decoders {
  const decoders = new Map<string, { made_for: string; decoder: TopicDecoder }>();

  function decoderOf(tenant: string, id: string): TopicDecoder | null {
    const device = memory.get(tenant, id);
    if (device?.connection.kind !== 'mqtt' || device.profile === null || !profiles.get(device.profile)) return null;
    const profile = profiles.full(device.profile);
    const points = meters.ofDevice(tenant, id);
    const key = `${tenant}\n${id}`;
    const made_for = JSON.stringify([profile.name, device.connection, points.map((p) => [p.id, p.channel, p.role])]);
    const known = decoders.get(key);
    // Kept over changes elsewhere: it remembers the parts of sums.
    if (known?.made_for === made_for) return known.decoder;
    const decoder = turned(createTopicDecoder(profile, device), channelMap(points, profile.channels));
    decoders.set(key, { made_for, decoder });
    return decoder;
  }

  return {
    decoderOf,
    ownerOf(tenant, topic) {
      for (const { id, enabled } of memory.list(tenant)) {
        const decoder = enabled ? decoderOf(tenant, id) : null;
        if (!decoder || decoder.bridge) continue;
        if (decoder.subscriptions().some((filter) => topicMatches(filter, topic))) return id;
      }
      return null;
    },
    filtersOf(device) {
      if (device.connection.kind !== 'mqtt' || device.profile === null || !profiles.get(device.profile)) return [];
      return createTopicDecoder(profiles.full(device.profile), device).subscriptions();
    },
  };
}

function turned(decoder: TopicDecoder, channels: ChannelMap): TopicDecoder {
  return {
    ...decoder,
    decode(topic, payload, received_ms) {
      const message = decoder.decode(topic, payload, received_ms);
      return { ...message, readings: oriented(message.readings, channels) };
    },
  };
}
