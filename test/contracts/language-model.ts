/** What every language model does; a scripted server and a real one pass the same. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ModelError } from '../../engine/errors.ts';
import type { GenerateRequest, LanguageModel } from '../../engine/ports.ts';

export type LanguageModelRig = {
  /** Answers, and says that it is there. */
  model: LanguageModel;
  /** Never comes to an end by itself. */
  endless: LanguageModel;
  /** Its server does not have it. */
  missing: LanguageModel;
  /** Nothing listens at its address. */
  away: LanguageModel;
  /** More than fits into the context of `model`. */
  too_long: string;
  close(): Promise<void>;
};

export const SCHEMA = { type: 'object', properties: { answer: { type: 'string' } }, required: ['answer'] };
export const requestOf = (more: Partial<GenerateRequest> = {}): GenerateRequest => ({
  ...{ system: 'Answer.', prompt: 'What is it?', schema: SCHEMA, most_tokens: 200 },
  signal: new AbortController().signal,
  ...more,
});
export const faultOf = async (work: Promise<unknown>): Promise<string> => {
  const error: unknown = await work.then(
    () => 'none',
    (reason: unknown) => reason,
  );
  return error instanceof ModelError ? error.fault : String(error);
};

export function languageModelContract(open: () => Promise<LanguageModelRig>): void {
  let rig: LanguageModelRig;
  beforeAll(async () => {
    rig = await open();
  }, 120_000);
  afterAll(() => rig?.close());

  it('says that it is there, with the digest of its files', async () => {
    expect(await rig.model.state()).toMatchObject({ state: 'ready', digest: expect.stringMatching(/^[0-9a-f]{12,}/) });
  });

  it('writes an answer, told while it grows, and counts its tokens', async () => {
    const seen: string[] = [];
    const made = await rig.model.generate(requestOf(), (text) => seen.push(text));
    expect(made.text.trim()).not.toBe('');
    expect(made).toMatchObject({ finished: true });
    expect(made.prompt_tokens).toBeGreaterThan(0);
    expect(made.answer_tokens).toBeGreaterThan(0);
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.at(-1)).toBe(made.text);
  }, 60_000);

  it('is stopped by the number of tokens, and says that it was not finished', async () => {
    const made = await rig.endless.generate(requestOf({ most_tokens: 16 }));
    expect(made.finished).toBe(false);
    expect(made.answer_tokens).toBeLessThanOrEqual(17);
  }, 60_000);

  it('stops within a second of a cancel in the middle', async () => {
    const stop = new AbortController();
    let stopped_ms = 0;
    const work = rig.endless.generate(requestOf({ most_tokens: 100_000, signal: stop.signal }), () => {
      stopped_ms ||= performance.now();
      stop.abort();
    });
    expect(await faultOf(work)).toBe('cancelled');
    expect(performance.now() - stopped_ms).toBeLessThan(5000);
  }, 60_000);

  it('is not begun where it was cancelled before', async () => {
    expect(await faultOf(rig.model.generate(requestOf({ signal: AbortSignal.abort() })))).toBe('cancelled');
  });

  it('refuses a prompt that its context cannot hold, and cuts nothing', async () => {
    expect(await faultOf(rig.model.generate(requestOf({ prompt: rig.too_long })))).toBe('too_long');
  }, 60_000);

  it('says that a model is not there', async () => {
    expect(await rig.missing.state()).toMatchObject({ state: 'missing', digest: null });
    expect(await faultOf(rig.missing.generate(requestOf()))).toBe('no_model');
  });

  it('says that its server is away', async () => {
    expect(await rig.away.state()).toMatchObject({ state: 'unreachable', reason: expect.stringMatching(/reached/) });
    expect(await faultOf(rig.away.generate(requestOf()))).toBe('unreachable');
  });
}
