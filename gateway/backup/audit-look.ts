/** Whether the audit log of a restored database is complete and unchanged, before the box gets it. */
import type { Connection } from '../../connectors/database/postgres/connection.ts';
import { asOwner, sqlOf } from '../../connectors/database/postgres/migrate.ts';
import { InvalidDataError } from '../../engine/errors.ts';
import { type AuditTrust, openAuditKey } from '../auth/audit-key.ts';
import { readHeadFile } from '../services/audit-head-file.ts';
import { verifyEntries } from '../services/audit-verify.ts';

/** `other_keys`: organisations whose log another key signed in part, which nobody has accepted. */
export type AuditLook = { entries: number; other_keys: string[] };

/**
 * @param connection of the superuser: no box runs on the database yet, and each question names its organisation
 * @param home the restored one, with the file of signed heads
 * @param keyed whether its key was restored too; without it hashes are checked, signatures are not
 * @returns the entries checked; null for a log from before there was a chain
 * @throws InvalidDataError that names the organisation and the first wrong entry
 */
export function lookAtAudit(connection: Connection, home: string, keyed: boolean): Promise<AuditLook | null> {
  return asOwner(connection, async (client) => {
    const sql = sqlOf(client);
    const chained = await sql(`select from information_schema.columns
      where table_schema = 'luna' and table_name = 'audit' and column_name = 'hash'`);
    if (chained.length === 0) return null;
    const trust = keyed ? await openAuditKey(home) : UNKEYED;
    const outside = await readHeadFile(home);
    const found: AuditLook = { entries: 0, other_keys: [] };
    for (const { id } of await sql<{ id: string }>('select id from tenant order by id')) {
      const state = await verifyEntries(sql, id, outside, trust);
      // The box went on under another key after a restore: its own log says so, and no restore may fail for it.
      if (state.fault?.other_keys) found.other_keys.push(id);
      else if (state.fault)
        throw new InvalidDataError(
          `The audit log of ${id} in the backup is not as it was written: ${state.fault.problem}`,
          'Nothing was put into the home. Take another backup.',
        );
      found.entries += state.entries;
    }
    return found;
  });
}

const UNKEYED: AuditTrust = { key_id: '', isOurs: () => true, hasAccepted: () => false };
