/** Documents as people see them: the newest version with how it stands today, and the others below it. */
import { NotFoundError } from '../../../engine/errors.ts';
import type { Sql } from '../../../engine/ports.ts';
import { beginningOf, inForce, isInForce, replacementOf, type VersionFacts } from '../../../engine/rag/versions.ts';
import type { DocumentState, DocumentVersionState } from '../regulation.ts';
import { requireDocument } from './store.ts';

type Row = VersionFacts &
  Omit<DocumentVersionState, 'uploaded_ms' | 'standing'> &
  Pick<DocumentState, 'id' | 'title' | 'demo' | 'shared'> & { tenant: string; uploaded_at: Date };
export type Stages = (document: string, version: string) => DocumentState['stage'];

const ROWS = `
  select d.id, d.title, d.demo, d.shared, d.tenant_id as tenant, v.version, v.pages, v.language, v.state, v.reason,
    v.uploaded_at, v.uploaded_by, v.valid_from, v.valid_to, v.replaced_by, v.faults, v.ocr_pages, v.format,
    (select count(*)::int from passage p
      where p.tenant_id = v.tenant_id and p.document_id = v.document_id and p.version = v.version) as passages
  from document d join document_version v on v.tenant_id = d.tenant_id and v.document_id = d.id`;
const IN_ORDER = 'order by lower(d.title), d.id, v.uploaded_at desc, v.version desc';

/** The tenant's own documents and those that are shared with it. @param today `YYYY-MM-DD` */
export async function listDocuments(sql: Sql, tenant: string, today: string, stages: Stages): Promise<DocumentState[]> {
  return statesOf(await sql<Row>(`${ROWS} ${IN_ORDER}`), tenant, today, stages);
}

/** @throws NotFoundError */
export async function documentState(
  sql: Sql,
  { tenant, id, today, stages }: { tenant: string; id: string; today: string; stages: Stages },
): Promise<DocumentState> {
  const known = await requireDocument(sql, id);
  const rows = await sql<Row>(`${ROWS} where d.tenant_id = $1 and d.id = $2 ${IN_ORDER}`, [known.tenant, known.id]);
  const [state] = statesOf(rows, tenant, today, stages);
  if (!state) throw new NotFoundError(`"${known.title}" has no version any more.`, 'Upload it again.');
  return state;
}

function statesOf(rows: readonly Row[], tenant: string, today: string, stages: Stages): DocumentState[] {
  const documents = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row.tenant} ${row.id}`;
    documents.set(key, [...(documents.get(key) ?? []), { ...row, uploaded_ms: row.uploaded_at.getTime() }]);
  }
  return [...documents.values()].flatMap((versions) => {
    const [newest] = versions;
    if (!newest) return [];
    const ready = versions.filter(({ state }) => state === 'ready');
    const [first, ...others] = versions.map((version) => versionState(version, ready, today));
    const { id, title, demo, shared } = newest;
    const stage = stages(id, newest.version);
    return first ? [{ id, title, demo, shared, own: newest.tenant === tenant, ...first, stage, others }] : [];
  });
}

function versionState(row: Row, ready: readonly Row[], today: string): DocumentVersionState {
  const { version, pages, language, state, reason, uploaded_ms, uploaded_by, passages, format } = row;
  const { valid_from, valid_to, faults, ocr_pages } = row;
  const standing = state === 'ready' ? standingOf(row, ready, today) : null;
  const replaced_by =
    standing === 'replaced' ? (replacementOf(row, ready)?.version ?? row.replaced_by) : row.replaced_by;
  return {
    ...{ version, pages, language, state, reason, uploaded_ms, uploaded_by, passages, format },
    ...{ valid_from, valid_to, replaced_by, faults, ocr_pages, standing },
  };
}

function standingOf(row: Row, ready: readonly Row[], today: string): DocumentVersionState['standing'] {
  if (today < beginningOf(row, ready)) return 'not_yet';
  if (inForce(ready, today)?.version === row.version) return 'in_force';
  if (row.valid_to !== null && today > row.valid_to && replacementOf(row, ready) === null) return 'ended';
  return isInForce(row, ready, today) ? 'in_force' : 'replaced';
}
