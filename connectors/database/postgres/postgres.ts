/** An external Postgres: one role that owns the tables and migrates them, one that the box works under. */
import type { Logger } from 'pino';
import { ConfigError } from '../../../engine/errors.ts';
import type { Sql } from '../../../engine/ports.ts';
import { backUpTables } from './backup.ts';
import { type Connection, parsePostgresUrl } from './connection.ts';
import { asOwner, type Migration, migrate, migrationState, readMigrations, sqlOf } from './migrate.ts';
import { createPoolDatabase, type OpenedDatabase } from './pool.ts';
import { refuseMightyRole } from './roles.ts';
import { BOX, readTenantKey } from './seal.ts';

export type PostgresOptions = {
  /** postgres://… of the unprivileged role. */
  url: string;
  /** postgres://… of the owner; null: somebody else migrates, and the schema must be there and current. */
  owner_url: string | null;
  /** The seal's key as hex, for whoever has no owner to read it with. */
  key?: string | null;
  log: Logger;
  migrations?: readonly Migration[];
  statement_timeout_ms?: number;
};

/**
 * Migrates (as owner), checks the role, and opens the pool.
 * @throws ConfigError for a wrong address, a too mighty role, a schema that is newer than the program or missing;
 * UnavailableError when the server does not answer.
 */
export async function openPostgres(options: PostgresOptions): Promise<OpenedDatabase> {
  const { url, owner_url, key = null, log, migrations = readMigrations(), statement_timeout_ms } = options;
  const connection = parsePostgresUrl(url, 'database');
  const appRole = decodeURIComponent(new URL(url).username);
  if (!appRole) throw new ConfigError('database names no user.', 'Write postgres://luna_app:…@host/database.');
  if (owner_url) {
    const owner = parsePostgresUrl(owner_url, 'database_owner');
    await refuseBefore(connection);
    await migrate({
      ...{ owner, appRole, migrations, log },
      backup: async (client, current) => {
        await backUpTables(client, current, log);
      },
    });
    // Once more: only now there are tables that it might own.
    await refuseBefore(connection);
  } else await requireCurrent(connection, migrations);
  const sealing = owner_url
    ? await asOwner(parsePostgresUrl(owner_url, 'database_owner'), readTenantKey)
    : Buffer.from(key ?? '', 'hex');
  const database = createPoolDatabase({ connection, key: sealing, log, statement_timeout_ms });
  try {
    if (!owner_url) await database.asSystem(refuseMightyRole);
    if (sealing) await database.asSystem(requireSeal);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Under a mighty role nothing is even migrated. */
function refuseBefore(connection: Connection): Promise<void> {
  return asOwner(connection, (client) => refuseMightyRole(sqlOf(client)));
}

async function requireCurrent(connection: Connection, migrations: readonly Migration[]): Promise<void> {
  const { pending } = await asOwner(connection, (client) => migrationState(client, migrations));
  if (pending.length > 0)
    throw new ConfigError(
      `The database lacks ${pending.length === 1 ? 'migration' : 'migrations'} ${pending.map((m) => m.name).join(', ')}.`,
      'Set LUNA_DATABASE_OWNER to the owner role, which applies them at start.',
    );
}

/** A pooler that gives each transaction another connection breaks the seal too. */
async function requireSeal(sql: Sql): Promise<void> {
  const [row] = await sql<{ bound: string | null }>('select luna.bound_tenant() as bound');
  if (row?.bound !== BOX)
    throw new ConfigError(
      'The database does not believe which tenant the box names.',
      'Give the owner in LUNA_DATABASE_OWNER, or in LUNA_DATABASE_KEY what the owner gets from ' +
        `"select encode(secret, 'hex') from luna.tenant_key"; connect directly, not through a transaction pooler.`,
    );
}
