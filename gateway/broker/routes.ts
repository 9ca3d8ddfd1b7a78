/** What a device may publish and subscribe to, and which of its meter points a message is for. Kept until meters change. */
import type { TopicDecoder } from '../../connectors/meters/mqtt/topic-decoder.ts';
import type { DeviceService, MeterService } from '../services.ts';

export type DeviceRoute = {
  tenant: string;
  device: string;
  enabled: boolean;
  /** `meters/<device>/`: the device's own topics. */
  own: string;
  /** `meters/<device>/readings`: our own format. */
  push_topic: string;
  /** The meter point of a message that names none. */
  default_meter: string;
  /** By the channel's name in the profile. */
  meters: ReadonlyMap<string, string>;
  decoder: TopicDecoder | null;
  mayPublish(topic: string): boolean;
  maySubscribe(filter: string): boolean;
};

export type RoutesDeps = {
  devices: Pick<DeviceService, 'get'>;
  meters: Pick<MeterService, 'ofDevice' | 'onChange'>;
  /** The decoder of a device's profile; null for devices that speak our own format. */
  decoderOf: (tenant: string, device: string) => TopicDecoder | null;
  /** The device whose topic this is; for programs that publish for many devices. */
  ownerOf?: (tenant: string, topic: string) => string | null;
};
export type Routes = {
  /** @returns null for a device that does not exist (any more). */
  of(tenant: string, device: string): DeviceRoute | null;
  /** Whose a message is: the sender's, or, of a program that publishes for many devices, that of the topic's owner. */
  receiver(sender: DeviceRoute, topic: string): DeviceRoute;
  /** Grows with every change, so that a route may be kept as long as it stays. */
  generation(): number;
  close(): void;
};

/** Topics whose owner is remembered. */
const TOPICS_KNOWN = 10_000;

export function createRoutes(deps: RoutesDeps): Routes {
  let routes = new Map<string, DeviceRoute>();
  let owners = new Map<string, DeviceRoute>();
  let generation = 0;
  const stop = deps.meters.onChange(() => {
    routes = new Map();
    owners = new Map();
    generation++;
  });
  function of(tenant: string, device: string): DeviceRoute | null {
    const key = `${tenant}\n${device}`;
    const known = routes.get(key);
    if (known) return known;
    const route = makeRoute(deps, tenant, device);
    if (route) routes.set(key, route);
    return route;
  }
  return {
    of,
    receiver(sender, topic) {
      if (!sender.decoder?.bridge) return sender;
      const key = `${sender.tenant}\n${topic}`;
      const known = owners.get(key);
      if (known) return known;
      const owner = deps.ownerOf?.(sender.tenant, topic) ?? null;
      const route = (owner === null ? null : of(sender.tenant, owner)) ?? sender;
      if (owners.size >= TOPICS_KNOWN) owners = new Map();
      owners.set(key, route);
      return route;
    },
    generation: () => generation,
    close: stop,
  };
}

function makeRoute({ devices, meters, decoderOf }: RoutesDeps, tenant: string, device: string): DeviceRoute | null {
  const known = devices.get(tenant, device);
  if (!known) return null;
  const points = meters.ofDevice(tenant, device);
  const decoder = decoderOf(tenant, device);
  const own = `meters/${device}/`;
  // Written by the box alone; the organisation stands in it, for device ids are unique only within one.
  const alerts = `alerts/${tenant}/${device}/`;
  const setpoints = `setpoints/${tenant}/${device}/`;
  return {
    tenant,
    device,
    enabled: known.enabled,
    own,
    push_topic: `${own}readings`,
    default_meter: points.length === 1 ? points[0]!.id : device,
    meters: new Map(points.map((point) => [point.channel, point.id])),
    decoder,
    mayPublish: (topic) => topic.startsWith(own) || (decoder?.mayPublish(topic) ?? false),
    maySubscribe: (filter) =>
      filter.startsWith(own) ||
      filter.startsWith(alerts) ||
      filter.startsWith(setpoints) ||
      (decoder?.maySubscribe(filter) ?? false),
  };
}
