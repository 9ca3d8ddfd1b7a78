/** The audit log of language models, as admins read it. */
import type { Sql } from '../../../engine/ports.ts';
import { versionOf } from './model-audit.ts';

export type ModelLogEntry = {
  id: number;
  run: string;
  at: Date;
  person: string;
  question: string;
  prompt: string;
  doc_refs: { id: string; document: string; version: string }[];
  model_version: string;
  answer: string;
  fault: string | null;
  verdicts: { text: string; ok: boolean; fault: string | null }[];
  latency_ms: number;
  prompt_tokens: number;
  answer_tokens: number;
  cost_eur: number;
};
type Row = Omit<ModelLogEntry, 'model_version'> & { model: string; model_digest: string | null };

export async function modelLog(sql: Sql, limit: number): Promise<ModelLogEntry[]> {
  const rows = await sql<Row>(
    `select id, run_id as run, at, person, question, prompt, passages as doc_refs, model, model_digest, answer, fault,
       verdicts, latency_ms, prompt_tokens, answer_tokens, cost_eur
     from model_audit order by at desc, id desc limit $1`,
    [limit],
  );
  return rows.map(({ model, model_digest, ...row }) => ({ ...row, model_version: versionOf(model, model_digest) }));
}
