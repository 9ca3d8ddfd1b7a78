import { describe, expect, it } from 'vitest';
import { configTopic, discoveryMessage, stateTopic } from '../../../connectors/meters/discovery/home-assistant.ts';

const what = (quantity: string, tenant = 'default', meter = 'hall-2') => ({ tenant, meter, name: 'Hall 2', quantity });

describe('discovery messages', () => {
  it('describe a power as a measurement', () => {
    const message = discoveryMessage(what('power_W'));
    expect(message?.topic).toBe('homeassistant/sensor/luna_hall-2_power_W/config');
    expect(JSON.parse(message?.payload ?? '')).toEqual({
      ...{ name: 'power', unique_id: 'luna_hall-2_power_W', state_topic: 'luna/hall-2/power_W/state' },
      ...{ unit_of_measurement: 'W', device_class: 'power', state_class: 'measurement' },
      device: { identifiers: ['luna_hall-2'], name: 'Hall 2', manufacturer: 'Luna iEMS' },
      origin: { name: 'Luna iEMS' },
    });
  });
  it.each([
    ['import_kWh', 'energy', 'total_increasing', 'kWh'],
    ['gas_m3', 'gas', 'total_increasing', 'm³'],
    ['soc_percent', 'battery', 'measurement', '%'],
    ['voltage_l1_V', 'voltage', 'measurement', 'V'],
    ['power_factor_ratio', 'power_factor', 'measurement', undefined],
    ['reactive_import_kvarh', undefined, 'total_increasing', 'kvarh'],
  ])('%s', (quantity, device_class, state_class, unit) => {
    const payload = JSON.parse(discoveryMessage(what(quantity))?.payload ?? '') as Record<string, unknown>;
    expect([payload.device_class, payload.state_class, payload.unit_of_measurement]).toEqual([
      device_class,
      state_class,
      unit,
    ]);
  });
  it('leave out energy of an interval, which is no state', () =>
    expect(discoveryMessage(what('import_interval_kWh'))).toBeNull());
  it('keep tenants apart, and ids without characters that Home Assistant refuses', () => {
    expect(stateTopic(what('power_W', 'acme'))).toBe('luna-acme/hall-2/power_W/state');
    expect(configTopic(what('power_W', 'acme', 'a.b'))).toBe('homeassistant-acme/sensor/luna_a_b_power_W/config');
  });
});
