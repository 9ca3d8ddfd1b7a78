/**
 * Repairs lie over the readings in the series store, which is restored as of its backup; the acts themselves are in the
 * database, which is restored up to the last copy. Those in between are carried out again at the next start.
 */
import type { Connection } from '../../connectors/database/postgres/connection.ts';
import { asOwner, sqlOf } from '../../connectors/database/postgres/migrate.ts';
import type { Sql } from '../../engine/ports.ts';

/** Acts are dated by the serving process; one more than needed gives the same. */
const SLACK_MS = 3_600_000;

/** The newest act that the backup of the database holds; null where there is none. */
export async function lastRepair(sql: Sql): Promise<number | null> {
  const [table] = await sql<{ there: string | null }>(`select to_regclass('luna.repair_act') as there`);
  if (!table?.there) return null;
  const [row] = await sql<{ last: number | null }>('select max(n) as last from luna.repair_act');
  return row?.last ?? null;
}

/**
 * By their number, and by their time those that were made while the backup was: the clock may have been wrong then.
 * @param made_ms of the backup. @param last_n see `lastRepair`. @returns the acts that the next start carries out (gateway/services/repairs.ts)
 */
export function layRepairsAgain(connection: Connection, made_ms: number, last_n: number | null): Promise<number> {
  return asOwner(connection, async (client) => {
    const sql = sqlOf(client);
    const [table] = await sql<{ there: string | null }>(`select to_regclass('luna.repair_act') as there`);
    if (!table?.there) return 0;
    // With all that came after the first of them, in their order: later ones lie over earlier ones.
    const again = await sql(
      `update luna.repair_act set state = 'begun' where state = 'done' and n >= (
         select min(n) from luna.repair_act where at >= $1 or n > $2) returning id`,
      [new Date(made_ms - SLACK_MS), last_n ?? 0],
    );
    return again.length;
  });
}
