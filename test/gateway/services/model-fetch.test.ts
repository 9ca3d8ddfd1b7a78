import { expect, it } from 'vitest';
import type { ModelState, PullProgress } from '../../../engine/ports.ts';
import { createModelFetch, type ModelFetchDeps } from '../../../gateway/services/model-fetch.ts';
import { silent } from '../../setup/database.ts';
import { until } from '../../setup/until.ts';

/** A server that lacks a model until it was pulled; each pull waits for `go`. */
function server(name: string) {
  const on = { state: 'missing' as ModelState['state'], pulls: 0, go: (_error?: Error) => {} };
  const model: ModelFetchDeps['wanted'][number]['model'] = {
    name,
    state: async () => ({
      ...{ state: on.state, digest: null, version: null },
      reason: on.state === 'ready' ? null : `no ${name}`,
    }),
    async pull(onProgress: (progress: PullProgress) => void) {
      on.pulls++;
      onProgress({ status: 'pulling', done_bytes: 1, total_bytes: 4 });
      await new Promise<void>((done, fail) => {
        on.go = (error) => (error ? fail(error) : done());
      });
      on.state = 'ready';
    },
  };
  return { on, model };
}

const rig = (auto: boolean, again_ms = 5) => {
  const [language, embedding] = [server('big'), server('small')];
  const fetch = createModelFetch({
    ...{ log: silent, auto, look_ms: 5, again_ms, loaded: async () => [{ name: 'small:latest', bytes: 7 }] },
    wanted: [
      { use: 'language', model: language.model },
      { use: 'embedding', model: embedding.model },
    ],
  });
  return { fetch, language: language.on, embedding: embedding.on };
};
const states = async (fetch: ReturnType<typeof rig>['fetch']) => (await fetch.models()).map(({ state }) => state);

it('fetches what is missing one after the other, tells how far it is, and tries again what failed', async () => {
  const { fetch, language, embedding } = rig(true);
  fetch.start();
  try {
    await until(() => language.pulls === 1, 'the first pull');
    expect(await fetch.models()).toMatchObject([
      { name: 'big', state: 'fetching', progress: { done_bytes: 1, total_bytes: 4 } },
      { name: 'small', state: 'missing', reason: 'no small' },
    ]);
    expect(embedding.pulls).toBe(0);
    language.go(new Error('no internet'));
    await until(() => embedding.pulls === 1, 'the second model');
    expect((await fetch.models())[0]).toMatchObject({ state: 'missing', reason: 'no internet' });
    embedding.go();
    await until(() => language.pulls === 2, 'another try');
    language.go();
    await until(async () => (await states(fetch)).join() === 'ready,loaded', 'both models');
    expect((await fetch.models())[1]).toMatchObject({ bytes: 7, reason: null, progress: null });
  } finally {
    fetch.stop();
  }
});

it('fetches nothing where it was not told to, and not again at once what failed', async () => {
  const quiet = rig(false);
  quiet.fetch.start();
  expect(await states(quiet.fetch)).toEqual(['missing', 'missing']);
  expect(quiet.language.pulls).toBe(0);
  quiet.fetch.stop();

  const { fetch, language, embedding } = rig(true, 60_000);
  fetch.start();
  await until(() => language.pulls === 1, 'a pull');
  language.go(new Error('no internet'));
  await until(() => embedding.pulls === 1, 'the next one');
  embedding.go(new Error('no internet'));
  await until(async () => (await fetch.models()).every(({ reason }) => reason === 'no internet'), 'both refusals');
  await new Promise((done) => setTimeout(done, 60));
  expect([language.pulls, embedding.pulls]).toEqual([1, 1]);
  fetch.stop();
});
