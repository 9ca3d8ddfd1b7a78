/** Removes what a tenant's models left in the file store; their rows go with whoever calls. */
import type { Base } from '../../services.ts';

type Deps = Pick<Base, 'db' | 'files'>;

/**
 * The files go before the rows that name them: after a kill in between, the next call finds the rest.
 * @returns how many there were
 */
export async function removeArtefacts({ db, files }: Deps, tenant: string): Promise<number> {
  const rows = await db.asTenant(tenant, (sql) =>
    sql<{ artefact: string }>('select artefact from model_run where artefact is not null'),
  );
  for (const { artefact } of rows) await files.remove(tenant, artefact);
  return rows.length;
}
