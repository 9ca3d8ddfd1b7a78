/** The guard of the box's own requests, through the services that make them: what each says where it may not ask. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openFolderFiles } from '../../../connectors/files/folder.ts';
import type { EnergyPrice } from '../../../engine/model/site.ts';
import { ConfigSchema } from '../../../gateway/config.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { createOutbound, type Outbound, type Resolve } from '../../../gateway/outbound.ts';
import { createWaysOut } from '../../../gateway/services/notify/ways.ts';
import { createPriceService } from '../../../gateway/services/prices.ts';
import { createWeatherService } from '../../../gateway/services/weather.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';
import { simpleTariffs } from '../../setup/simple-tariffs.ts';
import { ADMIN, createNotifyRig } from './notify-rig.ts';

const NOT_ALLOWED = /not on the public internet, and this host is not allowed/;
const SITE = {
  ...{ tenant: 'default', id: 'works', name: 'Works', place: '', time_zone: 'Europe/Berlin', country: 'DE' },
  ...{ demo: false, latitude: 48, longitude: 7.8, currency: 'EUR' },
  energy_price: { kind: 'day-ahead', area: 'DE-LU', factor: 1, fee_per_kWh: 0.1, vat_percent: 19 } as EnergyPrice,
};
const site = { tenants: () => ['default'], get: () => SITE };
const base = { clock: Date, log: silent, metrics: createMetrics({ defaults: false }), site };

let test: TestDatabase;
const servers: Server[] = [];
const outbounds: Outbound[] = [];
beforeAll(async () => {
  test = await openTestDatabase();
  await test.db.asSystem((sql) => sql(`insert into tenant (id, name) values ('default', 'd') on conflict do nothing`));
});
afterEach(async () => {
  await Promise.all(outbounds.splice(0).map((outbound) => outbound.close()));
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => test?.close());

type Asking = {
  outbound: Outbound;
  /** Instead of the address that the service has by itself. */
  url: string | null;
};
const configOf = (source: string, url: string | null) =>
  ConfigSchema.parse({ home: test.home, price_sources: ['awattar'], provider_urls: url ? { [source]: url } : {} });

async function askPrices({ outbound, url }: Asking): Promise<string> {
  const empty = { currency: null, vat_included: false, sources: [], fetched_ms: null };
  const values = { at_ms: new Float64Array(), values: new Float64Array() };
  const prices = createPriceService({
    ...{ ...base, outbound, db: test.db, config: configOf('awattar', url), tariffs: simpleTariffs(site.get) },
    ...{ uploads: { prices: async () => [] }, alerts: { raise: async () => {}, clear: async () => {} } },
    series: { prices: { read: async () => ({ ...empty, ...values }), write: async () => {} } },
    bus: { publish: () => {}, subscribe: () => () => {}, close: async () => {} },
  } as unknown as Parameters<typeof createPriceService>[0]);
  await prices.poll();
  return (await prices.sources('default')).map(({ fault }) => fault).join();
}

async function askWeather({ outbound, url }: Asking): Promise<string> {
  const files = await openFolderFiles({ dir: join(test.home, 'files') });
  const weather = createWeatherService({ ...base, files, outbound, config: configOf('open-meteo', url) });
  await weather.poll();
  await weather.stop();
  return String((await weather.state('default')).fault);
}

async function askChannel(kind: 'webhook' | 'email', settings: object, outbound: Outbound): Promise<string> {
  const ways = createWaysOut({ outbound, clock: Date, publish: () => undefined });
  const { notify } = createNotifyRig(test.db, { ways });
  const { id } = await notify.saveChannel(ADMIN, {
    ...{
      name: `${kind} ${performance.now()}`,
      kind,
      settings,
      min_severity: 'warning',
      repeat_min: null,
      enabled: true,
    },
  });
  return (await notify.test(ADMIN, id, kind === 'email' ? 'ann@example.org' : null)).text;
}
const askWebhook = ({ outbound, url }: Asking) =>
  askChannel('webhook', { url: url ?? 'https://hooks.example/in' }, outbound);
const askMail = ({ outbound }: Asking) => {
  const settings = { host: 'mail.example', port: 1, security: 'none', user: null, from: 'l@example.org', ca_pem: null };
  return askChannel('email', settings, outbound);
};

const SERVICES = [
  { name: 'prices', host: 'api.awattar.de', ask: askPrices },
  { name: 'weather', host: 'api.open-meteo.com', ask: askWeather },
  { name: 'webhook', host: 'hooks.example', ask: askWebhook },
  { name: 'mail', host: 'mail.example', ask: askMail },
];

function outboundOf(allowed: string[], resolve: Resolve): Outbound {
  const outbound = createOutbound({ allowed: () => allowed, resolve });
  outbounds.push(outbound);
  return outbound;
}
async function serve(host: string, location?: string): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    request.resume();
    response.writeHead(location ? 307 : 200, location ? { location } : {}).end('{}');
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, host, done));
  return { url: `http://${host}:${(server.address() as AddressInfo).port}`, asked };
}
const leadsTo =
  (address: string): Resolve =>
  async () => [{ address, family: 4 }];

describe.each(SERVICES)('the address of $name', ({ host, ask }) => {
  it.each(['10.0.0.5', '127.0.0.1', '169.254.169.254', '192.168.1.1'])('is not asked at %s', async (address) => {
    expect(await ask({ outbound: outboundOf([], leadsTo(address)), url: null })).toMatch(NOT_ALLOWED);
  });

  it('is asked in a private network where an admin allowed the host', async () => {
    const said = await ask({ outbound: outboundOf([host], leadsTo('127.0.0.1')), url: null });
    expect(said).toMatch(/ECONNREFUSED|does not answer|nothing listens there/);
    expect(said).not.toMatch(NOT_ALLOWED);
  });
});

describe.each(SERVICES.filter(({ name }) => name !== 'mail'))('the address of $name', ({ ask }) => {
  it('gains nothing by a name that leads elsewhere the second time', async () => {
    let looked = 0;
    const turning: Resolve = async () => [{ address: looked++ === 0 ? '93.184.216.34' : '127.0.0.1', family: 4 }];
    expect(await ask({ outbound: outboundOf([], turning), url: null })).toMatch(NOT_ALLOWED);
    expect(looked).toBeGreaterThan(1);
  });

  it('is not left for a private one by a redirect', async () => {
    const inner = await serve('127.0.0.2');
    const outer = await serve('127.0.0.1', `${inner.url}/inside`);
    const outbound = outboundOf(['127.0.0.1'], leadsTo('127.0.0.1'));
    // A webhook is sent on to nowhere at all.
    expect(await ask({ outbound, url: outer.url })).toMatch(/this host is not allowed|sends on to another address/);
    expect(outer.asked.length).toBeGreaterThan(0);
    expect(inner.asked).toEqual([]);
  });
});

it('mail goes to where the one look-up led that was checked', async () => {
  let looked = 0;
  const turning: Resolve = async () => [{ address: looked++ === 0 ? '127.0.0.1' : '127.0.0.2', family: 4 }];
  expect(await askMail({ outbound: outboundOf(['mail.example'], turning), url: null })).toMatch(
    /nothing listens there/,
  );
  expect(looked).toBe(1);
});
