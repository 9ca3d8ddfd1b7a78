import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../gateway/config.ts';
import { isReady } from '../../gateway/healthcheck.ts';
import { prepareAppliance } from '../../gateway/prepare.ts';

describe('luna prepare', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'luna-prepare-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const text = (path: string) => readFileSync(join(folder, path), 'utf8').trim();

  it('makes secrets that the box takes as its configuration, each for its readers alone', async () => {
    const { made, kept } = await prepareAppliance(folder);
    expect(kept).toEqual([]);
    for (const path of made) expect(statSync(join(folder, path)).mode & 0o077, path).toBe(0);
    const files = readdirSync(join(folder, 'secrets/luna'));
    const variables = {
      database_file: 'database-url',
      database_owner_file: 'database-owner-url',
      files_file: 'files-url',
    };
    const environment = Object.fromEntries(
      Object.entries({ ...variables, metrics_token_file: 'metrics-token' }).map(([key, name]) => [
        `LUNA_${key.toUpperCase()}`,
        join(folder, 'secrets/luna', name),
      ]),
    );
    const config = loadConfig({ LUNA_HOME: folder, ...environment });
    expect(config.database).toContain(text('secrets/postgres/app'));
    expect(config.database_owner).toContain(text('secrets/postgres/owner'));
    expect(config.files).toContain(text('secrets/files/password'));
    expect(config.metrics_token).toBe(text('secrets/prometheus/metrics-token'));
    expect(files).not.toContain('superuser');
  });

  it('keeps what is there, so that every start may run it, and makes anew what a kill left empty', async () => {
    await prepareAppliance(folder);
    const before = text('secrets/luna/database-url');
    rmSync(join(folder, 'secrets/grafana/admin'));
    writeFileSync(join(folder, 'secrets/grafana/admin'), '');
    const { made } = await prepareAppliance(folder);
    expect(made).toEqual(['secrets/grafana/admin']);
    expect(text('secrets/luna/database-url')).toBe(before);
    expect(text('secrets/grafana/admin')).toHaveLength(43);
  });
});

describe('the health check of the image', () => {
  it('is content with a box that is ready, and with no other', async () => {
    let status = 200;
    const server = createServer((_, answer) => answer.writeHead(status).end());
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    expect(await isReady(port, false)).toBe(true);
    status = 503;
    expect(await isReady(port, false)).toBe(false);
    expect(await isReady(port, true)).toBe(false);
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    expect(await isReady(port, false)).toBe(false);
  });
});
