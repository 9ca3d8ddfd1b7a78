/** `luna support FILE`: what somebody who helps needs to see, and no secret. The log adds itself: `make logs`. */
import { writeFile } from 'node:fs/promises';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { readMigrations } from '../connectors/database/postgres/migrate.ts';
import { InvalidDataError } from '../engine/errors.ts';
import type { Config } from './config.ts';
import type { CommandResult } from './control.ts';
import type { Actor, Services } from './services.ts';

/** What a key or an address with a password in it looks like; the value of such a key is never told. */
const SECRET = /(token|password|passphrase|secret|_key|^key$|user|database_owner|topic)/i;
const FILES = new Set(['backup_passphrase_file', 'tls_key', 'tls_cert']);

/** The configuration with the kind of each store, and without what opens it. */
export function shownConfig(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      if (value === null || FILES.has(key)) return [key, value];
      if (SECRET.test(key)) return [key, '(set)'];
      return [key, withoutCredentials(value)];
    }),
  );
}

/** Addresses keep their host alone: a path or query may hold a secret too. */
function withoutCredentials(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutCredentials);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutCredentials(inner)]));
  if (typeof value !== 'string' || !/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) return value;
  return URL.canParse(value) ? `${new URL(value).protocol}//${new URL(value).host}` : '(an address)';
}

export async function supportBundle(services: Services): Promise<Record<string, unknown>> {
  const { config, health, journal, jobs, metrics, clock, site, devices } = services;
  const report = await health.report();
  const queues = await jobs.depth().catch((error: Error) => error.message);
  return {
    made_at: new Date(clock.now()).toISOString(),
    luna: health.luna ?? null,
    machine: {
      ...{ node: process.version, platform: platform(), release: release(), arch: arch(), cores: cpus().length },
      ...{ memory_bytes: totalmem(), resident_bytes: process.memoryUsage.rss(), up_s: Math.round(process.uptime()) },
    },
    config: shownConfig(config),
    health: report,
    ...{ store: health.store(), readings: health.readings(), volume: health.volume?.() ?? null },
    ...{ journal: journal.stats(), queues, migrations: readMigrations().map(({ name }) => name) },
    organisations: site.tenants().length,
    // Kinds and profiles, no names or addresses.
    devices: site
      .tenants()
      .flatMap((tenant) =>
        devices.list(tenant).map(({ profile, enabled, connection }) => ({ profile, enabled, kind: connection.kind })),
      ),
    metrics: await metrics.registry.metrics(),
  };
}

/** @throws InvalidDataError where the file cannot be written */
export async function writeSupport(
  services: Services,
  _actor: Actor,
  args: Record<string, unknown>,
): Promise<CommandResult> {
  const bundle = await supportBundle(services);
  const file = String(args.file);
  await writeFile(file, `${JSON.stringify(bundle, null, 2)}\n`, { mode: 0o600 }).catch((error: Error) => {
    throw new InvalidDataError(`${file} cannot be written: ${error.message}`, 'Name a file in a folder of yours.');
  });
  return { text: `${file}: health, metrics and settings without secrets. Read it before you send it.`, json: { file } };
}
