/** Sign-ins in a browser: a 256-bit token in a cookie, of which the box keeps only the hash. */
import type { Role } from '../../engine/model/site.ts';
import type { Database, Sql } from '../../engine/ports.ts';
import type { Session } from '../services.ts';
import { enter, leave, tenantOf } from './directory.ts';
import { LACKS_CODE } from './second-factor.ts';
import { newSecret, sha256 } from './secrets.ts';

const IDLE_MS = 3 * 24 * 3_600_000;
/** How often a session's use is written down. */
const SEEN_EVERY_MS = 60_000;

type SessionRow = {
  person_id: string;
  login: string;
  name: string;
  role: Role;
  language: 'en' | 'de';
  seen_at: Date;
  lacks_code: boolean;
};

export type Sessions = ReturnType<typeof createSessions>;

/**
 * A session ends `hours` after the sign-in, or after three days without use.
 * @param csrfOf the CSRF token that goes with the hash of a session's token
 */
export function createSessions({
  db,
  now,
  hours,
  csrfOf,
}: {
  db: Database;
  now: () => number;
  hours: number;
  csrfOf: (token_sha256: string) => Promise<string>;
}) {
  return {
    /** Within the tenant's transaction. */
    async begin(sql: Sql, tenant: string, person_id: string): Promise<string> {
      await prune(sql, now());
      const token = newSecret();
      await enter(sql, 'session', sha256(token), tenant);
      await sql(
        `insert into session (tenant_id, token_sha256, person_id, created_at, seen_at, expires_at)
          values ($1, $2, $3, $4, $4, $5)`,
        [tenant, sha256(token), person_id, new Date(now()), new Date(now() + hours * 3_600_000)],
      );
      return token;
    },

    /** null for one that is unknown, over, or of somebody disabled. */
    async find(token_sha256: string): Promise<Session | null> {
      const tenant = await db.asSystem((sql) => tenantOf(sql, 'session', token_sha256));
      if (!tenant) return null;
      const row = await db.asTenant(tenant, (sql) => use(sql, token_sha256, now()));
      if (!row) return null;
      const { person_id, login, name, role, language, lacks_code } = row;
      const csrf = await csrfOf(token_sha256);
      return { actor: { tenant, person: login, role, language }, person_id, name, csrf, token_sha256, lacks_code };
    },

    async end(token_sha256: string): Promise<void> {
      const tenant = await db.asSystem((sql) => tenantOf(sql, 'session', token_sha256));
      if (tenant) await db.asTenant(tenant, (sql) => endWhere(sql, 'token_sha256 = $1', token_sha256));
    },

    /** Within the tenant's transaction: signs a person out everywhere. */
    endAllOf: (sql: Sql, person_id: string) => endWhere(sql, 'person_id = $1', person_id),
  };
}

async function use(sql: Sql, token_sha256: string, now_ms: number): Promise<SessionRow | undefined> {
  const [row] = await sql<SessionRow>(
    `select person_id, login, name, role, language, seen_at, ${LACKS_CODE} as lacks_code
      from session join person on person.id = person_id
      where token_sha256 = $1 and not disabled and expires_at > $2 and seen_at > $3`,
    [token_sha256, new Date(now_ms), new Date(now_ms - IDLE_MS)],
  );
  if (row && now_ms - row.seen_at.getTime() >= SEEN_EVERY_MS)
    await sql('update session set seen_at = $2 where token_sha256 = $1', [token_sha256, new Date(now_ms)]);
  return row;
}

async function prune(sql: Sql, now_ms: number): Promise<void> {
  await endWhere(sql, 'expires_at <= $1', new Date(now_ms));
  await endWhere(sql, 'seen_at <= $1', new Date(now_ms - IDLE_MS));
}

async function endWhere(sql: Sql, condition: string, value: unknown): Promise<void> {
  const ended = await sql<{ token_sha256: string }>(`delete from session where ${condition} returning token_sha256`, [
    value,
  ]);
  await leave(
    sql,
    'session',
    ended.map((row) => row.token_sha256),
  );
}
