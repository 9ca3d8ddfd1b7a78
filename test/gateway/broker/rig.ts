/** A broker with its real journal over a temporary folder, and devices that are only names. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IClientOptions, MqttClient } from 'mqtt';
import mqtt from 'mqtt';
import pino from 'pino';
import { openJournal } from '../../../connectors/journal/journal.ts';
import type { TopicDecoder } from '../../../connectors/meters/mqtt/topic-decoder.ts';
import type { ReadingGroup } from '../../../engine/model/reading.ts';
import type { Device, MeterPoint } from '../../../engine/model/site.ts';
import type { Journal } from '../../../engine/ports.ts';
import { createDeliveries } from '../../../gateway/broker/deliveries.ts';
import { createMessages } from '../../../gateway/broker/messages.ts';
import { createRoutes } from '../../../gateway/broker/routes.ts';
import { type Broker, openBroker } from '../../../gateway/broker.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { createIntake } from '../../../gateway/services/intake.ts';
import { createLiveValues, type LiveMemory } from '../../../gateway/services/live.ts';

export type Report = { device: string; kind: string; text?: string };
export type Rig = {
  broker: Broker;
  live: LiveMemory;
  /** Groups that were appended since this broker started. */
  stored: ReadingGroup[];
  reports: Report[];
  /** Replace to make the disk slow, full or dead. */
  append: Journal['append'];
  clock: { now: () => number };
  connect(device: string, options?: IClientOptions): Promise<MqttClient>;
  /** Stops and starts over the same folder. */
  restart(): Promise<void>;
  close(): Promise<void>;
};

export const PASSWORD = 'secret';

export function meterPoint(id: string, device: string | null = id, tenant = 'default', channel = 'main'): MeterPoint {
  return { tenant, id, site: 'site', name: id, role: 'load', device, channel, parent: null, virtual: null };
}

export function pushDevice(id: string, tenant = 'default'): Device {
  return {
    tenant,
    id,
    name: id,
    profile: null,
    connection: { kind: 'mqtt', topic: null },
    enabled: true,
    firmware: null,
  };
}

type RigOptions = {
  devices?: Device[];
  meters?: MeterPoint[];
  /** By device, or `<tenant>/<device>`. */
  decoders?: Record<string, TopicDecoder>;
  /** Topic → device, for programs that publish for many. */
  owners?: Record<string, string>;
  tls?: { cert: string; key: string };
  /** Where the broker's own patience with a subscriber that reads nothing would be too short to tell. */
  drain_ms?: number;
};

/** Devices a and b with a meter point each, unless others are given. User names are `<tenant>.<id>` outside `default`. */
export async function openRig(options: RigOptions = {}): Promise<Rig> {
  const home = await mkdtemp(join(tmpdir(), 'luna-broker-'));
  const devices = options.devices ?? [pushDevice('a'), pushDevice('b')];
  const meters = options.meters ?? devices.map(({ id, tenant }) => meterPoint(id, id, tenant));
  const clients: MqttClient[] = [];
  const username = ({ tenant, id }: Device) => (tenant === 'default' ? id : `${tenant}.${id}`);
  let stop = async () => {};
  const rig = { reports: [] as Report[], clock: { now: () => Date.now() } } as unknown as Rig;

  async function start(): Promise<void> {
    const deliveries = createDeliveries();
    const stored: ReadingGroup[] = [];
    const journal = await openJournal({
      dir: join(home, 'journal'),
      max_bytes: 64 * 1024 * 1024,
      segment_bytes: 4 * 1024 * 1024,
      onReplay: (group) => group.delivery !== undefined && deliveries.restore(group.delivery, group.received_ms),
    });
    rig.append = (groups) => journal.append(groups);
    const metrics = createMetrics({ defaults: false });
    const log = pino({ level: 'silent' });
    const live = createLiveValues();
    const clock = { now: () => rig.clock.now() };
    const meterService = {
      list: (tenant: string) => meters.filter((m) => m.tenant === tenant),
      ofDevice: (tenant: string, id: string) => meters.filter((m) => m.tenant === tenant && m.device === id),
      onChange: () => () => {},
    };
    const deviceService = {
      get: (tenant: string, id: string) => devices.find((d) => d.tenant === tenant && d.id === id) ?? null,
      async authenticate(name: string, password: string) {
        const found = devices.find((device) => username(device) === name);
        return found && password === PASSWORD ? { tenant: found.tenant, device: found.id } : null;
      },
      report: (_tenant: string, device: string, { kind, text }: { kind: string; text?: string }) => {
        rig.reports.push({ device, kind, text });
      },
    };
    const appending = {
      append: async (groups: readonly ReadingGroup[]) => {
        const seq = await rig.append(groups);
        stored.push(...groups);
        return seq;
      },
    };
    const bus = { publish() {}, subscribe: () => () => {}, close: async () => {} };
    const service = createIntake({ clock, bus, metrics, journal: appending, meters: meterService, live });
    const messages = createMessages({ intake: service.intake, deliveries, devices: deviceService, metrics, log });
    const decoderOf = (tenant: string, id: string) =>
      options.decoders?.[`${tenant}/${id}`] ?? options.decoders?.[id] ?? null;
    const ownerOf = (_tenant: string, topic: string) => options.owners?.[topic] ?? null;
    const routes = createRoutes({ devices: deviceService, meters: meterService, decoderOf, ownerOf });
    const tls = options.tls ? { port: 0, ...options.tls } : null;
    const common = { home, host: '127.0.0.1', port: 0, tls, clock, log, metrics, drain_ms: options.drain_ms };
    const broker = await openBroker({ ...common, devices: deviceService, routes, messages, deliveries });
    Object.assign(rig, { broker, live, stored });
    stop = async () => {
      await broker.close();
      service.close();
      await journal.close();
    };
  }
  rig.connect = (device, given) =>
    new Promise((resolve, reject) => {
      const client = mqtt.connect(`mqtt://127.0.0.1:${rig.broker.port}`, {
        username: device,
        password: PASSWORD,
        clientId: `client-${device}`,
        reconnectPeriod: 0,
        connectTimeout: 3000,
        ...given,
      });
      clients.push(client);
      client.once('connect', () => resolve(client));
      client.once('error', reject);
    });
  rig.restart = async () => {
    await stop();
    await start();
  };
  rig.close = async () => {
    for (const client of clients) client.end(true);
    await stop();
    await rm(home, { recursive: true, force: true });
  };
  await start();
  return rig;
}

export { until } from '../../setup/until.ts';
