/**
 * Which way power counts: a meter counts import as positive, but a meter point of generation or storage shows what it
 * gives as positive. Where the role chosen for a channel looks the other way than the profile's, the sign turns.
 * Registers keep their names: energy that flows into what hangs behind the meter point is import either way.
 */
import type { MeterPoint, MeterRole } from '../../../engine/model/site.ts';

const SIGNED = /^(?:power(?:_l[123])?_W|reactive_power_var|current(?:_l[123])?_A)$/;

function gives(role: MeterRole): boolean {
  return role === 'generation' || role === 'battery';
}

export type ChannelMap = ReadonlyMap<string, { meter: string; turned: boolean }>;

/** @param roles the profile's role of each channel. */
export function channelMap(
  points: readonly MeterPoint[],
  roles: Readonly<Record<string, { role: MeterRole }>>,
): ChannelMap {
  return new Map(
    points.map(({ channel, id, role }) => [
      channel,
      { meter: id, turned: gives(role) !== gives(roles[channel]?.role ?? role) },
    ]),
  );
}

/** Readings of channels that have no meter point are left out: the person removed it. */
export function oriented<R extends { channel: string; quantity: string; value: number }>(
  readings: readonly R[],
  channels: ChannelMap,
): R[] {
  return readings.flatMap((reading) => {
    const channel = channels.get(reading.channel);
    if (!channel) return [];
    const turned = channel.turned && reading.value !== 0 && SIGNED.test(reading.quantity);
    return [turned ? { ...reading, value: -reading.value } : reading];
  });
}
