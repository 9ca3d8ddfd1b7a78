/** The meter points that a new device gets: from its profile's channels, or one with the device's id. */
import { type Fault, InvalidDataError } from '../../../engine/errors.ts';
import type { MeterRole } from '../../../engine/model/site.ts';
import type { MeterService, NewDevice, ProfileSummary } from '../../services.ts';

export type NewPoint = Parameters<MeterService['save']>[1];

/** @throws InvalidDataError for a channel that the profile does not have. */
export function pointsOf(device: NewDevice, profile: ProfileSummary | null): NewPoint[] {
  const wishes = new Map((device.points ?? []).map((point) => [point.channel, point]));
  const channels = profile?.channels ?? ownChannels(device);
  requireKnown(
    [...wishes.keys()],
    channels.map(({ name }) => name),
  );
  const several = channels.length > 1;
  return channels
    .filter(({ name }) => !wishes.get(name)?.skip)
    .map(({ name: channel, label, role }) => {
      const wish = wishes.get(channel);
      const name = device.name?.trim() || device.id;
      const virtual = wish?.virtual ?? null;
      return {
        id: wish?.id ?? (channel === 'main' ? device.id : `${device.id}-${channel}`),
        name: wish?.name ?? (several && channel !== 'main' ? `${name}: ${label}` : name),
        role: wish?.role ?? role,
        device: virtual ? null : device.id,
        channel,
        parent: wish?.parent ?? null,
        virtual,
        ...(device.demo ? { demo: true } : {}),
      };
    });
}

/** A device that speaks our own format has the channels that were asked for, at least one. */
function ownChannels({ points = [] }: NewDevice): { name: string; label: string; role: MeterRole }[] {
  const names = points.length > 0 ? points.map(({ channel }) => channel) : ['main'];
  return [...new Set(names)].map((name) => ({ name, label: name, role: 'load' }));
}

function requireKnown(asked: readonly string[], known: readonly string[]): void {
  const faults: Fault[] = asked
    .filter((channel) => !known.includes(channel))
    .map((channel) => ({
      where: 'points',
      problem: `channel "${channel}" is none of ${known.join(', ') || '(none)'}`,
    }));
  if (faults.length > 0)
    throw new InvalidDataError(
      `The profile has not all of these channels: ${faults.map(({ problem }) => problem).join('; ')}.`,
      'Leave them out.',
      faults,
    );
}
