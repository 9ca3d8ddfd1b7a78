/** What a meter over HTTP may not be: through the real device service as far as the connection. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openHttpSource } from '../../connectors/meters/http/source.ts';
import { parseProfile } from '../../connectors/meters/profile/profile.ts';
import { NotAllowedError } from '../../engine/errors.ts';
import { createMeterAddresses } from '../../gateway/meter-addresses.ts';
import type { Resolve } from '../../gateway/outbound.ts';

const profile = {
  ...parseProfile(
    'x',
    `{vendor: V, model: M, transport: http, channels: {main: {label: L, role: load}}, http: {requests: [
      {path: /data, measurements: [{quantity: power_W, path: p, unit: W}]}]}}`,
  ),
  name: 'x',
  verified: false,
};
const OWN_PORT = 8080;
const guard = (allowed: string[] = [], resolve?: Resolve) =>
  createMeterAddresses({
    ...{ allowed: () => allowed, own_ports: () => [OWN_PORT], own_addresses: () => ['192.168.1.10', 'fd00::10'] },
    ...(resolve ? { resolve } : {}),
  });

describe('the address of a meter over HTTP', () => {
  it.each(['192.168.1.5', '10.0.0.7', '172.20.1.1', 'fd00::5', '100.64.3.2', '93.184.216.34'])(
    '%s may be one: meters live in the network of the building',
    async (address) => expect(await guard().check(address, 80)).toEqual([expect.objectContaining({ address })]),
  );

  it.each([
    ['127.0.0.1', /machine of this box/],
    ['127.9.9.9', /machine of this box/],
    ['::1', /machine of this box/],
    ['[::ffff:127.0.0.1]', /machine of this box/],
    ['0.0.0.0', /machine of this box/],
    ['192.168.1.10', /machine of this box/],
    ['fd00::10', /machine of this box/],
    ['169.254.169.254', /metadata service/],
    ['[::ffff:169.254.169.254]', /metadata service/],
    ['fd00:ec2::254', /metadata service/],
    ['100.100.100.200', /metadata service/],
    ['169.254.7.7', /linkLocal/],
    ['fe80::1', /linkLocal/],
    ['224.0.0.251', /multicast/],
    ['255.255.255.255', /broadcast/],
  ])('%s may not', async (address, words) => {
    await expect(guard().check(address, 80)).rejects.toThrow(NotAllowedError);
    await expect(guard().check(address, 80)).rejects.toThrow(words);
  });

  it('may be on the machine of the box where an admin allowed it, but never at a port of the box itself', async () => {
    const allowed = ['127.0.0.1', '192.168.1.10', 'localhost', '169.254.169.254'];
    const local: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    await expect(guard(allowed).check('127.0.0.1', 9000)).resolves.toHaveLength(1);
    for (const host of ['127.0.0.1', '192.168.1.10', 'localhost'])
      await expect(guard(allowed, local).check(host, OWN_PORT)).rejects.toThrow(/this box itself/);
    await expect(guard(allowed).check('169.254.169.254', 80)).rejects.toThrow(/metadata service/);
  });
});

describe('a meter over HTTP', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  async function serve(): Promise<{ port: number; asked: string[] }> {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end('{"p": 7}');
    });
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return { port: (server.address() as AddressInfo).port, asked };
  }
  async function read(host: string, port: number, addresses: ReturnType<typeof guard>) {
    const connection = { kind: 'http', url: `http://${host}:${port}`, token: null, poll_s: 10 } as const;
    const source = openHttpSource(profile, connection, { clock: Date, addresses });
    try {
      return await source.read(AbortSignal.timeout(10_000));
    } finally {
      await source.close();
    }
  }

  it.each(['127.0.0.1', 'localhost', '2130706433', '0x7f.1', '127.1', '[::ffff:127.0.0.1]'])(
    'at http://%s is never asked',
    async (host) => {
      const { port, asked } = await serve();
      await expect(read(host, port, guard())).rejects.toThrow(NotAllowedError);
      expect(asked).toEqual([]);
    },
  );

  it('is not asked where its name leads elsewhere the second time', async () => {
    const { port, asked } = await serve();
    let looked = 0;
    const rebinding: Resolve = async () => [{ address: looked++ === 0 ? '192.168.1.5' : '127.0.0.1', family: 4 }];
    await expect(read('meter.example', port, guard([], rebinding))).rejects.toThrow(/machine of this box/);
    expect(looked).toBeGreaterThan(1);
    expect(asked).toEqual([]);
  });

  it('is asked where an admin allowed its host', async () => {
    const { port, asked } = await serve();
    expect((await read('127.0.0.1', port, guard(['127.0.0.1']))).readings).toMatchObject([{ value: 7 }]);
    expect(asked).toEqual(['/data']);
  });
});
