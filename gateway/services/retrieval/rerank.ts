/** The language model's order of the best passages: asked once for the same question and passages, and only while it is there. */
import { createHash, randomBytes } from 'node:crypto';
import { ModelError } from '../../../engine/errors.ts';
import type { LanguageModel, PassageHit } from '../../../engine/ports.ts';
import { redact } from '../../../engine/rag/redact.ts';
import { buildRerankPrompt, decodeOrder, ORDER_TOKENS, orderSchema } from '../../../engine/rag/rerank.ts';
import type { Rerank } from '../../../engine/rag/retriever.ts';
import type { Base } from '../../services.ts';
import { createModelAudit } from '../answers/model-audit.ts';
import { createModelState } from '../answers/model-watch.ts';

export type ModelRerankDeps = Pick<Base, 'db' | 'clock' | 'log' | 'metrics' | 'config'> & {
  model: LanguageModel;
  /** Names that are taken out of what goes to the model. */
  people: (tenant: string) => Promise<readonly string[]>;
};

/** Passages that are put in order. */
export const RERANKED_HITS = 10;
/** Orders that are remembered: a question is searched for several times on its way to an answer. */
const REMEMBERED = 200;
/** What failed or came late is not waited for again so soon. */
const REST_MS = 60_000;

/** Rejects ModelError; an order that comes late is whoever waits to judge. */
export function createModelRerank(deps: ModelRerankDeps): Rerank {
  const { model, clock } = deps;
  const { state, digest } = createModelState(model, clock);
  const audit = createModelAudit({ ...deps, digest });
  const known = new Map<string, { order: Promise<number[]>; failed_ms: number | null }>();

  async function orderOf(tenant: string, asked: string, hits: readonly PassageHit[], signal: AbortSignal) {
    if ((await state()).state !== 'ready') throw new ModelError('unreachable', 'The language model is not there.');
    const people = await deps.people(tenant);
    const question = redact(asked, people).text;
    const shown = hits.map((hit) => ({
      ...hit,
      passage: { ...hit.passage, text: redact(hit.passage.text, people).text },
    }));
    const prompt = buildRerankPrompt(question, shown, randomBytes(6).toString('hex'), model);
    const call = {
      ...{ tenant, run: null, person: 'system', question, prompt: `${prompt.system}\n\n${prompt.prompt}` },
      ...{ passages: hits.map(({ passage }) => passage), begun_ms: clock.now() },
    };
    const nothing = { said: '', prompt_tokens: 0, answer_tokens: 0 };
    const asking = { ...prompt, schema: orderSchema(hits.length), most_tokens: ORDER_TOKENS, signal };
    const { text, ...tokens } = await model.generate(asking).catch(async (error: unknown) => {
      await audit({ ...call, ...nothing, fault: error instanceof ModelError ? error.fault : 'failed' }, people);
      throw error;
    });
    const order = decodeOrder(text, hits.length);
    await audit({ ...call, ...tokens, said: text, fault: order ? null : 'schema' }, people);
    if (!order) throw new ModelError('schema', 'The language model gave no order of the passages.');
    return order;
  }

  return async (tenant, question, hits, signal) => {
    const key = keyOf(tenant, question, hits);
    const before = known.get(key);
    const isOver = before?.failed_ms != null && clock.now() - before.failed_ms >= REST_MS;
    const found = before && !isOver ? before : { order: orderOf(tenant, question, hits, signal), failed_ms: null };
    known.set(key, found);
    found.order.catch(() => {
      found.failed_ms ??= clock.now();
    });
    for (const oldest of known.keys()) {
      if (known.size <= REMEMBERED) break;
      known.delete(oldest);
    }
    return (await found.order).map((place) => hits[place] as PassageHit);
  };
}

/** Nothing of one organisation is ever the key of another. */
function keyOf(tenant: string, question: string, hits: readonly PassageHit[]): string {
  const parts = [tenant, question, ...hits.map(({ passage }) => passage.id)];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}
