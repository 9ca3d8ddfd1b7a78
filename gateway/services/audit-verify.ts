/** Whether the audit log of a tenant is as it was written: the chain in the database against the signed heads. */
import type { Database, Sql } from '../../engine/ports.ts';
import { type AuditHead, type AuditKey, type AuditTrust, openAuditKey } from '../auth/audit-key.ts';
import { type AuditState, type ChainEntry, createChainCheck } from './audit-chain.ts';
import { readHeadFile } from './audit-head-file.ts';

const BATCH = 2000;
const AT_ONCE = 100;

export type VerifyAuditOptions = {
  db: Pick<Database, 'asTenant'>;
  /** Folder with `audit-key` and `audit-heads.jsonl`. */
  home: string;
  tenant: string;
  /** The opened key, where the caller has it: it remembers which signatures it has checked. */
  key?: AuditKey;
};

/** @returns the state, whose `fault` is null where nothing was changed, dropped, put in, reordered or cut off. */
export async function verifyAudit({ db, home, tenant, key }: VerifyAuditOptions): Promise<AuditState> {
  const trust = key ?? (await openAuditKey(home));
  const outside = await readHeadFile(home);
  return db.asTenant(tenant, (sql) => verifyEntries(sql, tenant, outside, trust));
}

/** Within the tenant's transaction. @param outside heads from the file outside the database */
export async function verifyEntries(
  sql: Sql,
  tenant: string,
  outside: readonly AuditHead[],
  trust: AuditTrust,
): Promise<AuditState> {
  // Before the entries: what is signed meanwhile must not look cut off.
  const both = [...(await headsIn(sql, tenant)), ...outside];
  const heads = [...new Map(both.map((head) => [JSON.stringify(head), head])).values()];
  await lookAt(heads, trust.isOurs);
  const check = createChainCheck(tenant, heads, trust);
  for await (const batch of entriesIn((from, limit) => readEntries(sql, tenant, from, limit)))
    for (const entry of batch) check.take(entry);
  return check.end();
}

/** Checks signatures a few at a time, so that meters and pages do not wait; `isOurs` remembers them. */
async function lookAt(heads: readonly AuditHead[], isOurs: (head: AuditHead) => boolean): Promise<void> {
  for (const [i, head] of heads.entries()) {
    isOurs(head);
    if (i % AT_ONCE === AT_ONCE - 1) await new Promise((done) => setImmediate(done));
  }
}

/** In order of their ids. @param read entries after an id, at most so many */
export async function* entriesIn(
  read: (after: number, limit: number) => Promise<ChainEntry[]>,
): AsyncGenerator<ChainEntry[]> {
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const batch = await read(after, BATCH);
    if (batch.length > 0) yield batch;
    if (batch.length < BATCH) return;
    after = batch.at(-1)!.id;
  }
}

export function readEntries(sql: Sql, tenant: string, after: number, limit: number): Promise<ChainEntry[]> {
  return sql<ChainEntry>(
    `select id, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, actor, act, object,
        detail::text as detail, hash
      from audit where tenant_id = $1 and id > $2 order by id limit $3`,
    [tenant, after, limit],
  );
}

export async function headsIn(sql: Sql, tenant: string): Promise<AuditHead[]> {
  const rows = await sql<Omit<AuditHead, 'at'> & { at: Date }>(
    `select tenant_id as tenant, id, hash, at, key_id, signature from audit_head where tenant_id = $1 order by id`,
    [tenant],
  );
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}
