import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { NotAllowedError } from '../../engine/errors.ts';
import { createOutbound, isPublic, type Outbound, type Resolve } from '../../gateway/outbound.ts';

const servers: Server[] = [];
const outbounds: Outbound[] = [];
afterEach(async () => {
  await Promise.all(outbounds.splice(0).map((outbound) => outbound.close()));
  for (const server of servers.splice(0)) server.close();
});

type Seen = { url: string; method: string; headers: IncomingHttpHeaders };

async function serve(
  answer: (seen: Seen) => { status: number; location?: string },
  host = '127.0.0.1',
): Promise<{ port: number; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const now = { url: request.url ?? '', method: request.method ?? '', headers: request.headers };
    seen.push(now);
    const { status, location } = answer(now);
    response.writeHead(status, location ? { location } : {}).end('body');
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, host, done));
  return { port: (server.address() as AddressInfo).port, seen };
}

function outboundOf(allowed: string[] = [], resolve?: Resolve): Outbound {
  const outbound = createOutbound({ allowed: () => allowed, ...(resolve ? { resolve } : {}) });
  outbounds.push(outbound);
  return outbound;
}

const local: Resolve = async () => [{ address: '127.0.0.1', family: 4 }];

describe('addresses on the public internet', () => {
  const inside = [
    '10.0.0.1',
    '172.16.3.4',
    '192.168.1.1',
    '127.0.0.1',
    '0.0.0.0',
    '169.254.169.254',
    '100.64.0.1',
    '224.0.0.1',
    '255.255.255.255',
  ];
  const inside6 = [
    '::1',
    '::',
    'fd00::1',
    'fe80::1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    'ff02::1',
    '2001:db8::1',
  ];
  it.each([...inside, ...inside6, 'no address', ''])('%s is not one', (address) =>
    expect(isPublic(address)).toBe(false),
  );
  it.each(['1.1.1.1', '93.184.216.34', '2606:4700:4700::1111'])('%s is one', (address) =>
    expect(isPublic(address)).toBe(true),
  );
});

describe('requests of the box', () => {
  it.each([
    '127.0.0.1',
    'localhost',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '127.0.0.1.',
  ])('never reach http://%s while no admin allowed it', async (host) => {
    const { port, seen } = await serve(() => ({ status: 200 }));
    await expect(outboundOf().fetch(`http://${host}:${port}/`)).rejects.toThrow(NotAllowedError);
    expect(seen).toEqual([]);
  });

  it('reach a private host that an admin allowed, on the allowed port only', async () => {
    const { port, seen } = await serve(() => ({ status: 200 }));
    expect((await outboundOf([`127.0.0.1:${port}`]).fetch(`http://127.0.0.1:${port}/a`)).status).toBe(200);
    expect((await outboundOf(['mail.local'], local).fetch(`http://MAIL.local.:${port}/b`)).status).toBe(200);
    await expect(outboundOf(['127.0.0.1:1']).fetch(`http://127.0.0.1:${port}/c`)).rejects.toThrow(NotAllowedError);
    expect(seen.map(({ url }) => url)).toEqual(['/a', '/b']);
  });

  it('do not follow a name that leads elsewhere the second time (DNS rebinding)', async () => {
    const { port, seen } = await serve(() => ({ status: 200 }));
    let asked = 0;
    const rebinding: Resolve = async () => [{ address: asked++ === 0 ? '93.184.216.34' : '127.0.0.1', family: 4 }];
    await expect(outboundOf([], rebinding).fetch(`http://evil.example:${port}/`)).rejects.toThrow(NotAllowedError);
    expect(asked).toBeGreaterThan(1);
    expect(seen).toEqual([]);
  });

  it('are refused where one of several addresses is private', async () => {
    const mixed: Resolve = async () => [
      { address: '93.184.216.34', family: 4 },
      { address: '10.0.0.1', family: 4 },
    ];
    await expect(outboundOf([], mixed).fetch('http://mixed.example/')).rejects.toThrow(/10\.0\.0\.1/);
    await expect(outboundOf([], mixed).addressOf('mixed.example', 25)).rejects.toThrow(NotAllowedError);
  });

  it.each(['localhost', '127.0.0.2', '[::ffff:127.0.0.3]'])('do not follow a redirect to %s', async (host) => {
    const inner = await serve(() => ({ status: 200 }), '0.0.0.0');
    const outer = await serve(() => ({ status: 302, location: `http://${host}:${inner.port}/admin` }));
    const outbound = outboundOf(['127.0.0.1']);
    await expect(outbound.fetch(`http://127.0.0.1:${outer.port}/`)).rejects.toThrow(NotAllowedError);
    expect(inner.seen).toEqual([]);
  });

  it('leave their secrets behind when they are sent to another origin, and end a circle', async () => {
    const inner = await serve(() => ({ status: 200 }));
    const outer = await serve(({ url }) =>
      url === '/circle'
        ? { status: 302, location: '/circle' }
        : { status: 307, location: `http://127.0.0.1:${inner.port}/` },
    );
    const outbound = outboundOf(['127.0.0.1']);
    await outbound.fetch(`http://127.0.0.1:${outer.port}/`, { headers: { authorization: 'Bearer x', accept: 'a/b' } });
    expect(inner.seen[0]?.headers).toMatchObject({ accept: 'a/b' });
    expect(inner.seen[0]?.headers.authorization).toBeUndefined();
    await expect(outbound.fetch(`http://127.0.0.1:${outer.port}/circle`)).rejects.toThrow(/sends on/);
    expect(outer.seen.filter(({ url }) => url === '/circle')).toHaveLength(4);
  });

  it.each(['file:///etc/passwd', 'ftp://example.org/', 'gopher://127.0.0.1/', 'no address'])(
    'refuse %s',
    async (url) => {
      await expect(outboundOf(['127.0.0.1']).fetch(url)).rejects.toThrow(/web address/);
    },
  );
});
