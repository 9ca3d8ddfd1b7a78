/** Documents, their versions and passages in Postgres. */
import { InvalidDataError, NotAllowedError, NotFoundError } from '../../../engine/errors.ts';
import type { Passage, Sql } from '../../../engine/ports.ts';
import type { Language } from '../../../engine/rag/language.ts';
import { inForce, type VersionFacts } from '../../../engine/rag/versions.ts';
import type { DocumentState } from '../../services.ts';
import type { DocumentFormat, ReadOutput } from '../../workers/read-document.ts';

export type VersionRow = {
  document: string;
  title: string;
  version: string;
  file_name: string;
  sha256: string;
  state: DocumentState['state'];
  /** Of the organisation that uploaded it: its files lie there. */
  tenant: string;
  /** Whose reading its passages are; null for readers of old. */
  reader: string | null;
  shared: boolean;
};

/** @throws NotFoundError */
export async function requireDocument(sql: Sql, id: string): Promise<{ id: string; title: string; tenant: string }> {
  const [row] = isId(id)
    ? await sql<{ id: string; title: string; tenant: string }>(
        'select id, title, tenant_id as tenant from document where id = $1',
        [id],
      )
    : [];
  if (!row) throw new NotFoundError(`There is no document ${id}.`, 'GET /api/v1/documents lists them.');
  return row;
}

export function isId(id: string): boolean {
  return /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id);
}

export type Upload = {
  tenant: string;
  title: string;
  /** Null: the next number. */
  version: string | null;
  file_name: string;
  sha256: string;
  language: Language;
  format: DocumentFormat;
  valid_from: string | null;
  valid_to: string | null;
  by: string;
  at_ms: number;
  demo: boolean;
};

/**
 * Same bytes: nothing changes, but a refused file is read again. Same title: a new version. Uploads of a tenant go one by one.
 * @throws InvalidDataError where the document has that version with other bytes.
 */
export async function registerUpload(
  sql: Sql,
  upload: Upload,
): Promise<{ id: string; version: string; queued: boolean }> {
  await sql(`select pg_advisory_xact_lock(hashtextextended('document:' || $1, 0))`, [upload.tenant]);
  const [same] = await sql<{ id: string; version: string; state: string }>(
    'select document_id as id, version, state from document_version where sha256 = $1 and tenant_id = $2',
    [upload.sha256, upload.tenant],
  );
  if (same && same.state !== 'refused') return { ...same, queued: false };
  if (same) {
    await sql(`update document_version set state = 'queued', reason = null where document_id = $1 and version = $2`, [
      same.id,
      same.version,
    ]);
    return { ...same, queued: true };
  }
  const id = (await idOfTitle(sql, upload)) ?? (await insertDocument(sql, upload));
  const version = upload.version ?? (await nextVersion(sql, id));
  await insertVersion(sql, id, version, upload);
  return { id, version, queued: true };
}

async function idOfTitle(sql: Sql, { tenant, title }: Upload): Promise<string | undefined> {
  const [row] = await sql<{ id: string }>(
    'select id from document where lower(title) = lower($1) and tenant_id = $2 order by created_at limit 1',
    [title, tenant],
  );
  return row?.id;
}

async function insertDocument(sql: Sql, { tenant, title, demo }: Upload): Promise<string> {
  const [row] = await sql<{ id: string }>(
    'insert into document (tenant_id, title, demo) values ($1, $2, $3) returning id',
    [tenant, title, demo],
  );
  return row?.id ?? '';
}

async function nextVersion(sql: Sql, id: string): Promise<string> {
  const rows = await sql<{ version: string }>('select version from document_version where document_id = $1', [id]);
  const numbers = rows.map(({ version }) => (/^\d{1,9}$/.test(version) ? Number(version) : 0));
  return String(Math.max(rows.length, ...numbers, 0) + 1);
}

async function insertVersion(sql: Sql, id: string, version: string, upload: Upload): Promise<void> {
  const { tenant, file_name, sha256, language, by, at_ms, format, valid_from, valid_to } = upload;
  const inserted = await sql(
    `insert into document_version (tenant_id, document_id, version, shared, file_name, sha256, language, state,
       uploaded_by, uploaded_at, format, valid_from, valid_to)
     select tenant_id, id, $3, shared, $4, $5, $6, 'queued', $7, $8, $9, $10, $11 from document
     where tenant_id = $1 and id = $2 on conflict do nothing returning version`,
    [tenant, id, version, file_name, sha256, language, by, new Date(at_ms), format, valid_from, valid_to],
  );
  if (inserted.length === 0)
    throw new InvalidDataError(
      `"${upload.title}" has a version ${version} already, with another file.`,
      'Give the new file another version, or none: it gets the next number.',
    );
}

const VERSION = `d.id as document, d.title, v.version, v.file_name, v.sha256, v.state, v.tenant_id as tenant, v.reader, v.shared`;

/** Takes a version for reading, or one that an older reader has read; null where nothing is to be done or it is gone. */
export async function claimVersion(
  sql: Sql,
  { tenant, document, version }: Pick<VersionRow, 'tenant' | 'document' | 'version'>,
  reader: string,
): Promise<VersionRow | null> {
  const [row] = await sql<VersionRow>(
    `update document_version v set state = case v.state when 'ready' then 'ready' else 'reading' end from document d
      where d.tenant_id = v.tenant_id and d.id = v.document_id and v.tenant_id = $1 and v.document_id = $2
        and v.version = $3 and (v.state in ('queued', 'reading') or ${OUTDATED('$4')})
      returning ${VERSION}`,
    [tenant, document, version, reader],
  );
  return row ?? null;
}

/** Read by another reader than today's, which has not failed at it. */
function OUTDATED(reader: string): string {
  return `(v.state = 'ready' and v.reader is distinct from ${reader} and v.reader_failed is distinct from ${reader})`;
}

/** Those of the tenant that wait to be read, then those that an older reader has read. */
export async function unfinishedVersions(
  sql: Sql,
  tenant: string,
  reader: string,
): Promise<{ document: string; version: string }[]> {
  return sql(
    `select v.document_id as document, v.version from document_version v
      where v.tenant_id = $1 and (v.state in ('queued', 'reading') or ${OUTDATED('$2')})
      order by v.state = 'ready', v.uploaded_at`,
    [tenant, reader],
  );
}

/** One that answers already goes on answering from what an older reader made of it. */
export async function refuseVersion(sql: Sql, row: VersionRow, reason: string, reader: string): Promise<void> {
  const { tenant, document, version } = row;
  await sql(
    `update document_version set reason = $4,
       state = case state when 'ready' then 'ready' else 'refused' end,
       reader_failed = case state when 'ready' then $5 else reader_failed end
      where tenant_id = $1 and document_id = $2 and version = $3`,
    [tenant, document, version, reason, reader],
  );
}

export type Read = Pick<ReadOutput, 'pages' | 'language' | 'passages' | 'faults' | 'ocr_pages' | 'short_names'> & {
  reader: string;
};

/** State and passages change together. @returns false where the document was removed meanwhile. */
export async function finishVersion(sql: Sql, { tenant, document, version }: VersionRow, read: Read): Promise<boolean> {
  const { passages, pages, language, reader, faults, ocr_pages, short_names } = read;
  const updated = await sql(
    `update document_version set state = 'ready', reason = null, pages = $4, language = $5, reader = $6,
       reader_failed = null, faults = $7, ocr_pages = $8, short_names = $9
      where tenant_id = $1 and document_id = $2 and version = $3 returning version`,
    [tenant, document, version, pages, language, reader, JSON.stringify(faults), ocr_pages, short_names],
  );
  if (updated.length === 0) return false;
  const of = [tenant, document, version];
  await sql('delete from passage where tenant_id = $1 and document_id = $2 and version = $3', of);
  // What cites a passage of another reading finds none, rather than a wrong one.
  const rows = passages.map((piece, i) => ({ ...piece, id: `${document}:${version}:${reader}:${i}`, position: i }));
  await sql(
    `insert into passage (tenant_id, id, document_id, version, shared, page, page_end, section, headings, number,
       paragraph, kind, position, sentence, text, start_at, end_at)
     select $1, p.id, v.document_id, v.version, v.shared, p.page, p.page_end, p.section, p.headings, p.number,
       p.paragraph, p.kind, p.position, p.sentence, p.text, p.start, p."end"
     from document_version v, jsonb_to_recordset($4::jsonb) as p(id text, page int, page_end int, section text,
       headings text[], number text, paragraph text, kind text, position int, sentence int, text text, start int, "end" int)
     where v.tenant_id = $1 and v.document_id = $2 and v.version = $3`,
    [...of, JSON.stringify(rows)],
  );
  return true;
}

/** The versions that answer on a day: of each document the one in force, of its own and shared ones. */
export async function answeringVersions(
  sql: Sql,
  day: string = new Date().toISOString().slice(0, 10),
): Promise<ReadyVersion[]> {
  const documents = new Map<string, ReadyVersion[]>();
  for (const version of await readyVersions(sql))
    documents.set(version.document, [...(documents.get(version.document) ?? []), version]);
  return [...documents.values()].flatMap((versions) => inForce(versions, day) ?? []);
}

/** Of `passage p` and its `document_version a`, as PassagePlace. */
const PLACE = `p.page_end, p.headings, p.number, p.paragraph, p.kind, p.position, p.sentence, a.reader`;

/** Of the version that answers on a day; none where none is in force. */
export async function passagesOfDocument(sql: Sql, document: string, day?: string): Promise<Passage[]> {
  const answering = (await answeringVersions(sql, day)).find((version) => version.document === document);
  return answering ? passagesOfVersion(sql, document, answering.version) : [];
}

export type ReadyVersion = VersionFacts & {
  document: string;
  document_title: string;
  language: Language;
  /** Of the organisation that uploaded it: its files lie there. */
  tenant: string;
  shared: boolean;
  reader: string | null;
  short_names: string[];
};

/** All versions that could be read, of the tenant's own documents and of shared ones; `inForce` says which answers. */
export async function readyVersions(sql: Sql): Promise<ReadyVersion[]> {
  const rows = await sql<Omit<ReadyVersion, 'uploaded_ms'> & { uploaded_at: Date }>(
    `select v.document_id as document, d.title as document_title, v.version, v.tenant_id as tenant, v.shared,
       v.language, v.reader, v.valid_from, v.valid_to, v.replaced_by, v.uploaded_at, v.short_names
     from document_version v join document d on d.tenant_id = v.tenant_id and d.id = v.document_id
     where v.state = 'ready' order by v.document_id, v.uploaded_at, v.version`,
  );
  return rows.map(({ uploaded_at, ...row }) => ({ ...row, uploaded_ms: uploaded_at.getTime() }));
}

/** In the order of the document. */
export async function passagesOfVersion(sql: Sql, document: string, version: string): Promise<Passage[]> {
  return sql<Passage>(
    `select p.id, p.document_id as document, d.title as document_title, p.version, p.page, p.section, p.text,
       p.start_at as start, p.end_at as "end", a.language, ${PLACE}
     from passage p
       join document_version a on a.tenant_id = p.tenant_id and a.document_id = p.document_id and a.version = p.version
       join document d on d.tenant_id = p.tenant_id and d.id = p.document_id
     where p.document_id = $1 and p.version = $2 and a.state = 'ready' order by p.position, p.start_at, p.id`,
    [document, version],
  );
}

/** @throws NotFoundError. Without `version` the newest. */
export async function versionOf(sql: Sql, id: string, version?: string): Promise<VersionRow> {
  const [row] = isId(id)
    ? await sql<VersionRow>(
        `select ${VERSION} from document_version v join document d on d.tenant_id = v.tenant_id and d.id = v.document_id
         where v.document_id = $1 and ($2::text is null or v.version = $2) order by v.uploaded_at desc, v.version desc limit 1`,
        [id, version ?? null],
      )
    : [];
  if (!row)
    throw new NotFoundError(
      `There is no document ${id}${version ? ` with version ${version}` : ''}.`,
      'GET /api/v1/documents lists them.',
    );
  return row;
}

/** @returns what its files are stored by. @throws NotFoundError, NotAllowedError for what another organisation shares */
export async function deleteDocument(sql: Sql, tenant: string, id: string): Promise<VersionRow[]> {
  await requireOwn(sql, tenant, id);
  const rows = await sql<VersionRow>(
    `select ${VERSION} from document_version v join document d on d.tenant_id = v.tenant_id and d.id = v.document_id
      where v.tenant_id = $1 and v.document_id = $2`,
    [tenant, id],
  );
  await sql('delete from document where tenant_id = $1 and id = $2', [tenant, id]);
  return rows;
}

/**
 * One version, with its passages; whatever it replaced is replaced by the next then.
 * @returns what its file is stored by, and whether it was the only one: then the document is gone too.
 * @throws NotFoundError, NotAllowedError for what another organisation shares
 */
export async function deleteVersion(
  sql: Sql,
  tenant: string,
  id: string,
  version: string,
): Promise<VersionRow & { was_last: boolean }> {
  await requireOwn(sql, tenant, id);
  const row = await versionOf(sql, id, version);
  const of = [tenant, id, version];
  await sql(
    'update document_version set replaced_by = null where tenant_id = $1 and document_id = $2 and replaced_by = $3',
    of,
  );
  await sql('delete from document_version where tenant_id = $1 and document_id = $2 and version = $3', of);
  const gone = await sql(
    `delete from document d where tenant_id = $1 and id = $2 and not exists
       (select from document_version v where v.tenant_id = d.tenant_id and v.document_id = d.id) returning id`,
    [tenant, id],
  );
  return { ...row, was_last: gone.length > 0 };
}

/** @throws NotFoundError, NotAllowedError for what another organisation shares */
export async function requireOwn(sql: Sql, tenant: string, id: string): Promise<{ title: string }> {
  const document = await requireDocument(sql, id);
  if (document.tenant !== tenant)
    throw new NotAllowedError(`"${document.title}" belongs to another organisation.`, 'Ask its admin to change it.');
  return document;
}
