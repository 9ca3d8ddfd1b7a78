/** Questions that a scripted language model answers, or fails to. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AnswerEvent } from '../../../gateway/services/answers/answer.ts';
import { begin, last, MODEL, piece, says } from '../../setup/ollama-script.ts';
import { until } from '../../setup/until.ts';
import {
  ADA,
  askSeen,
  claims,
  EVE,
  FEE,
  fees,
  HOW_MUCH,
  lines,
  METERING,
  open,
  put,
  resetRig,
  rowsOf,
  server,
  startRig,
  stopRig,
} from './answers-rig.ts';

beforeAll(startRig);
beforeEach(resetRig);
afterAll(stopRig);

describe('a question with a language model', () => {
  it('is answered by its verified sentences alone; the sources come first', async () => {
    server.play(
      says(
        claims(
          { text: 'The annual fee is 20 EUR per meter.', quote: FEE },
          { text: 'The annual fee is 25 EUR per meter.', quote: FEE },
          { text: 'It may be paid in gold.', quote: 'It may be paid in gold.' },
        ),
        7,
      ),
    );
    const { answers } = open({ model: true });
    const { answer, events, names } = await askSeen(answers, HOW_MUCH);
    expect(answer).toMatchObject({ status: 'answered', model: MODEL, model_fault: null });
    expect(answer.sentences.map(({ text }) => text)).toEqual(['The annual fee is 20 EUR per meter.']);
    expect(answer.dropped.map(({ fault }) => fault)).toEqual(['number', 'no_citation']);
    const told = events.flatMap((event) => (event.event === 'sentence' ? event.data.text : []));
    expect(told).toEqual(['The annual fee is 20 EUR per meter.']);
    expect(names.indexOf('sources')).toBeLessThan(names.indexOf('progress'));
  });

  it('shows its sources within 300 ms, however long the model takes, and streams what is verified at once', async () => {
    server.play(async (response) => {
      await sleep(500);
      begin(response);
      response.write(piece(claims({ text: 'The annual fee is 20 EUR per meter.', quote: FEE }).slice(0, -2)));
      await sleep(300);
      response.write(piece(']}'));
      response.end(last());
    });
    const { answers } = open({ model: true });
    await answers.ask(ADA, { question: HOW_MUCH });
    const { at, names } = await askSeen(answers, HOW_MUCH);
    const after = (name: string) => at[names.indexOf(name as never)]! - at[0]!;
    expect(after('sources')).toBeLessThan(300);
    expect(after('progress')).toBeGreaterThan(after('sources'));
    expect(after('sentence')).toBeLessThan(after('done'));
  });

  it.each([
    ['nothing that holds', claims({ text: 'The fee is 99 EUR.', quote: FEE }), 'nothing_verified'],
    ['that the passages do not say', '{"claims": []}', 'not_covered'],
  ])('abstains where the model writes %s', async (_, content, code) => {
    server.play(says(content));
    const { answer } = await askSeen(open({ model: true }).answers, HOW_MUCH);
    expect(answer).toMatchObject({ status: 'abstained', sentences: [], reason: { code } });
  });

  it.each([
    ['schema', says('The fee is 20 EUR.')],
    ['schema', says('{"claims": "none"}')],
    ['empty', says('')],
  ] as const)('falls back to quotes where the model fails (%s), and says so', async (fault, scene) => {
    server.play(scene);
    const { answer } = await askSeen(open({ model: true }).answers, HOW_MUCH);
    expect(answer).toMatchObject({ status: 'answered', model: null, model_fault: fault });
    expect(answer.sentences[0]?.text).toBe(FEE);
    expect(await rowsOf('model_audit')).toMatchObject([{ fault }]);
  });

  it('asks again with fewer passages where the server says that it was too much', async () => {
    await put('default', 'Metering Rules', METERING);
    let tries = 0;
    server.play((response, asked, request) => {
      tries += 1;
      if (tries === 1) {
        response.writeHead(400, { 'content-type': 'application/json' });
        return void response.end('{"error":"the input length exceeds the context length"}');
      }
      return says(claims({ text: FEE, quote: FEE }))(response, asked, request);
    });
    const { answer } = await askSeen(
      open({ model: true }).answers,
      'How much is the annual fee for a smart meter, what readings?',
    );
    expect(tries).toBe(2);
    expect(answer.model).toBe(MODEL);
  });

  it('does not ask the model where the documents cannot answer', async () => {
    const { answer } = await askSeen(
      open({ model: true }).answers,
      'What is the annual fee for a nuclear reactor in Spain?',
    );
    expect(answer.reason?.code).toBe('not_covered');
    expect(server.asked.filter(({ path }) => path === '/api/chat')).toEqual([]);
  });

  it('reaches the model within a second with a stop, by the stream or by its id', async () => {
    const endless = () =>
      server.play(async (response) => {
        begin(response);
        while (!response.destroyed) {
          response.write(piece(' '));
          await sleep(5);
        }
      });
    const { answers } = open({ model: true });
    for (const way of ['signal', 'id'] as const) {
      endless();
      server.asked.length = 0;
      const stop = new AbortController();
      let id = '';
      const on = (event: AnswerEvent) => {
        if (event.event === 'run') id = event.data.id;
      };
      const asking = answers.ask(ADA, { question: HOW_MUCH }, { on, signal: stop.signal });
      const chat = () => server.asked.find(({ path }) => path === '/api/chat');
      await until(() => chat() !== undefined, 'the model is asked');
      const stopped_ms = performance.now();
      if (way === 'signal') stop.abort();
      else await answers.stop(ADA, id);
      await until(() => chat()?.left_ms != null, 'the model was left');
      expect(chat()!.left_ms! - stopped_ms, way).toBeLessThan(1000);
      expect(await asking).toMatchObject({ status: 'stopped', reason: { code: 'stopped' }, sentences: [] });
      expect((await answers.run(ADA, id)).run.state).toBe('stopped');
    }
  });

  it('can be paused, inspected, and resumed by another start of the box', async () => {
    let release = () => {};
    const held = new Promise<void>((done) => {
      release = done;
    });
    server.play(async (response, asked, request) => {
      await held;
      return says(claims({ text: FEE, quote: FEE }))(response, asked, request);
    });
    const { answers } = open({ model: true });
    let id = '';
    const asking = answers.ask(
      ADA,
      { question: HOW_MUCH },
      {
        on: (event) => {
          if (event.event === 'run') id = event.data.id;
        },
      },
    );
    await until(() => server.asked.some(({ path }) => path === '/api/chat'), 'the model is asked');
    await answers.pause(ADA, id);
    await expect(answers.pause(ADA, id)).rejects.toThrow(/paused, not under way/);
    release();
    await asking;
    const seen = await answers.run(ADA, id);
    expect(seen.run.state).toBe('paused');
    expect(seen.steps.map(({ name }) => name)).toEqual(['plan', 'retrieve', 'solve']);
    const chats = server.asked.filter(({ path }) => path === '/api/chat').length;
    const answer = await open({ model: true }).answers.resume(ADA, id);
    expect(answer).toMatchObject({ id, status: 'answered', model: MODEL });
    // What was written before was not asked again.
    expect(server.asked.filter(({ path }) => path === '/api/chat').length).toBe(chats);
  });

  it('is taken up by the next start where the box stopped in the middle', async () => {
    server.play(() => {});
    const before = open({ model: true }).answers;
    let id = '';
    const asking = before.ask(
      ADA,
      { question: HOW_MUCH },
      {
        on: (event) => {
          if (event.event === 'run') id = event.data.id;
        },
      },
    );
    await until(() => server.asked.some(({ path }) => path === '/api/chat'), 'the model is asked');
    await before.stopAll();
    await asking;
    expect((await before.run(ADA, id)).run.state).toBe('running');
    server.play(says(claims({ text: FEE, quote: FEE })));
    const after = open({ model: true }).answers;
    await after.start();
    await until(async () => (await after.run(ADA, id)).run.state === 'done', 'it is answered');
    expect((await after.run(ADA, id)).run.answer).toMatchObject({ status: 'answered', model: MODEL });
  });

  it('writes the audit log of the model: what was asked and said, by which model, with verdicts, tokens and cost', async () => {
    server.play(says(claims({ text: FEE, quote: FEE }, { text: 'The fee is 99 EUR.', quote: FEE })));
    const { answers } = open({ model: true });
    const { answer } = await askSeen(answers, HOW_MUCH);
    const [entry] = await answers.modelLog(ADA, 10);
    expect(entry).toMatchObject({
      ...{ run: answer.id, person: 'ada', question: HOW_MUCH, fault: null, prompt_tokens: 11, answer_tokens: 7 },
      ...{ model_version: `${MODEL}@d1d1d1d1d1d1`, cost_eur: (18 * 2) / 1e6 },
      verdicts: [
        { text: FEE, ok: true, fault: null },
        { text: 'The fee is 99 EUR.', ok: false, fault: 'number' },
      ],
    });
    expect(entry?.prompt).toContain(FEE);
    expect(entry?.doc_refs[0]).toMatchObject({ document: fees, version: '1' });
    const line = lines.map((one) => JSON.parse(one)).find(({ text }) => text === 'a language model was asked');
    expect(line).toMatchObject({ token_count: 18, model_version: `${MODEL}@d1d1d1d1d1d1`, doc_refs: [`${fees}@1`] });
    expect(await answers.modelLog(EVE, 10)).toEqual([]);
  });

  it('takes personal data out before the prompt, after the output and in the logs', async () => {
    server.play(
      says(claims({ text: 'The annual fee for a smart meter is 20 EUR, ask erika@example.org.', quote: FEE })),
    );
    const people = [{ name: 'Erika Mustermann', login: 'erika' }];
    const { answers } = open({ model: true, people });
    const question =
      'Erika Mustermann, erika@example.org, +49 170 1234567, 1EMH0012345678: How much is the annual fee for a smart meter?';
    const { answer } = await askSeen(answers, question);
    const sent = JSON.stringify(server.asked);
    const kept = JSON.stringify([
      await rowsOf('model_audit'),
      await rowsOf('answer_run'),
      await rowsOf('conversation'),
      lines,
      answer,
    ]);
    for (const text of [sent, kept]) expect(text).not.toMatch(/Mustermann|example\.org|1234567|0012345678/);
    expect(sent).toContain('annual fee');
    expect(kept).toContain('[mail]');
    expect(answer.sentences).toEqual([]);
  });
});
