import { afterEach, describe, expect, it } from 'vitest';
import { createBusRegistry, type ModbusBus, openModbusBus } from '../../../../connectors/meters/modbus/bus.ts';
import { ModbusException } from '../../../../connectors/meters/modbus/request.ts';
import { UnavailableError } from '../../../../engine/errors.ts';
import { after, echo, type Manner, type NastyServer, openNastyServer } from './nasty-server.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

async function start(manner?: Manner, rtu = false): Promise<NastyServer> {
  const server = await openNastyServer(manner, 0, rtu);
  open.push(server);
  return server;
}
function connect(server: { port: number }, framing: 'tcp' | 'rtu' = 'tcp', timeout_ms = 400): ModbusBus {
  const bus = openModbusBus(
    { kind: 'tcp', host: '127.0.0.1', port: server.port, framing },
    { timeout_ms, connect_timeout_ms: 3000 },
  );
  open.push(bus);
  return bus;
}
const words = (buffer: Buffer) => Array.from({ length: buffer.length / 2 }, (_, i) => buffer.readUInt16BE(2 * i));

describe('a Modbus bus', () => {
  it('reads holding and input registers of several units over one connection, one request at a time', async () => {
    let under_way = 0;
    let most = 0;
    const server = await start(async (request, socket) => {
      most = Math.max(most, ++under_way);
      await after(5, null);
      under_way--;
      return echo(request, socket);
    });
    const bus = connect(server);
    const answers = await Promise.all([bus.read(1, 3, 100, 2), bus.read(2, 4, 7, 1), bus.read(1, 3, 500, 3)]);
    expect(answers.map(words)).toEqual([[100, 101], [7], [500, 501, 502]]);
    expect(server.requests.map(({ unit, code }) => `${unit}/${code}`)).toEqual(['1/3', '2/4', '1/3']);
    expect(most).toBe(1);
    expect(server.accepted()).toBe(1);
  });

  it('never takes a late answer for that of a later request', async () => {
    const server = await start((request, socket) =>
      request.address === 1
        ? after(600, echo(request, socket) as { words: number[] })
        : after(250, echo(request, socket) as never),
    );
    const bus = connect(server);
    await expect(bus.read(1, 3, 1, 1)).rejects.toThrow(/No answer from 127\.0\.0\.1:\d+ unit 1\./);
    // The answer to register 1 comes while register 2 is asked for; both have one word.
    expect(words(await bus.read(1, 3, 2, 1))).toEqual([2]);
    expect(words(await bus.read(1, 3, 3, 1))).toEqual([3]);
  });

  it('makes the line anew after a timeout where frames carry no number (RTU over TCP)', async () => {
    const server = await start(
      (request, socket) => after(request.address === 1 ? 600 : 0, echo(request, socket) as { words: number[] }),
      true,
    );
    const bus = connect(server, 'rtu');
    expect(words(await bus.read(1, 3, 9, 2))).toEqual([9, 10]);
    await expect(bus.read(1, 3, 1, 1)).rejects.toThrow(UnavailableError);
    expect(words(await bus.read(1, 3, 2, 1))).toEqual([2]);
    await after(300, null);
    expect(words(await bus.read(1, 3, 3, 1))).toEqual([3]);
    expect(server.accepted()).toBe(2);
  });

  it('ignores an answer with a foreign transaction number', async () => {
    const server = await start((request) => ({ transaction: (request.transaction + 77) & 0xff, words: [666] }));
    await expect(connect(server).read(1, 3, 1, 1)).rejects.toThrow(/No answer/);
  });

  it.each([
    ['another unit', { unit: 9, words: [1] }],
    ['another function', { code: 4, words: [1] }],
    ['fewer registers', { words: [] }],
  ])('refuses an answer of %s, in words', async (_, frame) => {
    const server = await start(() => frame);
    await expect(connect(server).read(1, 3, 1, 1)).rejects.toThrow(/answers something else than was asked/);
  });

  it('says which registers a device refuses', async () => {
    const server = await start(() => ({ exception: 2 }));
    const refused = connect(server).read(1, 3, 40, 2);
    await expect(refused).rejects.toBeInstanceOf(ModbusException);
    await expect(refused).rejects.toThrow('The device refuses registers 40 to 41: it has no such register.');
  });

  it('does not wait for the timeout when the device hangs up, and connects again', async () => {
    let drops = 1;
    const server = await start((request, socket) => (drops-- > 0 ? 'drop' : echo(request, socket)));
    const bus = connect(server, 'tcp', 60_000);
    const begun = performance.now();
    await expect(bus.read(1, 3, 1, 1)).rejects.toThrow(/closed the connection/);
    expect(performance.now() - begun).toBeLessThan(15_000);
    expect(words(await bus.read(1, 3, 1, 1))).toEqual([1]);
  });

  it('connects again at once when the device hung up in between', async () => {
    const sockets: { destroy(): void }[] = [];
    const server = await start((request, socket) => {
      sockets.push(socket);
      return echo(request, socket);
    });
    const bus = connect(server);
    await bus.read(1, 3, 1, 1);
    sockets[0]!.destroy();
    await after(50, null);
    expect(words(await bus.read(1, 3, 2, 1))).toEqual([2]);
  });

  it('makes a half-open connection anew after two silent requests', async () => {
    let silent = 2;
    const server = await start((request, socket) => (silent-- > 0 ? 'silent' : echo(request, socket)));
    const bus = connect(server);
    await expect(bus.read(1, 3, 1, 1)).rejects.toThrow();
    await expect(bus.read(1, 3, 1, 1)).rejects.toThrow();
    expect(words(await bus.read(1, 3, 1, 1))).toEqual([1]);
    expect(server.accepted()).toBe(2);
  });

  it('keeps the connection while one of two units is dead', async () => {
    const server = await start((request, socket) => (request.unit === 2 ? 'silent' : echo(request, socket)));
    const bus = connect(server);
    for (let round = 0; round < 3; round++) {
      await expect(bus.read(2, 3, 1, 1)).rejects.toThrow(/unit 2/);
      expect(words(await bus.read(1, 3, 5, 1))).toEqual([5]);
    }
    expect(server.accepted()).toBe(1);
  });

  it('survives garbage, and comes back with the device', async () => {
    const server = await start(() => ({ raw: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'.repeat(30)) }));
    const bus = connect(server);
    await expect(bus.read(1, 3, 1, 1)).rejects.toThrow(UnavailableError);
    await expect(bus.read(1, 3, 1, 1)).rejects.toThrow(UnavailableError);
    server.manner = echo;
    expect(words(await bus.read(1, 3, 1, 1))).toEqual([1]);
    await server.close();
    await expect(bus.read(1, 3, 1, 1)).rejects.toThrow(/refuses connections|closed the connection/);
    open.push(await openNastyServer(echo, server.port));
    expect(words(await bus.read(1, 3, 1, 1))).toEqual([1]);
  });

  it('answers nobody after it was closed, and stops what an aborted round still has in the queue', async () => {
    const server = await start((request, socket) => after(30, echo(request, socket) as { words: number[] }));
    const bus = connect(server);
    const stop = new AbortController();
    const first = bus.read(1, 3, 1, 1, { signal: stop.signal });
    const second = bus.read(1, 3, 2, 1, { signal: stop.signal });
    stop.abort();
    await expect(first).rejects.toThrow(/stopped/);
    await expect(second).rejects.toThrow(/stopped/);
    expect(server.requests).toEqual([]);
    await bus.close();
    await expect(bus.read(1, 3, 1, 1)).rejects.toThrow(/was closed/);
  });
});

describe('the registry of buses', () => {
  it('refuses a bus with other settings than those it is used with', async () => {
    const registry = createBusRegistry();
    open.push(registry);
    const serial = { kind: 'serial', path: '/dev/ttyUSB7', baud: 9600, parity: 'none', stop_bits: 1 } as const;
    const { release } = registry.acquire(serial);
    expect(() => registry.acquire({ ...serial, baud: 19_200, stop_bits: 2 })).toThrow(
      '/dev/ttyUSB7 is in use with 9600 baud, parity none, 1 stop bit, so that it cannot be used with 19200 baud, parity none, 2 stop bits.',
    );
    await release();
    await registry.acquire({ ...serial, baud: 19_200 }).release();
  });

  it('shares one connection among all who read the same address; the last one closes it', async () => {
    const server = await start();
    server.most = 1;
    const registry = createBusRegistry({ timeout_ms: 500 });
    open.push(registry);
    const endpoint = { kind: 'tcp' as const, host: '127.0.0.1', port: server.port, framing: 'tcp' as const };
    const a = registry.acquire(endpoint);
    const b = registry.acquire(endpoint);
    expect(a.bus).toBe(b.bus);
    await Promise.all([a.bus.read(1, 3, 1, 1), b.bus.read(2, 3, 1, 1)]);
    await a.release();
    await a.release();
    expect(words(await b.bus.read(2, 3, 8, 1))).toEqual([8]);
    await b.release();
    await expect.poll(() => server.connections()).toBe(0);
  });
});
