/** Child of the query bench: the data API over the series worker, as the box wires them. */
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import type { MeterPoint } from '../../engine/model/site.ts';
import { createDataApi } from '../../gateway/http/api/data.ts';
import { createApiApp } from '../../gateway/http/api.ts';
import { openSeriesWorker } from '../../gateway/series.ts';
import { createDataService } from '../../gateway/services/data.ts';
import type { SiteService } from '../../gateway/services.ts';
import { METERS, meterName, TENANT } from './query-data.ts';

const [kind, where] = process.argv.slice(2) as ['duckdb' | 'questdb', string];
const journal_dir = mkdtempSync(join(tmpdir(), 'luna-bench-journal-'));
const series = await openSeriesWorker({
  store: kind === 'duckdb' ? { kind, file: where, memory: '1GB' } : { kind, url: where },
  journal_dir,
  durable: new SharedArrayBuffer(8),
  released_seq: 0,
});
series.drain.start();
await series.ready(30_000);

const points = Array.from({ length: METERS }, (_, index): MeterPoint => {
  const id = meterName(index);
  return {
    tenant: TENANT,
    id,
    site: 's',
    name: id,
    role: 'load',
    device: id,
    channel: 'main',
    parent: null,
    virtual: null,
  };
});
const byId = new Map(points.map((point) => [point.id, point]));
const data = createDataService({
  series,
  meters: { list: () => points, get: (_tenant, id) => byId.get(id) ?? null },
  sitePrices: () => Promise.reject(new Error('the bench asks for no prices')),
});
const app = createApiApp();
app.use(async (c, next) => {
  c.set('actor', { tenant: TENANT, person: 'bench', role: 'user', language: 'en' });
  await next();
});
app.route('/', createDataApi({ data, site: { get: () => null } as Partial<SiteService> as SiteService }));
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, (address: AddressInfo) =>
  process.send?.({ port: address.port }),
);

process.on('message', () => {
  server.close();
  void series.close().then(() => {
    rmSync(journal_dir, { recursive: true, force: true });
    process.exit(0);
  });
});
