/** Whether the audit log of a restored database is complete and unchanged, before the box gets it. */
import type { Connection } from '../../connectors/database/postgres/connection.ts';
import { asOwner, sqlOf } from '../../connectors/database/postgres/migrate.ts';
import { InvalidDataError } from '../../engine/errors.ts';
import { openAuditKey } from '../auth/audit-key.ts';
import { readHeadFile } from '../services/audit-head-file.ts';
import { verifyEntries } from '../services/audit-verify.ts';

/**
 * @param connection of the superuser: no box runs on the database yet, and each question names its organisation
 * @param home the restored one, with the file of signed heads
 * @param keyed whether its key was restored too; without it hashes are checked, signatures are not
 * @returns the entries checked; null for a log from before there was a chain
 * @throws InvalidDataError that names the organisation and the first wrong entry
 */
export function lookAtAudit(connection: Connection, home: string, keyed: boolean): Promise<number | null> {
  return asOwner(connection, async (client) => {
    const sql = sqlOf(client);
    const chained = await sql(`select from information_schema.columns
      where table_schema = 'luna' and table_name = 'audit' and column_name = 'hash'`);
    if (chained.length === 0) return null;
    const isOurs = keyed ? (await openAuditKey(home)).isOurs : () => true;
    const outside = await readHeadFile(home);
    let entries = 0;
    for (const { id } of await sql<{ id: string }>('select id from tenant order by id')) {
      const state = await verifyEntries(sql, id, outside, isOurs);
      if (state.fault)
        throw new InvalidDataError(
          `The audit log of ${id} in the backup is not as it was written: ${state.fault.problem}`,
          'Nothing was put into the home. Take another backup.',
        );
      entries += state.entries;
    }
    return entries;
  });
}
