/** Before a migration of an external Postgres: copies of our tables in a schema of their own, in one transaction. */
import pg from 'pg';
import type { Logger } from 'pino';
import { SCHEMA } from './connection.ts';
import { inTransaction } from './migrate.ts';

/**
 * Copies every table of ours to `luna_after_<migration>` (the last one applied), replacing older copies.
 * The copies belong to the owner; the app role cannot read them.
 * @returns the schema's name
 */
export async function backUpTables(client: pg.Client, current: string, log: Logger): Promise<string> {
  const schema = `luna_after_${current.replace(/\.sql$/, '')}`;
  await inTransaction(client, async () => {
    for (const old of await names(client, `select nspname as name from pg_namespace where nspname ~ '^luna_after_'`))
      await client.query(`drop schema ${pg.escapeIdentifier(old)} cascade`);
    await client.query(`create schema ${pg.escapeIdentifier(schema)}`);
    for (const table of await names(client, `select tablename as name from pg_tables where schemaname = '${SCHEMA}'`))
      await copyTable(client, pg.escapeIdentifier(table), pg.escapeIdentifier(schema));
  });
  log.warn(
    { schema },
    'tables were copied before the migration; to go back: stop the box, install the former version, ' +
      'drop schema luna, rename the copies to schema luna and restore constraints, or restore your own backup (pg_dump)',
  );
  return schema;
}

/** Row-level security is forced on the owner too; it is lifted and set again within the same transaction. */
async function copyTable(client: pg.Client, table: string, schema: string): Promise<void> {
  const { rows } = await client.query(`select relforcerowsecurity as forced from pg_class where oid = $1::regclass`, [
    `${SCHEMA}.${table}`,
  ]);
  const forced = rows[0]?.forced === true;
  if (forced) await client.query(`alter table ${SCHEMA}.${table} no force row level security`);
  await client.query(`create table ${schema}.${table} as table ${SCHEMA}.${table}`);
  if (forced) await client.query(`alter table ${SCHEMA}.${table} force row level security`);
}

async function names(client: pg.Client, query: string): Promise<string[]> {
  return (await client.query<{ name: string }>(query)).rows.map(({ name }) => name);
}
