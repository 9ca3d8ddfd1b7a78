import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createMemoryBus } from '../../../connectors/bus/memory.ts';
import type { MeterPoint } from '../../../engine/model/site.ts';
import { createDiscovery, type DiscoveryDeps } from '../../../gateway/services/discovery.ts';
import { silent } from '../../setup/database.ts';

describe('discovery', () => {
  const published: string[] = [];
  const values = new Map<string, { value: number; at_ms: number; received_ms: number; quality: number }>();
  const bus = createMemoryBus({ log: silent });
  let points: MeterPoint[] = [];
  let changed: () => void = () => undefined;
  const point = (name: string): MeterPoint => ({
    ...{
      tenant: 'default',
      id: 'm1',
      site: 'main',
      name,
      role: 'load',
      device: 'm1',
      channel: 'main',
      parent: null,
      virtual: null,
    },
  });
  const deps = (discovery = true): DiscoveryDeps => ({
    ...{ config: { discovery } as DiscoveryDeps['config'], bus, log: silent },
    meters: {
      list: () => points,
      get: (_tenant, id) => points.find((p) => p.id === id) ?? null,
      onChange: (listener) => {
        changed = listener;
        return () => undefined;
      },
    },
    live: { of: () => values },
    tenants: () => ['default'],
    publish: (_tenant, topic, payload, retain) =>
      published.push(`${topic} ${retain ? 'R ' : ''}${payload.slice(0, 24)}`),
  });
  const set = (value: number, at_ms: number) => {
    values.set('power_W', { value, at_ms, received_ms: at_ms, quality: 0 });
    bus.publish({ type: 'readings', tenant: 'default', meters: ['m1'] });
  };
  beforeEach(() => {
    vi.useFakeTimers();
    points = [point('Hall')];
    values.clear();
    published.length = 0;
  });
  afterEach(() => vi.useRealTimers());

  it('announces once, then publishes a state at most every five seconds and only when there is a new one', () => {
    const discovery = createDiscovery(deps());
    discovery.start();
    for (let i = 0; i < 20; i++) set(100 + i, i);
    expect(published).toEqual([]);
    vi.advanceTimersByTime(5000);
    expect(published).toEqual([
      'homeassistant/sensor/luna_m1_power_W/config R {"name":"power","unique_',
      'luna/m1/power_W/state 119',
    ]);
    bus.publish({ type: 'readings', tenant: 'default', meters: ['m1'] });
    vi.advanceTimersByTime(5000);
    expect(published).toHaveLength(2);
    set(7, 99);
    vi.advanceTimersByTime(5000);
    expect(published.slice(2)).toEqual(['luna/m1/power_W/state 7']);
    discovery.stop();
    set(8, 100);
    vi.advanceTimersByTime(20_000);
    expect(published).toHaveLength(3);
  });
  it('takes back what was removed and renames what was renamed', () => {
    const discovery = createDiscovery(deps());
    set(1, 1);
    discovery.start();
    published.length = 0;
    points = [point('Hall 3')];
    changed();
    changed();
    expect(published).toEqual(['homeassistant/sensor/luna_m1_power_W/config R {"name":"power","unique_']);
    points = [];
    changed();
    expect(published.slice(1)).toEqual(['homeassistant/sensor/luna_m1_power_W/config R ']);
    discovery.stop();
  });
  it('is silent when it is switched off', () => {
    const discovery = createDiscovery(deps(false));
    discovery.start();
    set(1, 1);
    vi.advanceTimersByTime(10_000);
    expect(published).toEqual([]);
    discovery.stop();
  });
});
