/** Documents, their versions and passages in Postgres. */
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import type { Passage, Sql } from '../../../engine/ports.ts';
import type { Language } from '../../../engine/rag/language.ts';
import type { PassagePiece } from '../../../engine/rag/passages.ts';
import type { VersionFacts } from '../../../engine/rag/versions.ts';
import type { DocumentState } from '../../services.ts';

type StateRow = Omit<DocumentState, 'uploaded_ms'> & { uploaded_at: Date };
export type VersionRow = { document: string; title: string; version: string; file_name: string; sha256: string };

const LATEST = `
  select d.id, d.title, d.demo, v.version, v.pages, v.language, v.state, v.reason, v.uploaded_at, v.uploaded_by,
    (select count(*)::int from passage p where p.document_id = d.id and p.version = v.version) as passages
  from document d join lateral (
    select * from document_version where document_id = d.id order by uploaded_at desc, version desc limit 1
  ) v on true`;

export async function listDocuments(sql: Sql): Promise<DocumentState[]> {
  return (await sql<StateRow>(`${LATEST} order by lower(d.title), d.id`)).map(stateOf);
}

/** @throws NotFoundError */
export async function documentState(sql: Sql, id: string): Promise<DocumentState> {
  const [row] = isId(id) ? await sql<StateRow>(`${LATEST} where d.id = $1`, [id]) : [];
  if (!row) throw new NotFoundError(`There is no document ${id}.`, 'GET /api/v1/documents lists them.');
  return stateOf(row);
}

function stateOf({ uploaded_at, ...row }: StateRow): DocumentState {
  return { ...row, uploaded_ms: uploaded_at.getTime() };
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
    'select document_id as id, version, state from document_version where sha256 = $1',
    [upload.sha256],
  );
  if (same && same.state !== 'refused') return { ...same, queued: false };
  if (same) {
    await sql(`update document_version set state = 'queued', reason = null where document_id = $1 and version = $2`, [
      same.id,
      same.version,
    ]);
    return { ...same, queued: true };
  }
  const id = (await idOfTitle(sql, upload.title)) ?? (await insertDocument(sql, upload));
  const version = upload.version ?? (await nextVersion(sql, id));
  await insertVersion(sql, id, version, upload);
  return { id, version, queued: true };
}

async function idOfTitle(sql: Sql, title: string): Promise<string | undefined> {
  const [row] = await sql<{ id: string }>(
    'select id from document where lower(title) = lower($1) order by created_at limit 1',
    [title],
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
  const { tenant, file_name, sha256, language, by, at_ms } = upload;
  const inserted = await sql(
    `insert into document_version
       (tenant_id, document_id, version, file_name, sha256, language, state, uploaded_by, uploaded_at)
     values ($1, $2, $3, $4, $5, $6, 'queued', $7, $8) on conflict do nothing returning version`,
    [tenant, id, version, file_name, sha256, language, by, new Date(at_ms)],
  );
  if (inserted.length === 0)
    throw new InvalidDataError(
      `"${upload.title}" has a version ${version} already, with another file.`,
      'Give the new file another version, or none: it gets the next number.',
    );
}

/** Takes a version for reading; null where it is read already or gone. */
export async function claimVersion(sql: Sql, document: string, version: string): Promise<VersionRow | null> {
  const [row] = await sql<VersionRow>(
    `update document_version v set state = 'reading' from document d
      where d.id = v.document_id and v.document_id = $1 and v.version = $2 and v.state in ('queued', 'reading')
      returning v.document_id as document, d.title, v.version, v.file_name, v.sha256`,
    [document, version],
  );
  return row ?? null;
}

export async function unfinishedVersions(sql: Sql): Promise<{ document: string; version: string }[]> {
  return sql(
    `select document_id as document, version from document_version where state in ('queued', 'reading') order by uploaded_at`,
  );
}

export async function refuseVersion(sql: Sql, { document, version }: VersionRow, reason: string): Promise<void> {
  await sql(`update document_version set state = 'refused', reason = $3 where document_id = $1 and version = $2`, [
    document,
    version,
    reason,
  ]);
}

export type Read = {
  pages: number | null;
  language: Language;
  passages: readonly PassagePiece[];
  ids: readonly string[];
};

/** State and passages change together. @returns false where the document was removed meanwhile. */
export async function finishVersion(
  sql: Sql,
  tenant: string,
  { document, version }: VersionRow,
  read: Read,
): Promise<boolean> {
  const updated = await sql(
    `update document_version set state = 'ready', reason = null, pages = $3, language = $4
      where document_id = $1 and version = $2 returning version`,
    [document, version, read.pages, read.language],
  );
  if (updated.length === 0) return false;
  await sql('delete from passage where document_id = $1 and version = $2', [document, version]);
  const { passages, ids } = read;
  const rows = passages.map((passage, i) => ({ ...passage, id: ids[i], position: i }));
  await sql(
    `insert into passage (tenant_id, id, document_id, version, shared, page, page_end, section, headings, number,
       paragraph, kind, position, sentence, text, start_at, end_at)
     select $1, p.id, v.document_id, v.version, v.shared, p.page, p.page_end, p.section, p.headings, p.number,
       p.paragraph, p.kind, p.position, p.sentence, p.text, p.start, p."end"
     from document_version v, jsonb_to_recordset($4::jsonb) as p(id text, page int, page_end int, section text,
       headings text[], number text, paragraph text, kind text, position int, sentence int, text text, start int, "end" int)
     where v.document_id = $2 and v.version = $3`,
    [tenant, document, version, JSON.stringify(rows)],
  );
  return true;
}

/** The version that answers: the newest that could be read. */
const ANSWERING = `
  select distinct on (document_id) document_id, version, language, reader from document_version
  where state = 'ready' order by document_id, uploaded_at desc, version desc`;

export async function answeringVersions(sql: Sql): Promise<{ document: string; version: string }[]> {
  return sql(`select document_id as document, version from (${ANSWERING}) a order by document_id`);
}

/** Of `passage p` and its `document_version a`, as PassagePlace. */
const PLACE = `p.page_end, p.headings, p.number, p.paragraph, p.kind, p.position, p.sentence, a.reader`;

export async function passagesOfDocument(sql: Sql, document: string): Promise<Passage[]> {
  return sql<Passage>(
    `select p.id, p.document_id as document, d.title as document_title, p.version, p.page, p.section, p.text,
       p.start_at as start, p.end_at as "end", a.language, ${PLACE}
     from passage p join document d on d.id = p.document_id
       join (${ANSWERING}) a on a.document_id = p.document_id and a.version = p.version
     where p.document_id = $1 order by p.start_at, p.id`,
    [document],
  );
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
        `select v.document_id as document, d.title, v.version, v.file_name, v.sha256
         from document_version v join document d on d.id = v.document_id
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

/** @returns the digests of its files. @throws NotFoundError */
export async function deleteDocument(sql: Sql, id: string): Promise<string[]> {
  await documentState(sql, id);
  const rows = await sql<{ sha256: string }>('select sha256 from document_version where document_id = $1', [id]);
  await sql('delete from document where id = $1', [id]);
  return rows.map(({ sha256 }) => sha256);
}
