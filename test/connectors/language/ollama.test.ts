/** The contract of language models against a scripted Ollama, and against a real one where LUNA_TEST_OLLAMA_URL is set. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe } from 'vitest';
import { createOllama } from '../../../connectors/language/ollama/ollama.ts';
import { createOutbound } from '../../../gateway/outbound.ts';
import { type LanguageModelRig, languageModelContract } from '../../contracts/language-model.ts';
import { begin, json, last, MODEL, openScriptedOllama, piece } from '../../setup/ollama-script.ts';

const real = process.env.LUNA_TEST_OLLAMA_URL;

async function scripted(): Promise<LanguageModelRig> {
  const server = await openScriptedOllama();
  server.play(async (response, { body }) => {
    const { model, messages, options } = body as {
      model: string;
      messages: { content: string }[];
      options: { num_ctx: number; num_predict: number };
    };
    if (model !== MODEL && model !== 'endless') return json(response, { error: `model "${model}" not found` }, 404);
    if (messages.reduce((sum, { content }) => sum + content.length, 0) > options.num_ctx)
      return json(response, { error: 'the input length exceeds the context length' }, 400);
    begin(response);
    if (model === MODEL) {
      for (const part of ['{"answer"', ': "it', ' is"}']) {
        response.write(piece(part));
        // Each piece arrives by itself.
        await sleep(5);
      }
      response.end(last());
      return;
    }
    for (let tokens = 0; tokens < Math.min(options.num_predict, 5000) && !response.destroyed; tokens += 1) {
      response.write(piece('x'));
      await sleep(2);
    }
    response.end(last('length').replace('"eval_count":7', `"eval_count":${options.num_predict}`));
  });
  const outbound = createOutbound({ allowed: () => ['127.0.0.1'], answer_ms: 0 });
  const open = (model: string, url = server.url) =>
    createOllama({ url, model, context_tokens: 512, fetch: outbound.fetch });
  return {
    ...{ model: open(MODEL), endless: open('endless'), missing: open('missing:7b') },
    ...{ away: open(MODEL, 'http://127.0.0.1:1'), too_long: 'x'.repeat(600) },
    close: async () => {
      await outbound.close();
      await server.close();
    },
  };
}

/** The tiny models: one token a byte, tiny-chat ends by itself, tiny-loop never does. */
async function genuine(url: string): Promise<LanguageModelRig> {
  const outbound = createOutbound({ allowed: () => [new URL(url).hostname], answer_ms: 0 });
  const open = (model: string, at = url) =>
    createOllama({ url: at, model, context_tokens: 512, fetch: outbound.fetch });
  return {
    ...{ model: open(process.env.LUNA_TEST_OLLAMA_MODEL ?? 'tiny-chat'), endless: open('tiny-loop') },
    ...{ missing: open('nobody-has-this:1b'), away: open('tiny-chat', 'http://127.0.0.1:1') },
    ...{ too_long: 'energy '.repeat(2000), close: () => outbound.close() },
  };
}

describe('a scripted Ollama', () => languageModelContract(scripted));
describe.skipIf(!real)('a real Ollama', () => languageModelContract(() => genuine(real ?? '')));
