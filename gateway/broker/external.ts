/** Readings from an external MQTT broker: the topics of our devices there, on the same way as from the embedded one. */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { MqttConnection } from '../../connectors/meters/mqtt/client.ts';
import { type ExternalMqtt, type MqttMessage, openMqttClient } from '../../connectors/meters/mqtt/client.ts';
import { topicMatches } from '../../connectors/meters/profile/topics.ts';
import type { Clock, Closable } from '../../engine/ports.ts';
import type { DeviceService, MeterService, SiteService } from '../services.ts';
import type { Deliveries } from './deliveries.ts';
import type { Messages } from './messages.ts';
import type { DeviceRoute, Routes } from './routes.ts';

export type ExternalBrokerOptions = {
  url: string;
  /** Filters to subscribe to; empty: those of the devices. */
  topics: readonly string[];
  /** Stable over restarts. */
  client_id: string;
  clock: Clock;
  devices: Pick<DeviceService, 'list' | 'report'>;
  site: Pick<SiteService, 'tenants'>;
  meters: Pick<MeterService, 'onChange'>;
  routes: Routes;
  messages: Messages;
  deliveries: Deliveries;
  onState: (state: MqttConnection) => void;
};
export type ExternalBroker = Closable & { state(): MqttConnection };

type Listening = { filter: string; route: { tenant: string; device: string } };

/** Topics whose owner is remembered. */
const TOPICS_KNOWN = 10_000;

/** Connects and keeps the subscriptions in step with the devices. */
export function openExternalBroker(options: ExternalBrokerOptions): ExternalBroker {
  const { routes, messages, clock, topics } = options;
  const sender = options.deliveries.sender(`external/${options.client_id}`);
  let listening: Listening[] = [];
  let byTopic = new Map<string, Listening['route'] | null>();

  /** Readings never go to another tenant: a topic that two of them listen to is nobody's. */
  function ownerOf(topic: string): Listening['route'] | null {
    const owners = listening.filter(({ filter }) => topicMatches(filter, topic)).map(({ route }) => route);
    if (owners.every(({ tenant }) => tenant === owners[0]!.tenant)) return owners[0] ?? null;
    const text = `Its topic ${topic} is not its own on this box; readings from it are not stored. Give it another id or topic.`;
    for (const { tenant, device } of owners) options.devices.report(tenant, device, { kind: 'failed', text });
    return null;
  }
  function find(topic: string): DeviceRoute | null {
    let owner = byTopic.get(topic);
    if (owner === undefined) {
      owner = ownerOf(topic);
      if (byTopic.size >= TOPICS_KNOWN) byTopic = new Map();
      byTopic.set(topic, owner);
    }
    return owner && routes.of(owner.tenant, owner.device);
  }
  async function take({ topic, payload, qos, packet_id, dup }: MqttMessage): Promise<void> {
    const route = find(topic);
    if (!route?.enabled) return;
    const delivery = qos > 0 ? { sender, packet_id, dup } : undefined;
    await messages.take(route, topic, payload, clock.now(), delivery);
  }
  const client: ExternalMqtt = openMqttClient({ ...options, onMessage: take });
  function refresh(): void {
    listening = listeningOf(options);
    byTopic = new Map();
    client.subscribe(topics.length > 0 ? topics : [...new Set(listening.map(({ filter }) => filter))]);
  }
  refresh();
  const stop = options.meters.onChange(refresh);
  return {
    state: client.state,
    async close() {
      stop();
      await client.close();
    },
  };
}

function listeningOf({ site, devices, routes }: ExternalBrokerOptions): Listening[] {
  return site.tenants().flatMap((tenant) =>
    devices.list(tenant).flatMap((device) => {
      const route = device.connection.kind === 'mqtt' ? routes.of(tenant, device.id) : null;
      if (!route?.enabled) return [];
      const filters = route.decoder ? route.decoder.subscriptions() : [];
      return [...filters, route.push_topic].map((filter) => ({ filter, route: { tenant, device: device.id } }));
    }),
  );
}

/** How the box names itself to the broker: stable over restarts, so that the broker keeps what came meanwhile. */
export function externalName({ home }: { home: string }): string {
  const name = createHash('sha256').update(`${hostname()} ${home}`).digest('hex').slice(0, 16);
  return `luna-${name}`;
}

/** For the health page. @throws Error with the reason while there is no connection. */
export function externalState(external: ExternalBroker | null): string {
  const state = external?.state();
  if (!state?.connected) throw new Error(state?.fault ?? 'Not connected yet.');
  return state.fault ?? 'connected';
}
