/** API keys of programs: `luna_` and 256 random bits, shown once, stored as SHA-256. */
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import type { Role } from '../../engine/model/site.ts';
import type { Database, Sql } from '../../engine/ports.ts';
import { writeAudit } from '../services/audit.ts';
import { textFaults } from '../services/identifier.ts';
import type { Actor, ApiKey } from '../services.ts';
import { enter, leave, tenantOf } from './directory.ts';
import { newSecret, sha256 } from './secrets.ts';

export const API_KEY = /^luna_[\w-]{43}$/;
const USED_EVERY_MS = 60_000;
const SAME_NAMES = 1000;

type KeyRow = { id: string; name: string; role: Role; created_at: Date; last_used_at: Date | null };
export type Keys = ReturnType<typeof createKeys>;

export function createKeys({ db, now, changed }: { db: Database; now: () => number; changed: () => void }) {
  return {
    async list(tenant: string): Promise<ApiKey[]> {
      const rows = await db.asTenant(tenant, (sql) =>
        sql<KeyRow>(
          `select id, name, role, created_at, last_used_at from api_key where revoked_at is null order by name`,
        ),
      );
      return rows.map(({ created_at, last_used_at, ...key }) => ({
        ...key,
        created_ms: created_at.getTime(),
        last_used_ms: last_used_at?.getTime() ?? null,
      }));
    },

    async create(actor: Actor, name: string, role: Role): Promise<{ id: string; key: string }> {
      const faults = textFaults('name', name, 100);
      if (!['admin', 'analyst', 'user'].includes(role))
        faults.push({ where: 'role', problem: 'is none of admin, analyst, user' });
      if (faults.length > 0)
        throw new InvalidDataError(
          `This cannot be stored: ${faults.map(({ where, problem }) => `${where} ${problem}`).join('; ')}.`,
          'Change these fields.',
          faults,
        );
      const key = `luna_${newSecret()}`;
      const id = await db.asTenant(actor.tenant, async (sql) => {
        await enter(sql, 'api_key', sha256(key), actor.tenant);
        const made = await insert(sql, actor.tenant, name.trim(), role, sha256(key));
        await writeAudit(sql, actor, 'create API key', made.name, { role });
        return made.id;
      });
      return { id, key };
    },

    async revoke(actor: Actor, id: string): Promise<void> {
      await db.asTenant(actor.tenant, async (sql) => {
        const [row] = await sql<{ name: string; secret_sha256: string }>(
          `update api_key set revoked_at = $2 where id::text = $1 and revoked_at is null returning name, secret_sha256`,
          [id, new Date(now())],
        );
        if (!row) throw new NotFoundError('There is no such API key.', 'It may have been revoked already.');
        await leave(sql, 'api_key', [row.secret_sha256]);
        await writeAudit(sql, actor, 'revoke API key', row.name);
      });
      changed();
    },

    /** null for a key that nobody has or that was revoked. */
    async find(key: string): Promise<Actor | null> {
      const secret_sha256 = sha256(key);
      const tenant = await db.asSystem((sql) => tenantOf(sql, 'api_key', secret_sha256));
      return tenant ? db.asTenant(tenant, (sql) => use(sql, tenant, 'secret_sha256', secret_sha256, now())) : null;
    },

    findById: (tenant: string, id: string): Promise<Actor | null> =>
      db.asTenant(tenant, (sql) => use(sql, tenant, 'id::text', id, now())),

    /** The id behind an actor `key:<name>`; names of valid keys are unique in a tenant. */
    async idOf(tenant: string, name: string): Promise<string | null> {
      const [row] = await db.asTenant(tenant, (sql) =>
        sql<{ id: string }>('select id from api_key where name = $1 and revoked_at is null', [name]),
      );
      return row?.id ?? null;
    },
  };
}

/** A taken name gets a number, so that `luna key create` works twice. */
async function insert(sql: Sql, tenant: string, name: string, role: Role, secret_sha256: string) {
  for (let i = 1; i <= SAME_NAMES; i++) {
    const [row] = await sql<{ id: string; name: string }>(
      `insert into api_key (tenant_id, name, role, secret_sha256) values ($1, $2, $3, $4)
        on conflict do nothing returning id, name`,
      [tenant, i === 1 ? name : `${name} ${i}`, role, secret_sha256],
    );
    if (row) return row;
  }
  throw new InvalidDataError(`There are ${SAME_NAMES} keys named ${name}.`, 'Choose another name, or revoke old ones.');
}

async function use(sql: Sql, tenant: string, column: string, value: string, now_ms: number): Promise<Actor | null> {
  const [row] = await sql<KeyRow>(
    `select id, name, role, created_at, last_used_at from api_key where ${column} = $1 and revoked_at is null`,
    [value],
  );
  if (!row) return null;
  if (now_ms - (row.last_used_at?.getTime() ?? 0) >= USED_EVERY_MS)
    await sql('update api_key set last_used_at = $2 where id = $1', [row.id, new Date(now_ms)]);
  return { tenant, person: `key:${row.name}`, role: row.role, language: 'en' };
}
