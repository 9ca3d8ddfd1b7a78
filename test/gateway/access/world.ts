/** A box in this process with two organisations: its web application answers without a socket. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { assemble } from '../../../gateway/assemble.ts';
import { loadConfig } from '../../../gateway/config.ts';
import { createAuthenticate } from '../../../gateway/http/authenticate.ts';
import { createWeb } from '../../../gateway/http/server.ts';
import { createLifecycle } from '../../../gateway/lifecycle.ts';
import type { Actor, Services } from '../../../gateway/services.ts';
import { copyTemplate, silent } from '../../setup/database.ts';
import { fillTenants, type Organisation, writeTenants } from '../box/two-tenants.ts';

export type World = {
  services: Services;
  organisations: readonly [Organisation, Organisation];
  request(path: string, init?: RequestInit): Promise<Response>;
  /** What the box logged as an error since it was asked last. */
  errors(): string[];
  remove(): Promise<void>;
};

export const adminOf = (tenant: string): Actor => ({ tenant, person: 'test', role: 'admin', language: 'en' });

export async function openWorld(): Promise<World> {
  const home = await mkdtemp(join(tmpdir(), 'luna-access-'));
  await copyTemplate(home);
  const config = loadConfig({ LUNA_HOME: home, LUNA_PRICE_SOURCES: '', LUNA_WEATHER: 'off', LUNA_LOG_LEVEL: 'silent' });
  const said: string[] = [];
  const log = pino({ level: 'error' }, { write: (line) => void said.push(line) });
  const { services, parts } = await assemble(config, log, { listen: false });
  const rows = await writeTenants(services.db);
  const lifecycle = createLifecycle(parts, silent);
  await lifecycle.start();
  const web = createWeb(services, {
    ...{ secure: false, version: '0' },
    authenticate: createAuthenticate({ access: services.access, secure: false, config }),
  });
  const request = async (path: string, init?: RequestInit) => web.request(path, init);
  const adminKey = async (tenant: string) => (await services.access.createKey(adminOf(tenant), 'first', 'admin')).key;
  const organisations = await fillTenants(rows, { request, adminKey });
  return {
    ...{ services, organisations, request, errors: () => said.splice(0) },
    async remove() {
      await lifecycle.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}
