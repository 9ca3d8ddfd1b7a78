/** Who did what to which object, and when. Entries are only ever added: the database role cannot change them. */
import type { Sql } from '../../engine/ports.ts';
import type { Actor, Base } from '../services.ts';

export interface AuditService {
  record(actor: Actor, act: string, object: string, detail?: Record<string, unknown>): Promise<void>;
  list(tenant: string, options: { limit: number; before?: number }): Promise<AuditEntry[]>;
}

export type AuditEntry = {
  id: number;
  at_ms: number;
  actor: string;
  act: string;
  object: string;
  detail: Record<string, unknown>;
};

const PAGE_LIMIT = 500;
/** Names under which a careless caller might hand over a secret. */
const SECRET = /password|secret|token|^key$|hash/i;

export function createAuditService({ db }: Pick<Base, 'db'>): AuditService {
  return {
    record: (actor, act, object, detail) =>
      db.asTenant(actor.tenant, (sql) => writeAudit(sql, actor, act, object, detail)),
    list: (tenant, { limit, before }) =>
      db.asTenant(tenant, async (sql) => {
        const rows = await sql<Omit<AuditEntry, 'at_ms'> & { at: Date }>(
          `select id, at, actor, act, object, detail from audit
            where ($1::bigint is null or id < $1) order by id desc limit $2`,
          [before ?? null, Math.min(Math.max(1, limit), PAGE_LIMIT)],
        );
        return rows.map(({ at, ...entry }) => ({ ...entry, at_ms: at.getTime() }));
      }),
  };
}

/**
 * For a service that changes something in the same transaction: both happen or neither. Call it last: until the
 * transaction ends no other act of the tenant can be written down.
 */
export async function writeAudit(
  sql: Sql,
  actor: Actor,
  act: string,
  object: string,
  detail: Record<string, unknown> = {},
): Promise<void> {
  const shown = Object.fromEntries(Object.entries(detail).filter(([name]) => !SECRET.test(name)));
  await sql('insert into audit (tenant_id, actor, act, object, detail) values ($1, $2, $3, $4, $5)', [
    actor.tenant,
    actor.person,
    act,
    object,
    JSON.stringify(shown),
  ]);
}
