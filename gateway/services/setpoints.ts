/**
 * Sends what the plan says to the devices whose writing an admin switched on, over MQTT or Modbus. A setpoint holds for
 * a short time only; without a fresh plan, and when the box stops, the device gets its safe value. A signal of the grid
 * operator is kept at once, whatever the plan says.
 */

import type { BusRegistry } from '../../connectors/meters/modbus/bus.ts';
import { endpointOf } from '../../connectors/meters/modbus/source.ts';
import type { PlanDevice } from '../../engine/dispatch/plan-devices.ts';
import { InvalidDataError } from '../../engine/errors.ts';
import type { Device } from '../../engine/model/site.ts';
import type { Base, LiveValues } from '../services.ts';
import { drawnBy, type GridSignalService } from './grid-signals.ts';
import { type StoredPlan, slotIndex } from './plans/stored.ts';

export type Setpoint = {
  device: string;
  name: string;
  way: 'mqtt' | 'modbus';
  /** + discharges, − charges or draws. */
  power_W: number;
  /** What made it so. */
  because: 'plan' | 'signal' | 'safe';
  sent_ms: number | null;
  valid_until_ms: number;
  /** Why it did not reach the device; null where it did. */
  fault: string | null;
};

export interface SetpointService {
  /** The newest of each device whose writing is on. */
  state(tenant: string): readonly Setpoint[];
  /** Sends what holds now; run by the clock, by new plans and by signals. */
  apply(tenant: string): Promise<void>;
}

export type SetpointDeps = Pick<Base, 'clock' | 'log' | 'bus'> & {
  tenants: () => readonly string[];
  plan: (tenant: string) => Promise<StoredPlan | null>;
  planDevices: (tenant: string) => Promise<PlanDevice[]>;
  signals: Pick<GridSignalService, 'limit' | 'obeyed' | 'onChange'>;
  live: Pick<LiveValues, 'of'>;
  /** Devices of the box, for their Modbus connections. */
  device: (tenant: string, id: string) => Device | null;
  buses: Pick<BusRegistry, 'acquire'>;
  publish: (tenant: string, topic: string, payload: string, retain: boolean) => Promise<void> | undefined;
};

const EVERY_MS = 20_000;
/** A device that hears nothing for so long falls back by itself, where it can. */
const VALID_MS = 90_000;
/** A plan is made every quarter of an hour; one that is older is no plan. */
const FRESH_PLAN_MS = 45 * 60_000;
const WRITE_MS = 5000;

type Controlled = PlanDevice & { control: Exclude<PlanDevice['control'], { way: 'none' }> };
const key = (tenant: string, id: string) => `${tenant}\n${id}`;

export function createSetpoints(deps: SetpointDeps): SetpointService & { start(): void; stop(): Promise<void> } {
  const { clock, log } = deps;
  const sent = new Map<string, Setpoint>();
  const last = new Map<string, Controlled>();
  let endings: (() => void)[] = [];

  async function send(
    tenant: string,
    device: Controlled,
    power_W: number,
    because: Setpoint['because'],
  ): Promise<void> {
    const now_ms = clock.now();
    const before = sent.get(key(tenant, device.id));
    const setpoint: Setpoint = {
      ...{ device: device.id, name: device.name, way: device.control.way, power_W, because },
      ...{ sent_ms: before?.sent_ms ?? null, valid_until_ms: now_ms + VALID_MS, fault: null },
    };
    last.set(key(tenant, device.id), device);
    try {
      if (device.control.way === 'mqtt') await publish(tenant, device, setpoint);
      else await write(tenant, device, power_W);
      setpoint.sent_ms = clock.now();
      if (before?.power_W !== power_W || before.fault !== null)
        log.info({ tenant_id: tenant, device: device.id, power_W, because }, 'a setpoint was sent');
    } catch (error) {
      setpoint.fault = (error as Error).message;
      if (before?.fault !== setpoint.fault)
        log.warn({ err: error, tenant_id: tenant, device: device.id }, 'a setpoint did not reach its device');
    }
    sent.set(key(tenant, device.id), setpoint);
  }

  async function publish(tenant: string, { id, control }: Controlled, setpoint: Setpoint): Promise<void> {
    const publishing = deps.publish(
      tenant,
      `setpoints/${tenant}/${control.device}/${id}`,
      JSON.stringify({
        ...{ device: id, power_W: setpoint.power_W, because: setpoint.because, safe_W: control.safe_W },
        valid_until: new Date(setpoint.valid_until_ms).toISOString(),
      }),
      false,
    );
    if (!publishing) throw new InvalidDataError('The broker of this box does not run.');
    await publishing;
  }

  async function write(tenant: string, { control }: Controlled, power_W: number): Promise<void> {
    if (control.way !== 'modbus') return;
    const connection = deps.device(tenant, control.device)?.connection;
    if (connection?.kind !== 'modbus-tcp' && connection?.kind !== 'modbus-rtu')
      throw new InvalidDataError(
        `${control.device} has no Modbus connection.`,
        'Choose another device on the page Plan.',
      );
    const { bus, release } = deps.buses.acquire(endpointOf(connection));
    try {
      const words = wordsOf(power_W / control.W_per_unit, control.type);
      await bus.write(connection.unit, control.register, words, {
        signal: AbortSignal.timeout(WRITE_MS),
        urgent: true,
      });
    } finally {
      await release();
    }
  }

  async function apply(tenant: string): Promise<void> {
    const all = await deps.planDevices(tenant);
    const written = all.filter(isWritten);
    for (const [place, device] of last) {
      // Switched off, or gone: it is left at its safe value.
      if (!place.startsWith(`${tenant}\n`) || written.some(({ id }) => id === device.id)) continue;
      await send(tenant, device, device.control.safe_W, 'safe');
      last.delete(place);
      sent.delete(place);
    }
    const limit = deps.signals.limit(tenant);
    const plan = written.length > 0 ? await deps.plan(tenant) : null;
    const now_ms = clock.now();
    const wanted = new Map(written.map((device) => [device.id, wish(plan, device, now_ms)]));
    const kept = limit ? withinLimit(deps.live, tenant, all, wanted, limit, now_ms) : wanted;
    await Promise.all(
      written.map((device) => {
        const wish = wanted.get(device.id)!;
        const { power_W } = kept.get(device.id)!;
        return send(tenant, device, power_W, power_W === wish.power_W ? wish.because : 'signal');
      }),
    );
    const reached = written.every(({ id }) => sent.get(key(tenant, id))?.fault === null);
    if (limit && reached && limit.devices.every((id) => wanted.has(id))) await deps.signals.obeyed(tenant);
  }

  const applied = (tenant: string) =>
    apply(tenant).catch((error: unknown) =>
      log.error({ err: error, tenant_id: tenant }, 'setpoints could not be sent'),
    );

  return {
    state: (tenant) => [...sent].flatMap(([place, one]) => (place.startsWith(`${tenant}\n`) ? [one] : [])),
    apply,
    start() {
      const timer = setInterval(() => {
        for (const tenant of deps.tenants()) void applied(tenant);
      }, EVERY_MS).unref();
      endings = [
        () => clearInterval(timer),
        deps.signals.onChange((tenant) => void applied(tenant)),
        deps.bus.subscribe((event) => {
          if (event.type === 'plan') void applied(event.tenant);
        }),
      ];
    },
    async stop() {
      for (const end of endings.splice(0)) end();
      await Promise.all(
        [...last].map(([place, device]) => send(place.split('\n', 1)[0]!, device, device.control.safe_W, 'safe')),
      );
      last.clear();
    },
  };
}

type Wish = { power_W: number; because: Setpoint['because'] };

function isWritten(device: PlanDevice): device is Controlled {
  return device.control.way !== 'none' && device.control.writing;
}

/** What the plan has for this slot; the safe value where there is none, or it is too old. */
function wish(plan: StoredPlan | null, { id, control }: Controlled, now_ms: number): Wish {
  const t = plan && now_ms - plan.made_ms <= FRESH_PLAN_MS ? slotIndex(plan, now_ms) : -1;
  const power_W = plan?.devices.find((device) => device.id === id)?.power_W[t];
  return power_W === undefined ? { power_W: control.safe_W, because: 'safe' } : { power_W, because: 'plan' };
}

/**
 * Draws of the devices under the signal cut in proportion until they keep the limit together. What cannot be written
 * counts with what it draws now; where that is not measured, with its connected power.
 */
export function withinLimit(
  live: Pick<LiveValues, 'of'>,
  tenant: string,
  all: readonly PlanDevice[],
  wanted: ReadonlyMap<string, Wish>,
  { limit_W, devices }: { limit_W: number; devices: readonly string[] },
  now_ms: number,
): Map<string, Wish> {
  const kept = new Map(wanted);
  let [room_W, asked_W] = [limit_W, 0];
  for (const id of devices) {
    const device = all.find((one) => one.id === id);
    const wish = wanted.get(id);
    if (wish) asked_W += Math.max(0, -wish.power_W);
    else room_W -= drawnBy(live, tenant, device, now_ms) ?? device?.section_14a?.power_W ?? 0;
  }
  const share = asked_W > 0 ? Math.min(1, Math.max(0, room_W) / asked_W) : 1;
  if (share === 1) return kept;
  for (const id of devices) {
    const wish = wanted.get(id);
    if (wish && wish.power_W < 0) kept.set(id, { power_W: -Math.floor(-wish.power_W * share), because: 'signal' });
  }
  return kept;
}

const RANGES = { int16: [-0x8000, 0x7fff], uint16: [0, 0xffff], int32: [-0x8000_0000, 0x7fff_ffff] } as const;

/** Digits that division by the unit leaves are no unit. */
const CRUMB = 1e-6;

/**
 * Registers of a value, high word first, kept within what the type holds. A part of a unit is left out, not rounded: in
 * coarse units a device would otherwise draw more than a limit leaves it.
 */
export function wordsOf(value: number, type: keyof typeof RANGES): number[] {
  const [least, most] = RANGES[type];
  const whole = Math.min(most, Math.max(least, Math.trunc(value + Math.sign(value) * CRUMB)));
  return type === 'int32' ? [(whole >> 16) & 0xffff, whole & 0xffff] : [whole & 0xffff];
}
