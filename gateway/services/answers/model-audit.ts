/** One line in the audit log of language models for every request, whatever came of it; without personal data. */
import type { LanguageModel } from '../../../engine/ports.ts';
import { redact } from '../../../engine/rag/redact.ts';
import type { Base } from '../../services.ts';

export type ModelCall = {
  tenant: string;
  /** Of the answer; null where it was asked for no answer, such as for an order of passages. */
  run: string | null;
  person: string;
  question: string;
  /** As it was sent: redacted already. */
  prompt: string;
  passages: readonly { id: string; document: string; version: string }[];
  said: string;
  fault: string | null;
  prompt_tokens: number;
  answer_tokens: number;
  begun_ms: number;
};
export type ModelAudit = (call: ModelCall, people: readonly string[]) => Promise<number>;
export type ModelAuditDeps = Pick<Base, 'db' | 'clock' | 'log' | 'metrics' | 'config'> & {
  model: LanguageModel;
  digest: () => Promise<string | null>;
};

const NO_RUN = '00000000-0000-0000-0000-000000000000';

/** @returns of each call its id in the log */
export function createModelAudit({ db, clock, log, metrics, config, model, digest: digestNow }: ModelAuditDeps) {
  const audit: ModelAudit = async (call, people) => {
    const { tenant, run, fault, prompt_tokens, answer_tokens, begun_ms } = call;
    const latency_ms = Math.max(0, Math.round(clock.now() - begun_ms));
    const digest = await digestNow();
    const token_count = prompt_tokens + answer_tokens;
    const cost_eur = (token_count * config.language_cost_per_million) / 1e6;
    const passages = call.passages.map(({ id, document, version }) => ({ id, document, version }));
    log.info(
      {
        ...{ tenant_id: tenant, run, latency_ms, token_count, outcome: fault ?? 'written' },
        model_version: versionOf(model.name, digest),
        doc_refs: [...new Set(passages.map(({ document, version }) => `${document}@${version}`))],
      },
      'a language model was asked',
    );
    metrics.model_s.observe({ model: model.name, outcome: fault ?? 'written' }, latency_ms / 1000);
    metrics.model_tokens.inc({ model: model.name, kind: 'prompt' }, prompt_tokens);
    metrics.model_tokens.inc({ model: model.name, kind: 'answer' }, answer_tokens);
    const [row] = await db.asTenant(tenant, (sql) =>
      sql<{ id: number }>(
        `insert into model_audit (tenant_id, run_id, at, person, question, prompt, passages, model, model_digest, answer,
           fault, latency_ms, prompt_tokens, answer_tokens, cost_eur)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) returning id`,
        [
          ...[tenant, run ?? NO_RUN, new Date(begun_ms), call.person, redact(call.question, people).text],
          ...[call.prompt, JSON.stringify(passages), model.name, digest, redact(call.said, people).text, fault],
          ...[latency_ms, prompt_tokens, answer_tokens, cost_eur],
        ],
      ),
    );
    return row?.id ?? 0;
  };
  return audit;
}

export function versionOf(model: string, digest: string | null): string {
  return digest ? `${model}@${digest.slice(0, 12)}` : model;
}
