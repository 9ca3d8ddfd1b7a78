import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, it } from 'vitest';
import { baseUrl, openHttpSource } from '../../../connectors/meters/http/source.ts';
import { parseProfile } from '../../../connectors/meters/profile/profile.ts';
import { InvalidDataError, NotAllowedError, UnavailableError } from '../../../engine/errors.ts';

const profile = (more = '') => ({
  ...parseProfile(
    'x',
    `{vendor: V, model: M, transport: http, channels: {main: {label: L, role: load}}, http: {${more} requests: [
      {path: /data, measurements: [{quantity: power_W, path: p, unit: kW}]}], firmware: {request: /info, path: v}}}`,
  ),
  name: 'x',
  verified: false,
});
const never = new AbortController().signal;

describe('a device over HTTP', () => {
  let server: Server | undefined;
  afterEach(async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
    server = undefined;
  });
  async function source(
    listener: RequestListener,
    options: { token?: string; more?: string; deadline_ms?: number } = {},
  ) {
    server = createServer(listener);
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return openHttpSource(
      profile(options.more),
      { kind: 'http', url, token: options.token ?? null, poll_s: 10 },
      { clock: { now: () => 1000 }, deadline_ms: options.deadline_ms ?? 2000 },
    );
  }

  it('reads values, and the firmware once', async () => {
    const asked: string[] = [];
    const device = await source((request, response) => {
      asked.push(request.url ?? '');
      response.end(request.url === '/info' ? '{"v":"1.2"}' : '{"p":1.5}');
    });
    const first = await device.read(never);
    expect(first).toMatchObject({
      firmware: '1.2',
      readings: [{ channel: 'main', quantity: 'power_W', value: 1500, at_ms: 1000 }],
    });
    await device.read(never);
    expect(asked).toEqual(['/data', '/info', '/data']);
  });
  it('keeps the values of a device that does not tell its firmware', async () => {
    const device = await source((request, response) =>
      response.writeHead(request.url === '/info' ? 404 : 200).end('{"p":2}'),
    );
    expect(await device.read(never)).toMatchObject({ firmware: null, readings: [{ value: 2000 }] });
  });
  it.each([
    ['bearer', '', 'Bearer abc'],
    ['basic', 'auth: basic,', `Basic ${Buffer.from('abc').toString('base64')}`],
    ['none', 'auth: none,', undefined],
  ])('sends the token as %s', async (_, more, header) => {
    let seen: string | undefined;
    const device = await source(
      (request, response) => {
        seen = request.headers.authorization;
        response.end('{"p":1}');
      },
      { token: 'abc', more },
    );
    await device.read(never);
    expect(seen).toBe(header);
  });
  it.each([
    ['a refusal', 401, '', NotAllowedError, /asks for a token/],
    ['a fault of its own', 500, '', UnavailableError, /answers 500 to \/data/],
    ['a redirect', 302, '', UnavailableError, /cannot be reached/],
    ['a web page', 200, '<html>', InvalidDataError, /no JSON: <html>/],
    ['far too much', 200, 'x'.repeat(1_200_000), InvalidDataError, /more than 1 MB/],
  ])('says in words: %s', async (_, status, text, kind, message) => {
    const device = await source((_request, response) =>
      response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end(text),
    );
    const read = device.read(never);
    await expect(read).rejects.toBeInstanceOf(kind);
    await expect(read).rejects.toThrow(message);
  });
  it('does not wait for ever: neither for the answer nor for its end', async () => {
    const silent = await source(() => undefined, { deadline_ms: 100 });
    await expect(silent.read(never)).rejects.toThrow(/No answer from 127\.0\.0\.1:\d+ in time/);
    server?.closeAllConnections();
    server?.close();
    const dripping = await source((_request, response) => void response.write('{"p":'), { deadline_ms: 100 });
    await expect(dripping.read(never)).rejects.toThrow(/in time/);
  });
  it('says that nobody is there', async () => {
    const device = await source(() => undefined);
    await new Promise((resolve) => server?.close(resolve));
    await expect(device.read(never)).rejects.toThrow(/127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\)/);
  });
  it('knows an address when it sees one', () => {
    expect(baseUrl('192.168.1.5')).toBe('http://192.168.1.5');
    expect(baseUrl('https://meter.local:8443/p1/')).toBe('https://meter.local:8443/p1');
    for (const text of ['', 'ftp://x', 'http://user:pass@x', 'file:///etc/passwd', 'http://'])
      expect(() => baseUrl(text), text).toThrow(/no address of a device/);
  });
});

describe('a device over HTTPS with a certificate of its own', () => {
  it('is asked only where the profile says so, with the headers of the profile', async () => {
    const pems = await generate([{ name: 'commonName', value: 'appliance/p1dongle/5c2fafaabbcc' }]);
    const asked: (string | string[] | undefined)[] = [];
    const server = createSecureServer({ key: pems.private, cert: pems.cert }, (request, response) => {
      asked.push(request.headers['x-api-version'], request.headers.authorization);
      response.end('{"p": 1.5}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const open = (more: string) =>
      openHttpSource(profile(more), { kind: 'http', url, token: 'secret', poll_s: 10 }, { clock: { now: () => 1000 } });
    try {
      await expect(open('').read(never)).rejects.toThrow(/cannot be reached \(.*(?:CERT|SELF_SIGNED).*\)/);
      expect(asked).toEqual([]);
      const source = open('certificate: own, headers: {X-Api-Version: "2"},');
      expect((await source.read(never)).readings).toMatchObject([{ quantity: 'power_W', value: 1500 }]);
      expect(asked.slice(0, 2)).toEqual(['2', 'Bearer secret']);
      await source.close();
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
