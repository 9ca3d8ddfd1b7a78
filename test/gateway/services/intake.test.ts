import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnavailableError } from '../../../engine/errors.ts';
import type { ReadingGroup } from '../../../engine/model/reading.ts';
import type { MeterPoint } from '../../../engine/model/site.ts';
import type { LunaEvent } from '../../../engine/ports.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { createIntake } from '../../../gateway/services/intake.ts';
import { createLiveValues } from '../../../gateway/services/live.ts';
import { meterPoint } from '../broker/rig.ts';

const NOW = 1_780_000_000_000;

function rig() {
  const points: MeterPoint[] = [meterPoint('a'), meterPoint('b'), { ...meterPoint('sum', null), virtual: [] }];
  const events: LunaEvent[] = [];
  const appended: ReadingGroup[] = [];
  let changed = () => {};
  const journal = {
    append: async (groups: readonly ReadingGroup[]) => appended.push(...groups),
  };
  const metrics = createMetrics({ defaults: false });
  const live = createLiveValues();
  const service = createIntake({
    clock: { now: () => NOW },
    bus: { publish: (event) => events.push(event), subscribe: () => () => {}, close: async () => {} },
    metrics,
    journal: { append: (groups) => journal.append(groups) },
    live,
    meters: {
      list: (tenant) => (tenant === 'default' ? points : []),
      onChange: (listener) => {
        changed = listener;
        return () => {};
      },
    },
  });
  const send = (meter: string, value: number, group: Partial<ReadingGroup> = {}) =>
    service.intake({
      ...{ tenant: 'default', source: 'mqtt', device: null, received_ms: NOW },
      readings: [{ meter, quantity: 'power_W', at_ms: NOW, value, quality: 0 }],
      ...group,
    });
  return { ...service, send, points, events, appended, journal, metrics, live, change: () => changed() };
}

describe('intake', () => {
  let box: ReturnType<typeof rig>;
  beforeEach(() => {
    vi.useFakeTimers();
    box = rig();
  });
  afterEach(() => {
    box.close();
    vi.useRealTimers();
  });

  it('shows a value only after it is durable', async () => {
    const durable = Promise.withResolvers<number>();
    box.journal.append = () => durable.promise;
    const sent = box.send('a', 5);
    await Promise.resolve();
    expect(box.live.of('default', 'a').size).toBe(0);
    durable.resolve(1);
    expect(await sent).toEqual({ accepted: 1, flagged: 0, rejected: [] });
    expect(box.live.of('default', 'a').get('power_W')?.value).toBe(5);
  });

  it('passes on that the journal refuses, and shows nothing', async () => {
    box.journal.append = () => Promise.reject(new UnavailableError('full'));
    await expect(box.send('a', 5)).rejects.toThrow('full');
    expect(box.live.of('default', 'a').size).toBe(0);
  });

  it.each([
    ['a meter point that does not exist', 'x', null, 'default', /no meter point "x"/],
    ["another device's meter point", 'b', 'a', 'default', /not one of the device a/],
    ['a virtual meter point', 'sum', null, 'default', /computed from others/],
    ["another tenant's meter point", 'a', null, 'other', /no meter point/],
  ])('refuses %s without touching the journal', async (_what, meter, device, tenant, problem) => {
    const outcome = await box.send(meter, 1, { device, tenant });
    expect(outcome.rejected[0]!.problem).toMatch(problem);
    expect(box.appended).toEqual([]);
  });

  it('knows a meter point as soon as it is added', async () => {
    expect((await box.send('new', 1)).rejected).toHaveLength(1);
    box.points.push(meterPoint('new'));
    box.change();
    expect((await box.send('new', 1)).accepted).toBe(1);
  });

  it('keeps the good part of a group', async () => {
    const at = { at_ms: NOW, quality: 0, quantity: 'power_W' };
    const readings = [
      { ...at, meter: 'a', value: 1 },
      { ...at, meter: 'x', value: 2 },
      { ...at, meter: 'b', value: 5e9 },
    ];
    const outcome = await box.send('', 0, { readings });
    expect(outcome).toMatchObject({ accepted: 1, flagged: 1, rejected: [{ index: 1 }] });
    expect(box.appended[0]!.readings.map((one) => one.meter)).toEqual(['a', 'b']);
  });

  it('tells waiting pages at most four times a second, each time which meter points', async () => {
    for (let n = 0; n < 100; n++) {
      await box.send(n % 2 ? 'a' : 'b', n);
      await vi.advanceTimersByTimeAsync(10);
    }
    await vi.advanceTimersByTimeAsync(250);
    expect(box.events.length).toBeGreaterThan(2);
    expect(box.events.length).toBeLessThanOrEqual(5);
    expect(box.events[0]).toEqual({ type: 'readings', tenant: 'default', meters: ['b', 'a'] });
  });

  it('counts by tenant, source and outcome', async () => {
    await box.send('a', 1);
    await box.send('a', 5e9);
    await box.send('x', 1);
    await vi.advanceTimersByTimeAsync(1000);
    const text = await box.metrics.registry.metrics();
    for (const outcome of ['accepted', 'flagged', 'rejected'])
      expect(text).toContain(`luna_readings_total{tenant="default",source="mqtt",outcome="${outcome}"} 1`);
  });
});
