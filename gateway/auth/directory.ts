/** Which tenant a credential belongs to; kept in the same transaction as the credential itself. */
import type { Sql } from '../../engine/ports.ts';

export type DirectoryKind = 'login' | 'session' | 'api_key' | 'device';

/** @returns null for a credential that nobody has. */
export async function tenantOf(sql: Sql, kind: DirectoryKind, key: string): Promise<string | null> {
  const [row] = await sql<{ tenant_id: string }>('select tenant_id from directory where kind = $1 and key = $2', [
    kind,
    key,
  ]);
  return row?.tenant_id ?? null;
}

/** @returns false when another tenant or person has it already. */
export async function enter(sql: Sql, kind: DirectoryKind, key: string, tenant: string): Promise<boolean> {
  const rows = await sql(
    'insert into directory (kind, key, tenant_id) values ($1, $2, $3) on conflict do nothing returning key',
    [kind, key, tenant],
  );
  return rows.length > 0;
}

export async function leave(sql: Sql, kind: DirectoryKind, keys: readonly string[]): Promise<void> {
  if (keys.length > 0) await sql('delete from directory where kind = $1 and key = any($2)', [kind, [...keys]]);
}
