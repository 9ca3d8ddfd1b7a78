/**
 * Hosts on private networks that an admin allowed the box to ask (mail servers, webhooks, language models). They hold
 * for the whole box, so only admins of its own organisation may change them.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { InvalidDataError, NotAllowedError, NotFoundError } from '../../engine/errors.ts';
import { hostAndPort } from '../outbound.ts';
import { OWNER } from '../owner.ts';
import type { Actor, Base } from '../services.ts';
import { writeAudit } from './audit.ts';

export type AllowedHost = { host: string; by: string; at_ms: number };

export interface AllowedHostService {
  /** All of them, those of the configuration first. */
  entries(): readonly string[];
  /** Those of the configuration, which only its file changes, and those that people allowed. @throws NotAllowedError */
  list(actor: Actor): { configured: readonly string[]; allowed: readonly AllowedHost[] };
  /** @param host `mail.local`, `10.0.0.5` or, for one port only, `10.0.0.5:8025`. @throws NotAllowedError, InvalidDataError */
  allow(actor: Actor, host: string): Promise<void>;
  /** @throws NotAllowedError, NotFoundError */
  remove(actor: Actor, host: string): Promise<void>;
}

const SETTING = 'allowed_hosts';
const LIMIT = 100;
const Stored = z.array(z.object({ host: z.string(), by: z.string(), at_ms: z.number() }));

/** `start` loads what people allowed. */
export function createAllowedHosts({
  db,
  config,
  clock,
}: Pick<Base, 'db' | 'config' | 'clock'>): AllowedHostService & { start(): Promise<void> } {
  let allowed: readonly AllowedHost[] = [];

  async function save(actor: Actor, act: string, host: string, next: readonly AllowedHost[]): Promise<void> {
    await db.asTenant(OWNER, async (sql) => {
      await sql(
        `insert into setting (tenant_id, name, value) values ($1, $2, $3)
          on conflict (tenant_id, name) do update set value = excluded.value`,
        [OWNER, SETTING, JSON.stringify(next)],
      );
      await writeAudit(sql, actor, act, host);
    });
    allowed = next;
  }

  return {
    async start() {
      const rows = await db.asTenant(OWNER, (sql) =>
        sql<{ value: unknown }>('select value from setting where name = $1', [SETTING]),
      );
      allowed = Stored.parse(rows[0]?.value ?? []);
    },
    entries: () => [...config.allowed_hosts, ...allowed.map(({ host }) => host)],
    list(actor) {
      requireOwner(actor);
      return { configured: config.allowed_hosts, allowed };
    },
    async allow(actor, text) {
      requireOwner(actor);
      const host = parseHost(text);
      if (allowed.some((one) => one.host === host)) return;
      if (allowed.length >= LIMIT)
        throw new InvalidDataError(`${LIMIT} hosts are allowed already.`, 'Remove those that nothing asks any more.');
      await save(actor, 'allow host', host, [...allowed, { host, by: actor.person, at_ms: clock.now() }]);
    },
    async remove(actor, host) {
      requireOwner(actor);
      if (!allowed.some((one) => one.host === host))
        throw new NotFoundError(`${host} is not among the hosts that people allowed.`);
      await save(
        actor,
        'disallow host',
        host,
        allowed.filter((one) => one.host !== host),
      );
    },
  };
}

function requireOwner(actor: Actor): void {
  if (actor.role !== 'admin' || actor.tenant !== OWNER)
    throw new NotAllowedError(
      'What the box may ask on private networks is decided by the organisation it belongs to.',
      'Ask one of its admins.',
    );
}

/** In small letters, without spaces. @throws InvalidDataError */
function parseHost(text: string): string {
  const entry = text.trim().toLowerCase();
  const { host, port } = hostAndPort(entry);
  const isName = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*$/.test(
    host,
  );
  const wrongPort = port !== null && (port < 1 || port > 65535);
  if ((isIP(host) === 0 && (!isName || /^[\d.]+$/.test(host))) || wrongPort)
    throw new InvalidDataError(
      'That is no host.',
      'Write e.g. mail.local, 10.0.0.5 or 10.0.0.5:8025, without http://.',
      [{ where: 'host', problem: 'Write e.g. mail.local, 10.0.0.5 or 10.0.0.5:8025, without http://.' }],
    );
  return entry;
}
