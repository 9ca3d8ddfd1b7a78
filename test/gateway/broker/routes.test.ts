import { describe, expect, it } from 'vitest';
import type { TopicDecoder } from '../../../connectors/meters/mqtt/topic-decoder.ts';
import type { Device } from '../../../engine/model/site.ts';
import { createRoutes } from '../../../gateway/broker/routes.ts';

const decoder = (bridge: boolean): TopicDecoder => ({
  ...{
    bridge,
    mayPublish: () => true,
    maySubscribe: () => false,
    subscriptions: () => [],
    decode: () => ({ readings: [] }),
  },
});
const devices = ['bridge', 'lamp', 'plug'].map(
  (id): Device => ({
    tenant: 'default',
    id,
    name: id,
    profile: 'p',
    connection: { kind: 'mqtt', topic: null },
    enabled: true,
    firmware: null,
  }),
);

describe('routes of a program that publishes for many devices', () => {
  let change: () => void = () => undefined;
  let owner: string | null = 'lamp';
  let asked = 0;
  const routes = createRoutes({
    devices: { get: (_tenant, id) => devices.find((device) => device.id === id) ?? null },
    meters: {
      ofDevice: () => [],
      onChange: (listener) => {
        change = listener;
        return () => undefined;
      },
    },
    decoderOf: (_tenant, id) => decoder(id === 'bridge'),
    ownerOf: () => {
      asked += 1;
      return owner;
    },
  });
  const bridge = () => routes.of('default', 'bridge')!;

  it('give its messages to the owner of the topic, who is asked for once', () => {
    expect(routes.receiver(bridge(), 'zigbee2mqtt/lamp').device).toBe('lamp');
    expect(routes.receiver(bridge(), 'zigbee2mqtt/lamp').device).toBe('lamp');
    expect(asked).toBe(1);
  });
  it('keep what nobody owns, and follow a change', () => {
    owner = null;
    expect(routes.receiver(bridge(), 'zigbee2mqtt/new').device).toBe('bridge');
    owner = 'plug';
    change();
    expect(routes.receiver(bridge(), 'zigbee2mqtt/new').device).toBe('plug');
  });
  it('never give away the messages of an ordinary device', () => {
    expect(routes.receiver(routes.of('default', 'plug')!, 'zigbee2mqtt/lamp').device).toBe('plug');
  });
});
