/** The language model at work: prompt, draft, and one line in the audit log of models for every request. */
import { ModelError } from '../../../engine/errors.ts';
import type { LanguageModel, PassageHit } from '../../../engine/ports.ts';
import { DRAFT_SCHEMA, type DraftClaim, decodeDraft, sentenceOf, wholeClaims } from '../../../engine/rag/draft.ts';
import { buildPrompt, type Prompt } from '../../../engine/rag/prompt.ts';
import type { Question } from '../../../engine/rag/question.ts';
import { redact } from '../../../engine/rag/redact.ts';
import type { CitedSentence } from '../../../engine/rag/verify.ts';
import type { Base } from '../../services.ts';
import { createModelAudit } from './model-audit.ts';
import type { ModelWatch } from './model-watch.ts';

export type WriteTask = {
  tenant: string;
  run: string;
  person: string;
  question: Question;
  hits: readonly PassageHit[];
  nonce: string;
  signal: AbortSignal;
  onTokens: (tokens: number) => void;
  onSentence: (sentence: CitedSentence) => Promise<void>;
};
export type Written = {
  /** Null where the model failed. */
  drafted: CitedSentence[] | null;
  fault: string | null;
  model: string;
  audit_id: number;
};
export type Judged = { text: string; ok: boolean; fault: string | null };
export type Writer = {
  /** Whether the model is there now. */
  ready(): Promise<boolean>;
  write(task: WriteTask): Promise<Written>;
  judged(tenant: string, audit_id: number, verdicts: readonly Judged[]): Promise<void>;
};
export type WriterDeps = Pick<Base, 'db' | 'clock' | 'log' | 'metrics' | 'config'> & {
  model: LanguageModel;
  watch: Pick<ModelWatch, 'digest' | 'state'>;
  /** Names that are taken out of what goes to the model. */
  people: (tenant: string) => Promise<readonly string[]>;
};

const ANSWER_TOKENS = 768;
/** A prompt that is estimated too small is refused by the server: once more with half of the passages. */
const TRIES = 2;
const TELL_EVERY = 8;

export function createWriter(deps: WriterDeps): Writer {
  const { model, db } = deps;
  const audit = createModelAudit({ ...deps, digest: deps.watch.digest });

  async function attempt(task: WriteTask, prompt: Prompt, people: readonly string[]): Promise<Written> {
    const begun_ms = deps.clock.now();
    let [said, prompt_tokens, answer_tokens] = ['', 0, 0];
    let fault: string | null = null;
    let drafted: CitedSentence[] | null = null;
    const teller = createTeller(task, prompt, people);
    try {
      const made = await model.generate(
        { ...prompt, schema: DRAFT_SCHEMA, most_tokens: ANSWER_TOKENS, signal: task.signal },
        (text, tokens) => {
          said = text;
          answer_tokens = tokens;
          teller.tell(text, tokens);
        },
      );
      said = made.text;
      ({ prompt_tokens, answer_tokens } = made);
      const draft = decodeDraft(made.text, made.finished);
      if (!draft) throw new ModelError('schema', 'The language model did not write what it was asked for.');
      drafted = draft.claims.map((claim) => sentenceFor(claim, prompt, people));
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      fault = error.fault;
      deps.log.warn({ err: error, tenant_id: task.tenant, run: task.run, fault }, 'the language model failed');
    } finally {
      await teller.done();
    }
    const { tenant, run, person, question } = task;
    const audit_id = await audit(
      {
        ...{ tenant, run, person, question: question.text, prompt: `${prompt.system}\n\n${prompt.prompt}` },
        ...{ passages: prompt.passages, said, fault, prompt_tokens, answer_tokens, begun_ms },
      },
      people,
    );
    if (fault === 'cancelled') throw new ModelError('cancelled', 'The answer was stopped.');
    return { drafted, fault, model: model.name, audit_id };
  }

  return {
    ready: async () => (await deps.watch.state()).state === 'ready',
    async write(task) {
      const people = await deps.people(task.tenant);
      const question = { text: redact(task.question.text, people).text, language: task.question.language };
      let hits = task.hits.map((hit) => ({ ...hit, passage: redactPassage(hit.passage, people) }));
      for (let tries = 1; ; tries += 1) {
        const options = { context_tokens: model.context_tokens, answer_tokens: ANSWER_TOKENS };
        const built = buildPrompt(question, hits, task.nonce, options);
        // The quotes are looked up in the passages as they really are.
        const own = new Map(task.hits.map(({ passage }) => [passage.id, passage]));
        const prompt = { ...built, passages: built.passages.map((one) => own.get(one.id) ?? one) };
        const written = await attempt(task, prompt, people);
        if (written.fault !== 'too_long' || tries >= TRIES || built.passages.length < 2) return written;
        hits = hits.slice(0, Math.ceil(built.passages.length / 2));
      }
    },
    async judged(tenant, audit_id, verdicts) {
      await db.asTenant(tenant, (sql) =>
        sql('update model_audit set verdicts = $2 where id = $1', [audit_id, JSON.stringify(verdicts)]),
      );
    },
  };
}

function redactPassage<P extends { text: string }>(passage: P, people: readonly string[]): P {
  return { ...passage, text: redact(passage.text, people).text };
}

/** A claim whose quote is nowhere keeps its text, so that the log shows what was dropped. */
function sentenceFor(claim: DraftClaim, { passages }: Prompt, people: readonly string[]): CitedSentence {
  const sentence = sentenceOf(claim, passages);
  const text = redact(sentence?.text ?? claim.text, people).text;
  return sentence ? { ...sentence, text } : { text, citations: [] };
}

/** Tells each claim once it is whole, in order, while the rest is still being written. */
function createTeller(task: WriteTask, prompt: Prompt, people: readonly string[]) {
  let told = 0;
  let last = 0;
  let telling: Promise<void> = Promise.resolve();
  return {
    tell(text: string, tokens: number) {
      if (tokens - last >= TELL_EVERY || tokens === 1) {
        last = tokens;
        task.onTokens(tokens);
      }
      if (!text.endsWith('}') && !text.endsWith(']') && !text.endsWith(',')) return;
      for (const claim of wholeClaims(text).slice(told)) {
        told += 1;
        const sentence = sentenceFor(claim, prompt, people);
        telling = telling.then(() => task.onSentence(sentence)).catch(() => {});
      }
    },
    done: () => telling,
  };
}
