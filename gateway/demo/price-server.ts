/**
 * A server on loopback that answers as the real price providers do. The demo site gets its prices from it, and tests
 * make it fail in every way that a provider can.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { awattar } from './shapes/awattar.ts';
import { energyCharts } from './shapes/energy-charts.ts';
import { entsoe } from './shapes/entsoe.ts';
import { ercot, ercotToken } from './shapes/ercot.ts';
import type { Answer, MarketTruth, Shape } from './shapes/market-truth.ts';
import { octopus } from './shapes/octopus.ts';
import { openMeteo } from './shapes/open-meteo.ts';
import { smard } from './shapes/smard.ts';
import { tibber } from './shapes/tibber.ts';
import type { Sky } from './sky.ts';

/** How a provider fails: an HTTP status, a page instead of data, half an answer, a closed line, or silence. */
export type Failure = number | 'html' | 'truncated' | 'reset' | 'silent';

export type PriceServer = {
  port: number;
  /** Base URL by provider, as `provider_urls` of the configuration takes them. */
  urls: Record<string, string>;
  /** Lets a provider fail until it is called with null. */
  fail(provider: string, failure: Failure | null): void;
  /** Calls so far, by provider. */
  calls(provider: string): number;
  close(): Promise<void>;
};

const HTML = '<!DOCTYPE html><html><head><title>Maintenance</title></head><body>Back soon</body></html>';
const LIMIT_BYTES = 100_000;

/** Listens on 127.0.0.1; `port` 0 takes a free one. */
export async function openPriceServer(options: {
  truth: MarketTruth;
  now: () => number;
  /** Weather under the name `open-meteo`, where given. */
  sky?: (at_ms: number) => Sky;
  port?: number;
}): Promise<PriceServer> {
  const shapes: Record<string, Shape> = {
    'energy-charts': energyCharts,
    awattar: awattar('DE-LU'),
    'awattar-at': awattar('AT'),
    smard: smard(options.now),
    entsoe,
    tibber: tibber(options.now),
    octopus,
    ercot,
    'ercot-token': ercotToken,
    ...(options.sky ? { 'open-meteo': openMeteo(options.sky) } : {}),
  };
  const failures = new Map<string, Failure>();
  const calls = new Map<string, number>();

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const [, provider = '', ...rest] = url.pathname.split('/');
    calls.set(provider, (calls.get(provider) ?? 0) + 1);
    const shape = shapes[provider];
    const failure = failures.get(provider);
    const body = await bodyOf(request);
    const path = `/${rest.join('/')}`;
    const headers = request.headers as Record<string, string>;
    const call = { method: request.method ?? 'GET', path, query: url.searchParams, headers, body };
    const answer = shape ? shape(call, options.truth) : { status: 404, type: 'text/plain', body: 'no such provider' };
    if (failure === undefined) send(response, answer);
    else failAs(failure, response, answer);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    urls: Object.fromEntries(Object.keys(shapes).map((name) => [name, `http://127.0.0.1:${port}/${name}`])),
    fail(provider, failure) {
      if (failure === null) failures.delete(provider);
      else failures.set(provider, failure);
    },
    calls: (provider) => calls.get(provider) ?? 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) {
    body += chunk;
    if (body.length > LIMIT_BYTES) break;
  }
  return body;
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}

function failAs(failure: Failure, response: ServerResponse, answer: Answer): void {
  if (failure === 'silent') return;
  if (failure === 'reset') response.socket?.destroy();
  else if (failure === 'html') send(response, { status: 200, type: 'text/html', body: HTML });
  else if (failure === 'truncated') send(response, { ...answer, body: answer.body.slice(0, answer.body.length / 2) });
  else response.writeHead(failure, { 'content-type': 'text/plain', 'retry-after': '120' }).end('failed');
}
