/** Devices: what supplies readings, how the box reaches it or it the box, and whether it does. */
import { type AddressGuard, openHttpSource } from '../../connectors/meters/http/source.ts';
import { type BusRegistry, createBusRegistry } from '../../connectors/meters/modbus/bus.ts';
import { openModbusSource } from '../../connectors/meters/modbus/source.ts';
import type { PolledSource } from '../../connectors/meters/polled.ts';
import { type FaultWords, NotFoundError, UnsupportedError } from '../../engine/errors.ts';
import { erasureOf } from '../../engine/model/erasure.ts';
import type { Connection, Device, MeterRole, VirtualFormula } from '../../engine/model/site.ts';
import type { Vault } from '../auth/vault.ts';
import type { Actor, AlertService, AuditService, Base, MeterService } from '../services.ts';
import { writeAudit } from './audit.ts';
import type { ClockQuarantine } from './clock-quarantine.ts';
import {
  requireAgreedLine,
  requireFreePoints,
  requireFreeTopic,
  requireUnused,
  requireValid,
} from './devices/checks.ts';
import { hasCredential, parseConnection, withoutSecrets } from './devices/connection.ts';
import { matches, newSecret, usernameOf } from './devices/credentials.ts';
import { createDecoders, type Decoders } from './devices/decoders.ts';
import { createDeviceMemory } from './devices/memory.ts';
import { type NewPoint, pointsOf } from './devices/points.ts';
import { deleteDevice, insertDevice, updateDevice, writeCredential } from './devices/rows.ts';
import { createSealedConnections } from './devices/sealed.ts';
import { createDeviceStates } from './devices/states.ts';
import { type Listen, testMqtt, testPolled, testPush } from './devices/test-read.ts';
import { eraseReadings } from './erasure.ts';
import type { Profiles } from './profiles.ts';

/** State of the way to a device, in memory. */
export type DeviceState = {
  connected: boolean | null;
  last_seen_ms: number | null;
  /** A sentence for people, with the time it happened; null when all is well. */
  last_error: { at_ms: number; text: string; words?: FaultWords } | null;
};

export interface DeviceService {
  list(tenant: string): readonly Device[];
  get(tenant: string, id: string): Device | null;
  state(tenant: string, id: string): DeviceState;
  /** Makes the device, its meter points (from the profile, or one with the device's id) and, for devices that push,
   * a credential: the password is shown once. */
  create(actor: Actor, device: NewDevice): Promise<CreatedDevice>;
  update(actor: Actor, id: string, change: Partial<Pick<Device, 'name' | 'connection' | 'enabled'>>): Promise<void>;
  remove(actor: Actor, id: string, options: { erase_readings: boolean }): Promise<void>;
  newCredential(actor: Actor, id: string): Promise<{ username: string; password: string }>;
  /** Reads or listens once without saving anything. */
  testRead(tenant: string, profile: string | null, connection: Connection, signal: AbortSignal): Promise<TestRead>;
  /** From the MQTT broker: the device behind a user name and password, or null. Constant time. */
  authenticate(username: string, password: string): Promise<{ tenant: string; device: string } | null>;
  /** From connectors: what happened on the way to a device. */
  report(
    tenant: string,
    id: string,
    event: { kind: 'seen' | 'connected' | 'lost' | 'failed'; text?: string; words?: FaultWords; firmware?: string },
  ): void;
}

export type NewDevice = {
  id: string;
  name?: string;
  profile?: string | null;
  connection: Connection;
  demo?: boolean;
  /** Role and name per channel; what is left out comes from the profile (`load` without one). */
  points?: readonly {
    channel: string;
    id?: string;
    name?: string;
    role?: MeterRole;
    parent?: string | null;
    virtual?: VirtualFormula;
    /** The channel gets no meter point (no gas meter on the P1 port). */
    skip?: boolean;
  }[];
};

export type CreatedDevice = {
  id: string;
  username: string | null;
  password: string | null;
  topic: string | null;
  meters: readonly string[];
};

export type TestRead = {
  ok: boolean;
  /** What failed and what to do, in words. */
  problem: string | null;
  firmware: string | null;
  took_ms: number;
  values: readonly { channel: string; quantity: string; value: number; unit: string; raw: string }[];
};

export type DeviceDeps = Base & {
  meters: MeterService;
  audit: AuditService;
  alerts: AlertService;
  profiles: Profiles;
  vault: Vault;
  quarantine: Pick<ClockQuarantine, 'erase'>;
  listen: Listen;
  /** Ends the connections of a device whose rights changed. */
  disconnect: (tenant: string, device: string) => void;
  /** Ends the connections of a device that is gone, and removes what it left at the broker. */
  forget?: (tenant: string, device: string) => Promise<void>;
  /** Which addresses a meter over HTTP may have; all where left out. */
  addresses?: AddressGuard;
};

/** What the broker and the pollers need beside the service. */
export type DeviceInside = Decoders & {
  /** Loads the devices; call it after the meter service's. */
  start(): Promise<void>;
  /** Tenants that have or had devices. */
  tenants(): readonly string[];
  /** Lets go of the Modbus buses. */
  close(): Promise<void>;
  /** Shared by all who ask over Modbus, so that a search and a poller take turns. */
  buses: Pick<BusRegistry, 'acquire'>;
  /** For a device that is polled. @throws UnsupportedError for others. */
  openSource(device: Pick<Device, 'profile' | 'connection'>): PolledSource;
};

export function createDeviceService(deps: DeviceDeps): DeviceService & DeviceInside {
  const { db, clock, log, metrics, meters, profiles } = deps;
  const sealed = createSealedConnections(deps.vault, log);
  const memory = createDeviceMemory(db, sealed);
  const decoders = createDecoders(memory, meters, profiles);
  const states = createDeviceStates(deps);
  const buses = createBusRegistry({ onOutcome: (outcome) => metrics.modbus_reads.inc({ outcome }) });
  const overviewOf = (name: string | null | undefined) => (name ? profiles.get(profiles.full(name).name) : null);

  function need(tenant: string, id: string): Device {
    const device = memory.get(tenant, id);
    if (device) return device;
    throw new NotFoundError(`There is no device ${id}.`, 'It may be gone already; GET /api/v1/devices lists them.');
  }

  const everybody = () => memory.tenants().flatMap((tenant) => [...memory.list(tenant)]);

  function requireOwnTopic(device: Pick<Device, 'tenant' | 'id' | 'profile' | 'connection'>): void {
    requireFreeTopic(everybody(), device, decoders.filtersOf);
  }

  /** Own memory first, then everybody who listens to changes of meters. */
  async function refresh(tenant: string): Promise<void> {
    await memory.load(tenant);
    await meters.refresh(tenant);
  }

  function openSource(device: Pick<Device, 'profile' | 'connection'>): PolledSource {
    const { connection } = device;
    const profile = device.profile === null ? null : profiles.full(device.profile);
    if (profile && connection.kind === 'http')
      return openHttpSource(profile, connection, { clock, ...(deps.addresses ? { addresses: deps.addresses } : {}) });
    if (profile && (connection.kind === 'modbus-tcp' || connection.kind === 'modbus-rtu'))
      return openModbusSource(profile, connection, { buses, clock });
    throw new UnsupportedError('This device sends by itself; there is nothing to poll.');
  }

  /** What a device left at the broker must not be found by another of the same name. */
  async function forgotten(tenant: string, id: string): Promise<void> {
    await deps.forget?.(tenant, id).catch((error: unknown) => {
      log.error({ err: error, device: id }, 'what a device left at the broker could not be removed');
    });
  }

  return {
    list: memory.list,
    get: memory.get,
    state: (tenant, id) => states.of(tenant, id),

    async create(actor, wish) {
      const { tenant } = actor;
      const profile = overviewOf(wish.profile);
      const connection = parseConnection(wish.connection, profile);
      const name = wish.name?.trim() || wish.id;
      requireValid({ id: wish.id, name }, memory.get(tenant, wish.id) !== null);
      requireOwnTopic({ tenant, id: wish.id, profile: profile?.name ?? null, connection });
      requireAgreedLine(everybody(), { tenant, id: wish.id, connection });
      const points = pointsOf({ ...wish, name }, profile);
      requireFreePoints(points, (id) => meters.get(tenant, id) !== null);
      // The box may have been killed before it could forget a former device of this name.
      await forgotten(tenant, wish.id);
      const device: Device = {
        ...{ tenant, id: wish.id, name, profile: profile?.name ?? null, connection, enabled: true, firmware: null },
      };
      const secret = hasCredential(connection) ? newSecret() : null;
      await db.asTenant(tenant, async (sql) => {
        await insertDevice(sql, sealed, device, wish.demo ?? false);
        if (secret) await writeCredential(sql, tenant, device.id, secret.sha256);
        const detail = { profile: device.profile, connection: withoutSecrets(connection) };
        await writeAudit(sql, actor, 'create device', device.id, detail);
      });
      await memory.load(tenant);
      try {
        for (const point of points) await meters.save(actor, point);
        if (points.length === 0) await meters.refresh(tenant);
      } catch (error) {
        await db.asTenant(tenant, (sql) => deleteDevice(sql, device.id));
        await refresh(tenant);
        throw error;
      }
      return created(device, secret?.password ?? null, points);
    },

    async update(actor, id, change) {
      const device = need(actor.tenant, id);
      const connection =
        change.connection === undefined
          ? device.connection
          : parseConnection(change.connection, overviewOf(device.profile), device.connection);
      const name = change.name === undefined ? device.name : change.name.trim();
      requireValid({ id, name }, false);
      requireOwnTopic({ ...device, connection });
      const next: Device = { ...device, name, connection, enabled: change.enabled ?? device.enabled };
      const joins = next.enabled && (change.connection !== undefined || !device.enabled);
      if (joins) requireAgreedLine(everybody(), next);
      await db.asTenant(actor.tenant, async (sql) => {
        await updateDevice(sql, sealed, next);
        const detail = { name, enabled: next.enabled, connection: withoutSecrets(connection) };
        await writeAudit(sql, actor, 'change device', id, detail);
      });
      const rerouted = JSON.stringify(next.connection) !== JSON.stringify(device.connection);
      if (rerouted || next.enabled !== device.enabled) states.forget(actor.tenant, id);
      await refresh(actor.tenant);
      if (!next.enabled || rerouted) deps.disconnect(actor.tenant, id);
    },

    async remove(actor, id, { erase_readings }) {
      const { tenant } = actor;
      need(tenant, id);
      const own = meters.ofDevice(tenant, id).map((point) => point.id);
      requireUnused(own, meters.list(tenant));
      await db.asTenant(tenant, async (sql) => {
        await deleteDevice(sql, id);
        if (erase_readings)
          for (const table of ['repair_act', 'quality_report'])
            await sql(`delete from ${table} where meter_id = any($1)`, [own]);
        // Files may be loaded again, whatever the clocks say of what came first.
        if (erase_readings) await sql(`update data_load set sha256 = ''`);
        await writeAudit(sql, actor, 'remove device', id, { meters: own, erase_readings });
        // Both or neither: what is asked for here must not be forgotten in a power cut.
        if (erase_readings && own.length > 0) await deps.quarantine.erase(tenant, own);
        if (erase_readings && own.length > 0) await deps.journal.append([erasureOf(tenant, own, clock.now())]);
      });
      states.forget(tenant, id);
      await refresh(tenant);
      deps.disconnect(tenant, id);
      await forgotten(tenant, id);
      // Once more for what was under way when it was disconnected.
      if (erase_readings) await eraseReadings(deps, tenant, own);
    },

    async newCredential(actor, id) {
      const device = need(actor.tenant, id);
      if (!hasCredential(device.connection))
        throw new UnsupportedError(
          `The box goes to ${id} by itself; it has no user name and password.`,
          'Change its connection instead.',
        );
      const { password, sha256 } = newSecret();
      await db.asTenant(actor.tenant, async (sql) => {
        await writeCredential(sql, actor.tenant, id, sha256);
        await writeAudit(sql, actor, 'new device credential', id);
      });
      await memory.load(actor.tenant);
      deps.disconnect(actor.tenant, id);
      return { username: usernameOf(actor.tenant, id), password };
    },

    async testRead(tenant, name, input, signal) {
      const connection = parseConnection(input, overviewOf(name));
      const profile = name === null ? null : profiles.full(name);
      if (connection.kind === 'push') return testPush();
      if (connection.kind === 'mqtt') return testMqtt({ tenant, profile, connection }, deps.listen, clock, signal);
      return testPolled(profile!, () => openSource({ profile: name, connection }), clock, signal);
    },

    async authenticate(username, password) {
      const credential = memory.credential(username);
      if (!matches(credential, password) || !credential) return null;
      const device = memory.get(credential.tenant, credential.device);
      return device?.enabled ? { tenant: credential.tenant, device: credential.device } : null;
    },

    report(tenant, id, { kind, text, firmware }) {
      const device = memory.get(tenant, id);
      if (!device) return;
      states.report(tenant, id, { kind, text }, !hasCredential(device.connection));
      if (firmware === undefined || firmware === device.firmware) return;
      const next = { ...device, firmware };
      memory.replace(next);
      db.asTenant(tenant, (sql) => updateDevice(sql, sealed, next)).catch((error: unknown) =>
        log.warn({ err: error, device: id }, 'the firmware version of a device could not be stored'),
      );
    },

    start: memory.loadAll,
    tenants: memory.tenants,
    close: () => buses.close(),
    ...decoders,
    openSource,
    buses,
  };
}

function created(device: Device, password: string | null, points: readonly NewPoint[]): CreatedDevice {
  const { tenant, id, profile, connection } = device;
  const pushed = profile === null ? `meters/${id}/readings` : null;
  return {
    id,
    username: password === null ? null : usernameOf(tenant, id),
    password,
    topic: connection.kind === 'mqtt' ? (pushed ?? connection.topic ?? id) : null,
    meters: points.map((point) => point.id),
  };
}
