/** What the unprivileged role may do; given anew after every migration. */
import pg from 'pg';
import { SCHEMA } from './connection.ts';

/** Tables with less than select, insert, update and delete. */
const LESS: Record<string, string> = {
  migration: 'select',
  // What was done stays done.
  audit: 'select, insert',
  audit_head: 'select, insert',
  // Who knows it can be any tenant.
  tenant_key: '',
};

export async function grantToApp(client: pg.ClientBase, appRole: string): Promise<void> {
  const role = pg.escapeIdentifier(appRole);
  const { rows } = await client.query<{ table: string }>(
    `select tablename as table from pg_tables where schemaname = '${SCHEMA}'`,
  );
  const less = Object.entries(LESS).filter(([name]) => rows.some(({ table }) => table === name));
  const statements = [
    `grant usage on schema ${SCHEMA} to ${role}`,
    `grant select, insert, update, delete on all tables in schema ${SCHEMA} to ${role}`,
    `grant usage, select on all sequences in schema ${SCHEMA} to ${role}`,
    ...less.flatMap(([table, rights]) => [
      `revoke all on ${SCHEMA}.${table} from ${role}`,
      ...(rights === '' ? [] : [`grant ${rights} on ${SCHEMA}.${table} to ${role}`]),
    ]),
    ...(await withoutTemporary(client)),
    // The job queue makes and migrates its own tables in its own schema.
    'create schema if not exists pgboss',
    `grant usage, create on schema pgboss to ${role}`,
  ];
  for (const statement of statements) await client.query(statement);
}

/** A temporary table would be found before ours, also by the next transaction on the connection. */
async function withoutTemporary(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ database: string; ours: boolean }>(
    `select datname as database, pg_has_role(datdba, 'usage') as ours from pg_database where datname = current_database()`,
  );
  // Elsewhere the search path names temporary tables last, and each transaction begins by dropping them.
  return rows.flatMap(({ database, ours }) =>
    ours ? [`revoke temporary on database ${pg.escapeIdentifier(database)} from public`] : [],
  );
}
