/** What people say about a version (from when to when it is in force, what replaces it), and sharing. */
import { InvalidDataError, NotAllowedError, NotFoundError } from '../../../engine/errors.ts';
import type { Sql } from '../../../engine/ports.ts';
import { OWNER } from '../../owner.ts';
import type { Actor } from '../../services.ts';
import { requireOwn } from './store.ts';
import { daysOf } from './upload.ts';

/** What is left out stays as it is; null takes it away. */
export type VersionChange = { valid_from?: string | null; valid_to?: string | null; replaced_by?: string | null };
export type ShareChange = { shared: boolean };

type Facts = { valid_from: string | null; valid_to: string | null; replaced_by: string | null; shared: boolean };

/** @throws InvalidDataError, NotFoundError, NotAllowedError for what another organisation shares */
export async function changeVersion(
  sql: Sql,
  tenant: string,
  { id, version, change }: { id: string; version: string; change: VersionChange },
): Promise<Facts> {
  await requireOwn(sql, tenant, id);
  const rows = await sql<Facts & { version: string }>(
    `select version, valid_from, valid_to, replaced_by, shared from document_version
      where tenant_id = $1 and document_id = $2 for update`,
    [tenant, id],
  );
  const known = rows.find((row) => row.version === version);
  if (!known)
    throw new NotFoundError(`There is no version ${version} of this document.`, 'GET it to see its versions.');
  const wanted = { ...known, ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) };
  const days = daysOf(wanted);
  const { replaced_by } = wanted;
  if (replaced_by !== null && (replaced_by === version || !rows.some((row) => row.version === replaced_by)))
    throw new InvalidDataError(
      `Version ${version} cannot be replaced by version ${replaced_by}.`,
      'Name another version of the same document.',
    );
  await sql(
    `update document_version set valid_from = $4, valid_to = $5, replaced_by = $6
      where tenant_id = $1 and document_id = $2 and version = $3`,
    [tenant, id, version, days.valid_from, days.valid_to, replaced_by],
  );
  return { ...days, replaced_by, shared: known.shared };
}

/**
 * Its versions and passages follow by their foreign keys.
 * @throws NotFoundError, NotAllowedError for admins of other organisations than the box's owner: what one shares all are
 * answered from.
 */
export async function shareDocument(sql: Sql, actor: Actor, id: string, { shared }: ShareChange): Promise<void> {
  await requireOwn(sql, actor.tenant, id);
  if (actor.tenant !== OWNER || actor.role !== 'admin')
    throw new NotAllowedError('Only admins of the organisation that runs the box share documents.', 'Ask one of them.');
  await sql('update document set shared = $3 where tenant_id = $1 and id = $2', [actor.tenant, id, shared]);
}
