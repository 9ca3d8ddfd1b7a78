/** Announces to Home Assistant what the box measures, and publishes its states a few seconds apart. */
import {
  type Announced,
  configTopic,
  discoveryMessage,
  stateTopic,
} from '../../connectors/meters/discovery/home-assistant.ts';
import type { Base, LiveValues, MeterService } from '../services.ts';

/** Nothing waits for the broker; it may not run. */
export type Publish = (tenant: string, topic: string, payload: string, retain: boolean) => unknown;

export type DiscoveryDeps = Pick<Base, 'config' | 'bus' | 'log'> & {
  meters: Pick<MeterService, 'list' | 'get' | 'onChange'>;
  live: Pick<LiveValues, 'of'>;
  tenants: () => readonly string[];
  publish: Publish;
};

/** States of one meter point come at most this often. */
const STATES_EVERY_MS = 5000;

export function createDiscovery(deps: DiscoveryDeps): { start(): void; stop(): void } {
  const { config, bus, meters, live, log } = deps;
  /** By configuration topic, with the message as it was sent. */
  const announced = new Map<string, { what: Announced; payload: string }>();
  const sent = new Map<string, number>();
  const news = new Set<string>();
  const endings: (() => void)[] = [];

  function publish(tenant: string, topic: string, payload: string, retain: boolean): void {
    Promise.resolve(deps.publish(tenant, topic, payload, retain)).catch((error: unknown) =>
      log.warn({ err: error, topic }, 'a discovery message could not be published'),
    );
  }

  function announce(what: Announced): void {
    const message = discoveryMessage(what);
    if (!message || announced.get(message.topic)?.payload === message.payload) return;
    announced.set(message.topic, { what, payload: message.payload });
    publish(what.tenant, message.topic, message.payload, true);
  }

  function tell(tenant: string, meter: string): void {
    const point = meters.get(tenant, meter);
    if (!point) return;
    for (const [quantity, { value, at_ms }] of live.of(tenant, meter)) {
      const what = { tenant, meter, name: point.name, quantity };
      announce(what);
      const topic = stateTopic(what);
      if (!announced.has(configTopic(what)) || sent.get(topic) === at_ms) continue;
      sent.set(topic, at_ms);
      publish(tenant, topic, String(value), false);
    }
  }

  function flush(): void {
    const waiting = [...news];
    news.clear();
    for (const key of waiting) {
      const [tenant = '', meter = ''] = key.split('\n');
      tell(tenant, meter);
    }
  }

  /** Takes back what is gone and renames what was renamed; an empty retained message removes a sensor. */
  function follow(): void {
    for (const [topic, { what }] of announced) {
      const point = meters.get(what.tenant, what.meter);
      if (point) announce({ ...what, name: point.name });
      else {
        announced.delete(topic);
        sent.delete(stateTopic(what));
        publish(what.tenant, topic, '', true);
      }
    }
  }

  return {
    start() {
      if (!config.discovery) return;
      for (const tenant of deps.tenants()) for (const { id } of meters.list(tenant)) news.add(`${tenant}\n${id}`);
      flush();
      const timer = setInterval(flush, STATES_EVERY_MS);
      timer.unref();
      endings.push(
        () => clearInterval(timer),
        meters.onChange(follow),
        bus.subscribe((event) => {
          if (event.type === 'readings') for (const meter of event.meters) news.add(`${event.tenant}\n${meter}`);
        }),
      );
    },
    stop() {
      for (const end of endings.splice(0)) end();
    },
  };
}
