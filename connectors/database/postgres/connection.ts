/** How a client reaches a Postgres, and what its failures mean to us. */
import pg from 'pg';
import { ConfigError, InvalidDataError, UnavailableError } from '../../../engine/errors.ts';

/** The schema that holds every table of ours; the job queue has its own, `pgboss`. */
export const SCHEMA = 'luna';

/** What `pg` and `pg-boss` take alike. */
export type Connection = {
  connectionString?: string;
  host?: string;
  port?: number;
  user?: string;
  database?: string;
};

/** bigint as number (ids and counts stay far below 2^53), date as its text; the rest as pg gives it. */
const PARSERS: Record<number, (text: string) => unknown> = { 20: Number, 1082: (text) => text };

export function clientConfig(connection: Connection, statement_timeout_ms: number): pg.ClientConfig {
  return {
    ...connection,
    application_name: 'luna',
    // Temporary tables last, lest one takes the place of ours.
    options: `-c search_path=${SCHEMA},pg_temp -c row_security=on`,
    connectionTimeoutMillis: 10_000,
    statement_timeout: statement_timeout_ms,
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    types: {
      getTypeParser: ((oid: number, format?: 'text') =>
        PARSERS[oid] ?? pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  };
}

/** @throws ConfigError for an address that is none. */
export function parsePostgresUrl(url: string, key: string): Connection {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url))
    throw new ConfigError(`${key} is no address of a Postgres.`, 'Write postgres://user:password@host:5432/database.');
  return { connectionString: url };
}

/** Classes of SQLSTATE: connection, resources, operator intervention (also a statement that ran too long), system. */
const DOWN = /^(08|53|57|58)/;
const NO_ANSWER = /^(ECONN|ENOENT|ENOTFOUND|EAI_|EPIPE|ETIMEDOUT|EHOST|ENET)/;
const BROKEN = /terminated|timeout exceeded|Query read timeout|not queryable|Client was closed|Cannot use a pool/i;

/** Text that no encoding of Postgres holds: U+0000, half of a surrogate pair. In columns and, escaped, in jsonb. */
const NO_TEXT = /^(22021|22P05)$/;
/** A number or an instant that no column holds. */
const OUT_OF_RANGE = /^(22003|22008)$/;

/** An UnavailableError where the server does not answer or cannot now, an InvalidDataError for values that it cannot
 * hold; any other error as it is. */
export function asUnavailable(error: unknown): unknown {
  if (!(error instanceof Error) || 'remedy' in error) return error;
  const { code = '', detail = '' } = error as { code?: string; detail?: string };
  if (NO_TEXT.test(code) || (code === '22P02' && /surrogate/.test(detail)))
    return new InvalidDataError('A text holds a character that cannot be stored.', 'Leave out U+0000 and the like.');
  if (OUT_OF_RANGE.test(code))
    return new InvalidDataError('A number or time is out of range.', 'Give one that can be measured.');
  if (code === '57014')
    return new UnavailableError('The database took too long over a question.', 'Try again.', { cause: error });
  // Serialization failure or deadlock: one of two changes that met was taken back.
  if (code === '40P01' || code === '40001')
    return new UnavailableError('Two changes met, and this one was taken back.', 'Try again.', { cause: error });
  if (DOWN.test(code) || NO_ANSWER.test(code) || (code === '' && BROKEN.test(error.message)))
    return new UnavailableError(`The database does not answer (${error.message}).`, 'Try again in a few seconds.', {
      cause: error,
    });
  return error;
}
