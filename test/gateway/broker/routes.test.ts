import { describe, expect, it } from 'vitest';
import type { TopicDecoder } from '../../../connectors/meters/mqtt/topic-decoder.ts';
import type { Device } from '../../../engine/model/site.ts';
import { createRoutes } from '../../../gateway/broker/routes.ts';
import { openRig } from './rig.ts';

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

describe('a bridge at the broker', () => {
  it("stores what it publishes as its owners' readings, and nothing for topics of nobody", async () => {
    const lamp: TopicDecoder = {
      ...decoder(false),
      decode: (_topic, payload, at_ms) => ({
        readings: [{ channel: 'main', quantity: 'power_W', value: Number(payload), at_ms }],
      }),
    };
    const rig = await openRig({ decoders: { a: decoder(true), b: lamp }, owners: { 'zigbee2mqtt/lamp': 'b' } });
    try {
      const bridge = await rig.connect('a');
      await bridge.publishAsync('zigbee2mqtt/lamp', '9', { qos: 1 });
      await bridge.publishAsync('zigbee2mqtt/nobody', '7', { qos: 1 });
      expect(rig.stored).toMatchObject([{ device: 'b', readings: [{ meter: 'b', value: 9 }] }]);
    } finally {
      await rig.close();
    }
  });
});
