/**
 * Plans as sensors of Home Assistant over the box's own broker: for each device what it should do now and what it will
 * hold, for the site the power planned at the grid and the saving. The whole course stands in the attributes.
 */
import type { Base } from '../../services.ts';
import { type StoredPlan, slotIndex } from './stored.ts';

export type PlanSensorDeps = Pick<Base, 'config' | 'clock' | 'bus' | 'log'> & {
  tenants: () => readonly string[];
  plan: (tenant: string) => Promise<StoredPlan | null>;
  /** Nothing waits for the broker; it may not run. */
  publish: (tenant: string, topic: string, payload: string, retain: boolean) => Promise<void> | undefined;
};

type Sensor = { id: string; name: string; unit: string; device_class: string; value: number; attributes?: object };

const EVERY_MS = 60_000;

export function createPlanSensors(deps: PlanSensorDeps): {
  start(): void;
  stop(): void;
  tell(tenant: string): Promise<void>;
} {
  const announced = new Map<string, string>();
  let endings: (() => void)[] = [];

  async function publish(tenant: string, topic: string, payload: string, retain: boolean): Promise<void> {
    await deps.publish(tenant, topic, payload, retain);
  }

  /** An empty retained message removes a sensor. */
  async function withdraw(tenant: string, stay: readonly string[]): Promise<void> {
    const own = `${prefix('homeassistant', tenant)}/`;
    for (const topic of [...announced.keys()]) {
      if (!topic.startsWith(own) || stay.includes(topic)) continue;
      announced.delete(topic);
      await publish(tenant, topic, '', true);
    }
  }

  async function tell(tenant: string): Promise<void> {
    const plan = await deps.plan(tenant);
    if (!plan) return withdraw(tenant, []);
    const t = slotIndex(plan, deps.clock.now());
    if (t < 0) return;
    const sensors = sensorsOf(plan, t);
    await withdraw(
      tenant,
      sensors.map(({ id }) => configTopic(tenant, id)),
    );
    for (const sensor of sensors) {
      const base = `${prefix('luna', tenant)}/plan/${sensor.id}`;
      const config = configTopic(tenant, sensor.id);
      const payload = JSON.stringify({
        ...{ name: sensor.name, unique_id: prefix(`luna_plan_${sensor.id}`, tenant), state_topic: `${base}/state` },
        ...{ unit_of_measurement: sensor.unit, device_class: sensor.device_class, expire_after: 3600 },
        ...(sensor.attributes ? { json_attributes_topic: `${base}/course` } : {}),
        device: { identifiers: [prefix('luna_plan', tenant)], name: 'Luna plan', manufacturer: 'Luna iEMS' },
      });
      if (announced.get(config) !== payload) {
        await publish(tenant, config, payload, true);
        announced.set(config, payload);
      }
      await publish(tenant, `${base}/state`, String(sensor.value), false);
      if (sensor.attributes) await publish(tenant, `${base}/course`, JSON.stringify(sensor.attributes), false);
    }
  }

  const told = (tenant: string) =>
    tell(tenant).catch((error: unknown) =>
      deps.log.debug({ err: error, tenant_id: tenant }, 'plan sensors were not published'),
    );

  return {
    tell,
    start() {
      if (!deps.config.discovery) return;
      const tellAll = () => {
        for (const tenant of deps.tenants()) void told(tenant);
      };
      // At once: what the broker kept from before a restart can be withdrawn only when it is known.
      tellAll();
      const timer = setInterval(tellAll, EVERY_MS).unref();
      endings = [
        () => clearInterval(timer),
        deps.bus.subscribe((event) => {
          // a site that goes tells it by its tariff
          if (event.type === 'plan' || event.type === 'tariff') void told(event.tenant);
        }),
      ];
    },
    stop() {
      for (const end of endings.splice(0)) end();
    },
  };
}

const configTopic = (tenant: string, id: string) => `${prefix('homeassistant', tenant)}/sensor/luna_plan_${id}/config`;

/** Only `default` has the plain topics, as the sensors of meters do. */
function prefix(word: string, tenant: string): string {
  return tenant === 'default' ? word : `${word}-${tenant}`;
}

export function sensorsOf(plan: StoredPlan, t: number): Sensor[] {
  const at = (k: number) => new Date(plan.from_ms + k * plan.slot_min * 60_000).toISOString();
  const course = (values: readonly number[]) => ({
    course: values.slice(t).map((value, k) => ({ at: at(t + k), value })),
  });
  return [
    {
      id: 'grid',
      name: 'Planned grid power',
      unit: 'W',
      device_class: 'power',
      value: plan.grid_W[t]!,
      attributes: course(plan.grid_W),
    },
    {
      id: 'saving',
      name: 'Planned saving',
      unit: plan.currency,
      device_class: 'monetary',
      value: Math.round(plan.saving.none * 100) / 100,
    },
    ...plan.devices.flatMap((device): Sensor[] => [
      {
        ...{ id: `${device.id}_power`, name: `${device.name}, planned power`, unit: 'W', device_class: 'power' },
        ...{
          value: device.power_W[t]!,
          attributes: { ...course(device.power_W), reason: device.reasons[t]?.code ?? null },
        },
      },
      ...(device.capacity_kWh
        ? [
            {
              ...{
                id: `${device.id}_soc`,
                name: `${device.name}, planned state of charge`,
                unit: '%',
                device_class: 'battery',
              },
              value: Math.round((100 * device.energy_kWh[t]!) / device.capacity_kWh),
            },
          ]
        : []),
    ]),
  ];
}
