import { createServer, type Server } from 'node:net';
import { Aedes } from 'aedes';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../engine/errors.ts';
import type { ReadingGroup } from '../../../engine/model/reading.ts';
import { createDeliveries } from '../../../gateway/broker/deliveries.ts';
import { type ExternalBroker, openExternalBroker } from '../../../gateway/broker/external.ts';
import { createMessages } from '../../../gateway/broker/messages.ts';
import { createRoutes } from '../../../gateway/broker/routes.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { until, untilStill } from '../../setup/until.ts';
import { meterPoint, pushDevice } from './rig.ts';

const PUSHED = 'meters/a/readings';
let broker: Aedes;
let server: Server;
let client: ExternalBroker;
let stored: ReadingGroup[];
let refuse: Error | null;
let acks: number;
let states: boolean[];
let failed: string[];

async function listen(port = 0): Promise<number> {
  server = createServer((socket) => broker.handle(socket));
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  return (server.address() as { port: number }).port;
}
const publish = (payload: string, topic = PUSHED) =>
  new Promise<void>((done) =>
    broker.publish({ cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false }, () => done()),
  );

beforeEach(async () => {
  [stored, refuse, acks, states, failed] = [[], null, 0, [], []];
  broker = await Aedes.createBroker();
  broker.on('ack', () => {
    acks++;
  });
  const subscribed = new Promise((done) => broker.once('subscribe', done));
  const port = await listen();
  const devices = {
    get: (tenant: string, id: string) => pushDevice(id, tenant),
    list: (tenant: string) => (tenant === 'default' ? ['a', 'twin'] : ['twin']).map((id) => pushDevice(id, tenant)),
    report: (tenant: string, device: string, { kind }: { kind: string }) => {
      if (kind === 'failed') failed.push(`${tenant}/${device}`);
    },
  };
  const meters = {
    ofDevice: (tenant: string, id: string) => [meterPoint(id, id, tenant)],
    onChange: () => () => {},
  };
  const routes = createRoutes({ devices, meters, decoderOf: () => null });
  const deliveries = createDeliveries();
  const messages = createMessages({
    ...{ devices, deliveries, metrics: createMetrics({ defaults: false }), log: pino({ level: 'silent' }) },
    intake: async (group) => {
      if (refuse) throw refuse;
      stored.push(group);
      return { accepted: 1, flagged: 0, rejected: [] };
    },
  });
  client = openExternalBroker({
    ...{ url: `mqtt://127.0.0.1:${port}`, topics: [], client_id: 'luna-test', clock: { now: () => Date.now() } },
    ...{ devices, meters, routes, messages, deliveries, site: { tenants: () => ['default', 'acme'] } },
    onState: ({ connected }) => states.push(connected),
  });
  await until(() => broker.connectedClients === 1 && client.state().connected, 'the connection');
  await subscribed;
});
afterEach(async () => {
  await client.close();
  await new Promise<void>((done) => broker.close(() => done()));
  server.close();
});

describe('external broker', () => {
  it('stores what comes on the topics of devices, and nothing else', async () => {
    await publish('{"power_W":1}', 'meters/b/readings');
    await publish('{"power_W":2}');
    await until(() => stored.length === 1, 'the reading');
    expect(stored[0]).toMatchObject({ tenant: 'default', device: 'a', readings: [{ meter: 'a', value: 2 }] });
    await until(() => acks === 1, 'the acknowledgement');
  });

  it('gives a topic that two tenants listen to to neither, and tells both', async () => {
    await publish('{"power_W":1}', 'meters/twin/readings');
    await publish('{"power_W":2}');
    await until(() => stored.length === 1, 'the reading of the other device');
    expect(stored[0]).toMatchObject({ tenant: 'default', device: 'a' });
    expect(failed).toEqual(['default/twin', 'acme/twin']);
  });

  it('acknowledges nothing that is not stored, and gets it again on a new connection', async () => {
    refuse = new UnavailableError('The disk is full.');
    await publish('{"power_W":3}');
    await until(() => states.includes(false), 'the end of the connection');
    expect(acks).toBe(0);
    expect(stored).toEqual([]);
    refuse = null;
    await until(() => acks > 0, 'the acknowledgement on the new connection');
    await untilStill(() => stored.length + acks, 500, 'the end of deliveries');
    expect(stored.map((group) => group.readings[0]!.value)).toEqual([3]);
    expect(acks).toBe(1);
  });

  it('refuses an address that is none', () => {
    expect(() => openExternalBroker({ url: 'broker:1883' } as Parameters<typeof openExternalBroker>[0])).toThrow();
  });
});
