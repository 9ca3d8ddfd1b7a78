/** Embeddings, glossary, golden sets and evaluations in Postgres. */
import { createHash } from 'node:crypto';
import type { Sql } from '../../../engine/ports.ts';
import type { GlossaryEntry } from '../../../engine/rag/glossary.ts';
import type { Language } from '../../../engine/rag/language.ts';
import type { GoldenQuestion, RetrievalEvaluation } from '../retrieval.ts';

export type StoredEntry = GlossaryEntry & { changed_by: string; changed_at: Date };
type EvaluationRow = Omit<RetrievalEvaluation, 'at_ms'> & { at: Date };

const digestOf = (text: string) => createHash('sha256').update(text).digest();

/** Vectors of those texts that have one. */
export async function knownVectors(
  sql: Sql,
  model: string,
  texts: readonly string[],
): Promise<Map<string, Float32Array>> {
  const byDigest = new Map(texts.map((text) => [digestOf(text).toString('hex'), text]));
  const rows = await sql<{ digest: Buffer; vector: Buffer }>(
    `select digest, vector from embedding where model = $1 and digest in (select decode(d, 'hex') from unnest($2::text[]) as d)`,
    [model, [...byDigest.keys()]],
  );
  return new Map(rows.map(({ digest, vector }) => [byDigest.get(digest.toString('hex')) ?? '', floatsOf(vector)]));
}

export async function keepVectors(
  sql: Sql,
  tenant: string,
  model: string,
  vectors: ReadonlyMap<string, Float32Array>,
): Promise<void> {
  const digests = [...vectors.keys()].map((text) => digestOf(text).toString('hex'));
  const cells = [...vectors.values()].map((vector) => Buffer.from(Float32Array.from(vector).buffer).toString('hex'));
  await sql(
    `insert into embedding (tenant_id, model, digest, vector)
     select $1, $2, decode(v.digest, 'hex'), decode(v.vector, 'hex') from unnest($3::text[], $4::text[]) as v(digest, vector)
     on conflict do nothing`,
    [tenant, model, digests, cells],
  );
}

/** Those of other models than the one in use. */
export async function dropOtherVectors(sql: Sql, model: string): Promise<void> {
  await sql('delete from embedding where model <> $1', [model]);
}

function floatsOf(bytes: Buffer): Float32Array {
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

export async function glossaryRows(sql: Sql): Promise<StoredEntry[]> {
  return sql<StoredEntry>(
    'select language, lay, legal, changed_by, changed_at from glossary_entry order by language, lay',
  );
}

export async function saveGlossaryRow(sql: Sql, tenant: string, entry: StoredEntry): Promise<void> {
  await sql(
    `insert into glossary_entry (tenant_id, language, lay, legal, changed_by, changed_at) values ($1, $2, $3, $4, $5, $6)
     on conflict (tenant_id, language, lay) do update
     set legal = excluded.legal, changed_by = excluded.changed_by, changed_at = excluded.changed_at`,
    [tenant, entry.language, entry.lay, entry.legal, entry.changed_by, entry.changed_at],
  );
}

export async function dropGlossaryRow(sql: Sql, language: Language, lay: string): Promise<void> {
  await sql('delete from glossary_entry where language = $1 and lay = $2', [language, lay]);
}

export type GoldenRow = { name: string; questions: GoldenQuestion[]; changed_by: string; changed_at: Date };

export async function goldenRows(sql: Sql): Promise<GoldenRow[]> {
  return sql<GoldenRow>('select name, questions, changed_by, changed_at from golden_set order by name');
}

export async function saveGoldenRow(sql: Sql, tenant: string, row: GoldenRow): Promise<void> {
  await sql(
    `insert into golden_set (tenant_id, name, questions, changed_by, changed_at) values ($1, $2, $3, $4, $5)
     on conflict (tenant_id, name) do update
     set questions = excluded.questions, changed_by = excluded.changed_by, changed_at = excluded.changed_at`,
    [tenant, row.name, JSON.stringify(row.questions), row.changed_by, row.changed_at],
  );
}

/** @returns whether there was one. */
export async function dropGoldenRow(sql: Sql, name: string): Promise<boolean> {
  return (await sql('delete from golden_set where name = $1 returning name', [name])).length > 0;
}

const COLUMNS =
  'id, golden_set, at, questions, recall5, recall1, mrr10, p95_ms, weight, model, ann_recall, classes, rerank';

export async function saveEvaluation(
  sql: Sql,
  tenant: string,
  one: Omit<RetrievalEvaluation, 'id'>,
): Promise<RetrievalEvaluation> {
  const [row] = await sql<EvaluationRow>(
    `insert into retrieval_evaluation
       (tenant_id, golden_set, at, questions, recall5, recall1, mrr10, p95_ms, weight, model, ann_recall, classes, rerank)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) returning ${COLUMNS}`,
    [
      ...[tenant, one.golden_set, new Date(one.at_ms), one.questions, one.recall5, one.recall1, one.mrr10, one.p95_ms],
      ...[one.weight, one.model, one.ann_recall, JSON.stringify(one.classes)],
      one.rerank && JSON.stringify(one.rerank),
    ],
  );
  return row ? evaluationOf(row) : { ...one, id: '' };
}

/** Newest first. */
export async function evaluationRows(
  sql: Sql,
  golden_set: string | null,
  limit: number,
): Promise<RetrievalEvaluation[]> {
  const rows = await sql<EvaluationRow>(
    `select ${COLUMNS} from retrieval_evaluation where $1::text is null or golden_set = $1 order by at desc limit $2`,
    [golden_set, limit],
  );
  return rows.map(evaluationOf);
}

function evaluationOf({ at, ...row }: EvaluationRow): RetrievalEvaluation {
  return { ...row, at_ms: at.getTime() };
}

/** What people call each document: title, short names, names of its files. */
export async function documentNames(sql: Sql): Promise<{ document: string; names: string[] }[]> {
  return sql(
    `select v.document_id as document, array_agg(distinct d.title) || array_agg(distinct v.file_name) as names
     from document_version v join document d on d.tenant_id = v.tenant_id and d.id = v.document_id
     where v.state = 'ready' group by v.document_id`,
  );
}
