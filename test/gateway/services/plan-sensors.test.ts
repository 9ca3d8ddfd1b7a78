/** Plans as sensors of Home Assistant: what is announced, told, withdrawn, and under whose prefix. */
import { describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../../connectors/bus/memory.ts';
import { createPlanSensors, type PlanSensorDeps } from '../../../gateway/services/plans/home-assistant.ts';
import type { StoredPlan } from '../../../gateway/services/plans/stored.ts';
import { silent } from '../../setup/database.ts';
import { samplePlans } from '../../web/sample-plan.ts';

const NOW = Date.parse('2026-06-15T10:03Z');

async function open(discovery = true) {
  let now_ms = NOW;
  const clock = { now: () => now_ms };
  const bus = createMemoryBus({ log: silent });
  const made = await samplePlans(clock).plans.latest('default');
  let plan: StoredPlan | null = made;
  const sent: { topic: string; payload: string; retain: boolean }[] = [];
  const sensors = createPlanSensors({
    ...{
      bus,
      clock,
      log: silent,
      config: { discovery } as PlanSensorDeps['config'],
      tenants: () => ['default', 'acme'],
    },
    plan: async (tenant) => (tenant === 'default' ? plan : null),
    publish: async (_tenant, topic, payload, retain) => void sent.push({ topic, payload, retain }),
  });
  const topics = (part: string) => sent.filter(({ topic }) => topic.includes(part));
  return {
    ...{ sensors, bus, sent, topics, plan: made! },
    pass: (ms: number) => {
      now_ms += ms;
    },
    set: (next: StoredPlan | null) => {
      plan = next;
    },
  };
}

describe('sensors of a plan', () => {
  it('announce power and charge of each device, grid and saving, once and retained, and tell what holds in this slot', async () => {
    const { sensors, sent, topics, plan, pass } = await open();
    await sensors.tell('default');
    const configs = topics('/config');
    expect(configs.map(({ topic }) => topic)).toEqual(
      ['grid', 'saving', 'battery_power', 'battery_soc', 'cars_power', 'cars_soc'].map(
        (id) => `homeassistant/sensor/luna_plan_${id}/config`,
      ),
    );
    expect(configs.every(({ retain }) => retain)).toBe(true);
    expect(JSON.parse(configs[3]!.payload)).toMatchObject({
      ...{ name: 'Battery, planned state of charge', unique_id: 'luna_plan_battery_soc', unit_of_measurement: '%' },
      ...{ state_topic: 'luna/plan/battery_soc/state', device_class: 'battery', expire_after: 3600 },
    });
    const state = (id: string) => topics(`luna/plan/${id}/state`).at(-1)!;
    expect(state('battery_power')).toEqual({
      ...{ topic: 'luna/plan/battery_power/state', retain: false },
      payload: String(plan.devices[0]!.power_W[0]),
    });
    expect(Number(state('battery_soc').payload)).toBe(Math.round(plan.devices[0]!.energy_kWh[0]!));
    const { course, reason } = JSON.parse(topics('luna/plan/battery_power/course')[0]!.payload);
    expect([course.length, course[0].at, reason]).toEqual([
      ...[plan.grid_W.length, '2026-06-15T10:00:00.000Z', plan.devices[0]!.reasons[0]!.code],
    ]);
    sent.length = 0;
    pass(15 * 60_000);
    await sensors.tell('default');
    expect(topics('/config')).toEqual([]);
    expect(state('grid').payload).toBe(String(plan.grid_W[1]));
  });

  it('are withdrawn with their device, and all of them with the plan', async () => {
    const { sensors, sent, plan, set } = await open();
    await sensors.tell('default');
    sent.length = 0;
    set({ ...plan, devices: plan.devices.slice(0, 1) });
    await sensors.tell('default');
    const gone = () => sent.filter(({ topic, payload }) => topic.endsWith('/config') && payload === '');
    expect(gone().map(({ topic, retain }) => [topic, retain])).toEqual([
      ['homeassistant/sensor/luna_plan_cars_power/config', true],
      ['homeassistant/sensor/luna_plan_cars_soc/config', true],
    ]);
    sent.length = 0;
    set(null);
    await sensors.tell('default');
    expect(gone()).toHaveLength(4);
  });

  it('of another organisation stand under its own prefix; nothing is said of a plan that is over', async () => {
    const { plan } = await open();
    const sent: string[] = [];
    const sensors = createPlanSensors({
      ...{ bus: createMemoryBus({ log: silent }), log: silent, tenants: () => ['acme'], clock: { now: () => NOW } },
      ...{ config: { discovery: true } as PlanSensorDeps['config'], plan: async () => plan },
      publish: async (_tenant, topic) => void sent.push(topic),
    });
    await sensors.tell('acme');
    expect(sent).not.toEqual([]);
    expect(sent.every((topic) => /^(homeassistant|luna)-acme\//.test(topic))).toBe(true);
    const { sensors: late, sent: nothing, pass } = await open();
    pass(10 * 86_400_000);
    await late.tell('default');
    expect(nothing).toEqual([]);
  });

  it('follow each new plan while they run, and are off with discovery', async () => {
    const { sensors, bus, sent } = await open();
    sensors.start();
    await expect.poll(() => sent.length).toBeGreaterThan(10);
    const before = sent.length;
    bus.publish({ type: 'plan', tenant: 'default' });
    await expect.poll(() => sent.length).toBeGreaterThan(before);
    sensors.stop();
    const silent_ones = await open(false);
    silent_ones.sensors.start();
    silent_ones.bus.publish({ type: 'plan', tenant: 'default' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(silent_ones.sent).toEqual([]);
    silent_ones.sensors.stop();
  });
});
