/** An external Postgres: one role that owns the tables and migrates them, one that the box works under. */
import type { Logger } from 'pino';
import { ConfigError } from '../../../engine/errors.ts';
import { backUpTables } from './backup.ts';
import { type Connection, parsePostgresUrl } from './connection.ts';
import { asOwner, type Migration, migrate, migrationState, readMigrations, sqlOf } from './migrate.ts';
import { createPoolDatabase, type OpenedDatabase } from './pool.ts';
import { refuseMightyRole } from './roles.ts';

export type PostgresOptions = {
  /** postgres://… of the unprivileged role. */
  url: string;
  /** postgres://… of the owner; null: somebody else migrates, and the schema must be there and current. */
  owner_url: string | null;
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
  const { url, owner_url, log, migrations = readMigrations(), statement_timeout_ms } = options;
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
  } else await requireCurrent(connection, migrations);
  const database = createPoolDatabase({ connection, log, statement_timeout_ms });
  try {
    await database.asSystem(refuseMightyRole);
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
