/** The proof that a transaction's tenant was named by the box and not by SQL inside the transaction. */
import { createHash } from 'node:crypto';
import type pg from 'pg';
import { SCHEMA } from './connection.ts';

/** Names the box itself instead of a tenant; no tenant's id looks like it. */
export const BOX = '*';

const sha256 = (...parts: readonly (Uint8Array | string)[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

/** SHA-256 keyed twice, as hex; luna.tenant_seal of migration 0008 computes the same. */
export function tenantSeal(secret: Uint8Array, pid: number, tenant: string): string {
  return sha256(secret, sha256(secret, `${pid}:${tenant}`)).toString('hex');
}

/** As the owner or a superuser; null for a database from before tenants were sealed. */
export async function readTenantKey(client: pg.Client): Promise<Uint8Array | null> {
  const { rows: known } = await client.query(`select to_regclass('${SCHEMA}.tenant_key') is not null as there`);
  if (!known[0]?.there) return null;
  const { rows } = await client.query<{ secret: Buffer }>(`select secret from ${SCHEMA}.tenant_key`);
  return rows[0]?.secret ?? null;
}
