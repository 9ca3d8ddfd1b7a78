/**
 * The broker of the box and the external one, as the parts see them that are made before the brokers run: what there is
 * to say before that is told in each method.
 */

import { type Broker, openBroker } from '../broker.ts';
import type { Config } from '../config.ts';
import type { Part } from '../lifecycle.ts';
import type { Base, DeviceService, MeterService, SiteService } from '../services.ts';
import type { Certificate } from '../tls.ts';
import type { Deliveries } from './deliveries.ts';
import { type ExternalBroker, externalName, externalState, openExternalBroker } from './external.ts';
import type { Listener } from './hooks.ts';
import type { Messages } from './messages.ts';
import type { Routes } from './routes.ts';

export type BrokerWays = Pick<Broker, 'listen' | 'disconnect' | 'forget'> & {
  /** QoS 0 to clients of the tenant; undefined while the broker does not run. */
  publish(tenant: string, topic: string, payload: string, retain: boolean): Promise<void> | undefined;
  /** Hears every message that a device may publish, from the start of the broker on. @returns a function that ends it */
  hear(listener: Listener): () => void;
  /** As configured while the broker does not run. */
  port(): number;
  tls_port(): number | null;
  /** For the health page: the way to the external broker. */
  external(): ReturnType<typeof externalState>;
  /** What the lifecycle starts: the broker, then the way to the external one. */
  parts(deps: BrokerPartsDeps): Part[];
};
export type BrokerPartsDeps = Base & {
  certificate: Certificate | null;
  devices: DeviceService;
  site: SiteService;
  meters: MeterService;
  routes: Routes;
  messages: Messages;
  deliveries: Deliveries;
};

export function createBrokerWays(config: Config): BrokerWays {
  let broker: Broker | null = null;
  let external: ExternalBroker | null = null;
  const heard = new Set<Listener>();

  async function start(deps: BrokerPartsDeps): Promise<void> {
    const { certificate } = deps;
    const tls = certificate && config.mqtts_port !== null ? { port: config.mqtts_port, ...certificate } : null;
    broker = await openBroker({ ...deps, home: config.home, host: config.host, port: config.mqtt_port, tls });
    broker.hear((tenant, topic, payload) => {
      for (const listener of heard) listener(tenant, topic, payload);
    });
  }
  function startExternal(deps: BrokerPartsDeps): void {
    const { mqtt_url: url, mqtt_topics: topics } = config;
    if (url)
      external = openExternalBroker({
        ...deps,
        url,
        topics,
        client_id: externalName(config),
        onState: () => undefined,
      });
  }
  return {
    listen: (tenant, filter, signal) =>
      broker ? broker.listen(tenant, filter, signal) : Promise.reject(new Error('The broker does not run.')),
    disconnect: (tenant, device) => broker?.disconnect(tenant, device),
    forget: async (tenant, device) => broker?.forget(tenant, device),
    publish: (tenant, topic, payload, retain) => broker?.publish(tenant, topic, payload, { retain }),
    hear(listener) {
      heard.add(listener);
      return () => heard.delete(listener);
    },
    port: () => broker?.port ?? config.mqtt_port,
    tls_port: () => broker?.tls_port ?? null,
    external: () => externalState(external),
    parts: (deps) => [
      { name: 'broker', start: () => start(deps), close: () => broker?.close() },
      { name: 'external broker', start: () => startExternal(deps), close: () => external?.close() },
    ],
  };
}
