/** What the unprivileged role may do; given anew after every migration. */
import pg from 'pg';
import { SCHEMA } from './connection.ts';

/** Tables with less than select, insert, update and delete. */
const LESS: Record<string, string> = {
  migration: 'select',
  // What was done stays done.
  audit: 'select, insert',
  audit_head: 'select, insert',
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
      `grant ${rights} on ${SCHEMA}.${table} to ${role}`,
    ]),
    // The job queue makes and migrates its own tables in its own schema.
    'create schema if not exists pgboss',
    `grant usage, create on schema pgboss to ${role}`,
  ];
  for (const statement of statements) await client.query(statement);
}
