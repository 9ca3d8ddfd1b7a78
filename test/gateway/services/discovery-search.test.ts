import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Bonjour } from 'bonjour-service';
import { afterEach, describe, expect, it } from 'vitest';
import { browseMdns } from '../../../connectors/meters/discovery/mdns.ts';
import { createBusRegistry } from '../../../connectors/meters/modbus/bus.ts';
import type { Device } from '../../../engine/model/site.ts';
import type { LunaEvent } from '../../../engine/ports.ts';
import { createSearchService, type SearchServiceDeps } from '../../../gateway/services/discovery-search.ts';
import { openNastyServer } from '../../connectors/meters/modbus/nasty-server.ts';
import { openFakeGateway, sunspec, textAt } from '../../connectors/meters/modbus/site.ts';
import { silent } from '../../setup/database.ts';
import { until } from '../../setup/until.ts';
import { admin, profiles } from './device-rig.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});
function closing<T extends { close(): Promise<void> }>(thing: T): T {
  open.push(thing);
  return thing;
}

const other = { ...admin, tenant: 'acme' };
const GATEWAY = {
  1: { registers: { '3:0': 1, '3:64514': 112, '3:64515': 0 } },
  3: { registers: { '3:0': 1, ...textAt(3, 0x31, 20, 'iEM3155'), '4:0': 0 } },
  7: sunspec('Fronius', 'Symo 10.0-3-M', '12345678', 103),
  12: { registers: {}, name: { vendor: 'Contoso', product: 'Meter 9000', version: '1.0' } },
};

function service(network: SearchServiceDeps['network'] = {}, devices: readonly Device[] = []) {
  const events: LunaEvent[] = [];
  const acts: string[] = [];
  const buses = closing(createBusRegistry());
  const search = closing(
    createSearchService({
      ...{ clock: Date, log: silent, profiles },
      bus: { publish: (event: LunaEvent) => void events.push(event), subscribe: () => () => undefined } as never,
      audit: { record: async (actor, act, object) => void acts.push(`${actor.person} ${act} ${object}`) },
      devices: { list: (tenant) => (tenant === 'default' ? devices : []), tenants: () => ['default'], buses },
      network: { loopback: true, modbus_ports: [], http_ports: [], mdns: { listen_ms: 0, ...LOOPBACK }, ...network },
    }),
  );
  const ended = async (tenant = 'default') => {
    await expect.poll(() => search.state(tenant)?.state, { timeout: 30_000 }).not.toBe('running');
    return search.state(tenant)!;
  };
  return { search, events, acts, ended };
}
const LOOPBACK = { ip: '239.255.77.53', interface: '127.0.0.1', bind: '0.0.0.0', port: 45_353 };

async function openHttp(
  pages: Record<string, unknown>,
  host = '127.0.0.1',
): Promise<{ port: number; asked: string[]; close(): Promise<void> }> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const page = pages[request.url ?? ''];
    response.writeHead(page === undefined ? 404 : typeof page === 'string' ? 302 : 200, { location: String(page) });
    response.end(JSON.stringify(page ?? null));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return closing({
    port: (server.address() as AddressInfo).port,
    asked,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}

describe('the search for devices', () => {
  it('finds who is behind a gateway, by registers, SunSpec and function 43, and never writes', {
    timeout: 60_000,
  }, async () => {
    const gateway = closing(await openFakeGateway(GATEWAY));
    const { search, events, acts, ended } = service({ modbus_ports: [gateway.port] });
    await search.start(admin, { kind: 'network', ranges: ['127.0.0.1'] });
    const { state, found, done, total } = await ended();
    expect({ state, done, total }).toEqual({ state: 'done', done: 1, total: 1 });
    const told = found.map(({ vendor, model, profile, address, known }) => ({
      vendor,
      model,
      profile,
      address,
      known,
    }));
    const at = (unit: number) => `127.0.0.1:${gateway.port} unit ${unit}`;
    expect(told).toEqual([
      { vendor: 'Eastron', model: 'SDM630 (Modbus V2, MCT)', profile: 'eastron-sdm630', address: at(1), known: null },
      expect.objectContaining({
        vendor: 'Schneider Electric',
        profile: 'schneider-iem3155',
        address: at(3),
        known: null,
      }),
      { vendor: 'Fronius', model: 'Symo 10.0-3-M', profile: 'fronius-sunspec', address: at(7), known: null },
      { vendor: 'Contoso', model: 'Meter 9000', profile: null, address: at(12), known: null },
    ]);
    expect(found[2]).toMatchObject({
      serial: '12345678',
      version: '1.2.3',
      connection: { unit: 7, port: gateway.port },
    });
    expect(acts).toEqual(['anna search for devices 127.0.0.1']);
    expect(events.at(-1)).toMatchObject({ type: 'progress', tenant: 'default', task: 'search', done: 1, total: 1 });
    expect([...new Set(gateway.requests.map(({ code }) => code))].sort()).toEqual([3, 43]);
    expect(search.found('default', found[0]!.id)?.profile).toBe('eastron-sdm630');
    expect(search.found('acme', found[0]!.id)).toBeNull();
  });

  it('goes through the units of one bus with progress, and stops when it is told to', { timeout: 60_000 }, async () => {
    const gateway = closing(await openFakeGateway(GATEWAY));
    const known = {
      ...{ tenant: 'default', id: 'hall', name: 'Hall', profile: 'eastron-sdm630', enabled: true, firmware: null },
      connection: { kind: 'modbus-tcp', host: '127.0.0.1', port: gateway.port, unit: 1, poll_s: 10 },
    } as const;
    const { search, acts, ended } = service({}, [known]);
    const connection = { kind: 'modbus-tcp', host: '127.0.0.1', port: gateway.port, unit: 1, poll_s: 10 } as const;
    await search.start(admin, { kind: 'bus', connection, from_unit: 3, to_unit: 1 });
    const first = await ended();
    expect(first).toMatchObject({ state: 'done', done: 3, total: 3, where: `127.0.0.1:${gateway.port}, units 1 to 3` });
    expect(first.found.map(({ profile, known }) => [profile, known])).toEqual([
      ['eastron-sdm630', 'hall'],
      ['schneider-iem3155', null],
    ]);
    await search.start(admin, { kind: 'bus', connection, from_unit: 13, to_unit: 247 });
    await expect(search.start(other, { kind: 'network', ranges: ['127.0.0.1'] })).rejects.toThrow(/under way/);
    await expect(search.stop(other)).rejects.toThrow(/No search for devices is under way/);
    const begun = performance.now();
    const stopped = await search.stop(admin);
    // All of it would take minutes.
    expect(performance.now() - begun).toBeLessThan(15_000);
    expect(stopped).toMatchObject({ state: 'stopped', total: 235 });
    expect(stopped.done).toBeLessThan(200);
    expect(acts.at(-1)).toMatch(/^anna stop search for devices/);
    expect(search.state('acme')).toBeNull();
  });

  it('shows each device as it is found, while the search goes on', { timeout: 60_000 }, async () => {
    const gateway = closing(await openFakeGateway(GATEWAY));
    const { search, ended } = service();
    const connection = { kind: 'modbus-tcp', host: '127.0.0.1', port: gateway.port, unit: 1, poll_s: 10 } as const;
    await search.start(admin, { kind: 'bus', connection, from_unit: 1, to_unit: 20 });
    const seen = new Map<number, number>();
    await until(() => {
      const { state, done, found } = search.state('default')!;
      if (!seen.has(found.length)) seen.set(found.length, done);
      return state !== 'running';
    }, 'the end of the search');
    // The first is there when at most it and the next were asked, the last well before the end.
    expect(seen.get(1)).toBeLessThan(3);
    expect(seen.get(3)).toBeLessThan(12);
    expect((await ended()).found.map(({ address }) => address.split(' ').at(-1))).toEqual(['1', '3', '7', '12']);
  });

  it('shows the devices of a gateway in the network as they are found', { timeout: 60_000 }, async () => {
    const gateway = closing(await openFakeGateway(GATEWAY));
    const { search, ended } = service({ modbus_ports: [gateway.port] });
    await search.start(admin, { kind: 'network', ranges: ['127.0.0.1/32'] });
    await until(() => search.state('default')!.found.length > 0, 'the first device');
    expect(search.state('default')).toMatchObject({ state: 'running', done: 0 });
    expect((await ended()).found).toHaveLength(4);
  });

  it('takes a device that ignores the unit number for one', { timeout: 60_000 }, async () => {
    const same = { registers: { '3:0': 1, '3:64514': 112 } };
    const all = Object.fromEntries(Array.from({ length: 256 }, (_, unit) => [unit, same]));
    const gateway = closing(await openFakeGateway(all));
    const { search, ended } = service({ modbus_ports: [gateway.port] });
    await search.start(admin, { kind: 'network', ranges: ['127.0.0.1/32'] });
    expect((await ended()).found.map(({ address }) => address)).toEqual([`127.0.0.1:${gateway.port} unit 1`]);
  });

  it('says why, where a bus cannot be reached, and not that nobody is there', async () => {
    const { search, ended } = service();
    const gone = await openFakeGateway(GATEWAY);
    await gone.close();
    const tcp = { kind: 'modbus-tcp', host: '127.0.0.1', port: gone.port, unit: 1, poll_s: 10 } as const;
    await search.start(admin, { kind: 'bus', connection: tcp, from_unit: 1, to_unit: 247 });
    expect(await ended()).toMatchObject({
      ...{ state: 'failed', reason: 'unreachable', done: 0, found: [] },
      problem: expect.stringMatching(/^127\.0\.0\.1 refuses connections on port \d+\. Is it powered/),
    });
    const path = '/dev/ttyLunaIsNotHere';
    const rtu = { kind: 'modbus-rtu', path, baud: 9600, parity: 'none', stop_bits: 1, unit: 1, poll_s: 10 } as const;
    await search.start(admin, { kind: 'bus', connection: rtu, from_unit: 1, to_unit: 247 });
    expect(await ended()).toMatchObject({
      ...{ state: 'failed', reason: 'unreachable', done: 0 },
      problem: expect.stringMatching(/^The serial port \/dev\/ttyLunaIsNotHere cannot be opened/),
    });
  });

  it('refuses a line with other settings than its devices have, and asks a network as they are read', async () => {
    const gateway = closing(await openNastyServer(() => ({ words: [1] }), 0, true));
    const at = { kind: 'modbus-tcp', host: '127.0.0.1', port: gateway.port, unit: 1, poll_s: 10 } as const;
    const known = {
      ...{ tenant: 'default', id: 'hall', name: 'Hall', profile: 'eastron-sdm630', enabled: true, firmware: null },
      connection: { ...at, framing: 'rtu' },
    } as const;
    const { search, acts, ended } = service({ modbus_ports: [gateway.port], longest_ms: 1500 }, [known]);
    await expect(search.start(admin, { kind: 'bus', connection: at, from_unit: 1, to_unit: 9 })).rejects.toThrow(
      /is used by the device hall with RTU frames over TCP, not Modbus TCP frames/,
    );
    expect(acts).toEqual([]);
    await search.start(admin, { kind: 'network', ranges: ['127.0.0.1'] });
    await ended();
    expect(gateway.requests[0]).toMatchObject({ unit: 1, code: 3, address: 0, count: 1 });
  });

  it('says that its time was up, and not that somebody stopped it', async () => {
    const gateway = closing(await openFakeGateway(GATEWAY));
    const { search, ended } = service({ longest_ms: 700 });
    const connection = { kind: 'modbus-tcp', host: '127.0.0.1', port: gateway.port, unit: 1, poll_s: 10 } as const;
    await search.start(admin, { kind: 'bus', connection, from_unit: 20, to_unit: 247 });
    const first = await ended();
    expect(first).toMatchObject({ state: 'failed', reason: 'time_limit', total: 228 });
    expect(first.problem).toMatch(/^A search takes .* minutes at most\./);
    expect(first.done).toBeLessThan(100);
  });

  it('keeps what was found before the bus went away', { timeout: 60_000 }, async () => {
    const gateway = await openFakeGateway(GATEWAY);
    const answer = gateway.manner;
    gateway.manner = (request, socket) => {
      if (request.unit !== 2) return answer(request, socket);
      void gateway.close();
      return 'drop';
    };
    const { search, ended } = service();
    const connection = { kind: 'modbus-tcp', host: '127.0.0.1', port: gateway.port, unit: 1, poll_s: 10 } as const;
    await search.start(admin, { kind: 'bus', connection, from_unit: 1, to_unit: 9 });
    const { state, reason, found } = await ended();
    expect({ state, reason, profiles: found.map(({ profile }) => profile) }).toEqual({
      ...{ state: 'failed', reason: 'unreachable' },
      profiles: ['eastron-sdm630'],
    });
  });

  it('asks web servers with GET only, follows no redirect, and says what they are', { timeout: 60_000 }, async () => {
    const shelly = await openHttp({
      '/shelly': { id: 'shellypro3em-0cb815fc0000', mac: '0CB815FC0000', app: 'Pro3EM', ver: '1.0.8', gen: 2 },
    });
    const homewizard = await openHttp({
      '/shelly': `http://127.0.0.1:${shelly.port}/shelly`,
      '/api': { product_type: 'HWE-P1', product_name: 'P1 meter', serial: '3c39e7aabbcc', firmware_version: '4.19' },
    });
    const printer = await openHttp({ '/api': { hello: 'world' } });
    const ports = [shelly.port, homewizard.port, printer.port];
    const { search, ended } = service({ http_ports: ports });
    await search.start(admin, { kind: 'network', ranges: ['127.0.0.1'] });
    const { found } = await ended();
    expect(found.map(({ vendor, model, profile }) => ({ vendor, model, profile })).sort(byVendor)).toEqual([
      { vendor: 'HomeWizard', model: 'P1 meter', profile: 'homewizard-p1' },
      { vendor: 'Shelly', model: 'Pro3EM', profile: 'shelly-pro-3em-http' },
    ]);
    expect(found.find(({ vendor }) => vendor === 'Shelly')?.connection).toMatchObject({
      kind: 'http',
      url: `http://127.0.0.1:${shelly.port}`,
    });
    const asked = [...shelly.asked, ...homewizard.asked, ...printer.asked];
    expect(asked.every((line) => line.startsWith('GET /'))).toBe(true);
    expect(shelly.asked).toEqual(['GET /shelly']);
  });

  it('searches confirmed private ranges only', async () => {
    const { search, acts } = service({ loopback: false });
    const refused = (ranges: string[]) => search.start(admin, { kind: 'network', ranges });
    await expect(refused(['8.8.8.0/24'])).rejects.toThrow(/no private range/);
    await expect(refused(['127.0.0.1'])).rejects.toThrow(/no private range/);
    await expect(refused(['169.254.0.0/24'])).rejects.toThrow(/no private range/);
    await expect(refused(['10.0.0.0/21'])).rejects.toThrow(/wider than \/22/);
    await expect(refused(['10.0.0.0/22', '10.1.0.0/24'])).rejects.toThrow(/more than 1024/);
    await expect(refused(['fd00::/120'])).rejects.toThrow(/no IPv4 range/);
    await expect(refused([])).rejects.toThrow(/empty/);
    const public_gateway = { kind: 'modbus-tcp', host: '8.8.8.8', port: 502, unit: 1, poll_s: 10 } as const;
    await expect(
      search.start(admin, { kind: 'bus', connection: public_gateway, from_unit: 1, to_unit: 2 }),
    ).rejects.toThrow(/no private range/);
    expect(acts).toEqual([]);
    expect(search.state('default')).toBeNull();
  });

  it('suggests the networks that the box is in, none wider than /24', () => {
    const cidrs = () => ['192.168.7.23/24', '10.3.4.5/8', '203.0.113.9/24', '192.168.7.24/24', '172.17.0.1/28'];
    expect(service({ cidrs }).search.suggestedRanges()).toEqual(['192.168.7.0/24', '10.3.4.0/24', '172.17.0.0/28']);
  });
});

describe('mDNS', () => {
  type Mdns = {
    on(event: 'query', listener: (query: { questions: { name: string }[] }) => void): void;
    respond(answer: object): void;
  };

  it('finds what announces itself, and asks it only within the confirmed ranges', { timeout: 60_000 }, async () => {
    const meter = await openHttp({ '/api': { product_type: 'HWE-KWH1', serial: '5c2fafaabbcc' } });
    const outside = await openHttp({ '/api': { product_type: 'HWE-KWH1', serial: '5c2fafaabbdd' } }, '127.0.0.2');
    const responder = new Bonjour(LOOPBACK as object);
    open.push({ close: () => new Promise((resolve) => responder.destroy(() => resolve())) });
    const { mdns } = (responder as unknown as { server: { mdns: Mdns } }).server;
    const announce = (name: string, port: number, address: string) => ({
      answers: [{ name: '_hwenergy._tcp.local', type: 'PTR', ttl: 120, data: `${name}._hwenergy._tcp.local` }],
      additionals: [
        { name: `${name}._hwenergy._tcp.local`, type: 'SRV', ttl: 120, data: { port, target: `${name}.local` } },
        { name: `${name}._hwenergy._tcp.local`, type: 'TXT', ttl: 120, data: [] },
        { name: `${name}.local`, type: 'A', ttl: 120, data: address },
      ],
    });
    mdns.on('query', ({ questions }) => {
      if (!questions.some(({ name }) => name === '_hwenergy._tcp.local')) return;
      mdns.respond(announce('kwhmeter', meter.port, '127.0.0.1'));
      mdns.respond(announce('elsewhere', outside.port, '127.0.0.2'));
    });
    const announced = await browseMdns(900, AbortSignal.timeout(10_000), LOOPBACK);
    expect(announced.map(({ name, addresses }) => `${name} ${addresses.join()}`).sort()).toEqual([
      'elsewhere 127.0.0.2',
      'kwhmeter 127.0.0.1',
    ]);
    const { search, ended } = service({ mdns: { listen_ms: 900, ...LOOPBACK } });
    await search.start(admin, { kind: 'network', ranges: ['127.0.0.1'] });
    const { found } = await ended();
    expect(found).toEqual([
      expect.objectContaining({ vendor: 'HomeWizard', profile: 'homewizard-kwh', found_by: 'mdns' }),
    ]);
    expect(meter.asked).toEqual(['GET /shelly', 'GET /api']);
    expect(outside.asked).toEqual([]);
  });

  it('gives nothing, and no error, where it cannot listen', async () => {
    const nowhere = { ip: '239.255.77.53', interface: '203.0.113.1', port: 45_354 };
    expect(await browseMdns(100, AbortSignal.timeout(5000), nowhere)).toEqual([]);
    // Somebody has the port for himself: the library tells it as an event that would end the process.
    const taken = createSocket('udp4');
    open.push({ close: () => new Promise((resolve) => taken.close(() => resolve())) });
    await new Promise<void>((resolve) => taken.bind(0, '0.0.0.0', resolve));
    const { port } = taken.address();
    expect(await browseMdns(100, AbortSignal.timeout(5000), { ...LOOPBACK, port })).toEqual([]);
  });
});

function byVendor(a: { vendor: string }, b: { vendor: string }): number {
  return a.vendor.localeCompare(b.vendor);
}
