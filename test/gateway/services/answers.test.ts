/** Questions through the whole graph, on real documents in a real database. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AnswerEvent } from '../../../gateway/services/answers/answer.ts';
import type { SiteFacts } from '../../../gateway/services/answers/site-facts.ts';
import {
  ADA,
  askSeen,
  BOB,
  EVE,
  FEE,
  FEES,
  fees,
  HOW_MUCH,
  METERING,
  open,
  put,
  resetRig,
  rowsOf,
  runSql,
  server,
  startRig,
  stopRig,
  texts,
} from './answers-rig.ts';

beforeAll(startRig);
beforeEach(resetRig);
afterAll(stopRig);

describe('a question without a language model', () => {
  it('goes through every step, each kept, and is answered with quotes', async () => {
    const { answers, asked } = open();
    const { answer, names } = await askSeen(answers, HOW_MUCH);
    expect(answer).toMatchObject({
      ...{ status: 'answered', reason: null, model: null, model_fault: null, question: HOW_MUCH },
      sentences: [{ text: FEE, citations: [{ document: fees, version: '1', quote: FEE, page: null }] }],
    });
    expect(names[0]).toBe('run');
    expect(names.at(-1)).toBe('done');
    expect(names.indexOf('sources')).toBeLessThan(names.indexOf('sentence'));
    const { run, steps } = await answers.run(ADA, answer.id);
    expect(run).toMatchObject({ state: 'done', question: HOW_MUCH });
    expect(steps.map(({ name }) => name)).toEqual(['plan', 'retrieve', 'solve', 'critic', 'finish']);
    expect(asked).toEqual([[ADA, HOW_MUCH, 'answered']]);
    expect(server.asked).toEqual([]);
  });

  it('abstains where the documents do not say, with what was read and a task for a person', async () => {
    const { answers } = open();
    const { answer } = await askSeen(answers, 'What is the annual fee for a nuclear reactor in Spain?');
    expect(answer).toMatchObject({ status: 'abstained', sentences: [], reason: { code: 'not_covered' } });
    expect(answer.nearest[0]?.document).toBe(fees);
    expect((await askSeen(answers, 'What does § 99 say?')).answer.reason?.code).toBe('no_such_place');
    expect(await rowsOf('answer_task')).toEqual([]);
    const task = await answers.confirmTask(ADA, answer.id);
    expect(task).toMatchObject({ confirmed_by: 'ada', title: expect.stringContaining('nuclear reactor') });
    await answers.confirmTask(ADA, answer.id);
    expect(await answers.tasks(BOB)).toHaveLength(1);
    expect(await answers.finishTask(BOB, answer.id)).toMatchObject({ done_by: 'bob' });
    expect(await answers.tasks(EVE)).toEqual([]);
  });

  it('understands what leans on the question before', async () => {
    const { answers } = open();
    const first = await answers.ask(ADA, { question: HOW_MUCH });
    const { conversation } = first;
    const second = await answers.ask(ADA, { question: 'And when is it due?', conversation });
    expect(second.sentences.map(({ text }) => text).join(' ')).toContain('1 March');
    const alone = await answers.ask(ADA, { question: 'And when is it due?' });
    expect(alone.conversation).not.toBe(conversation);
    expect((await answers.conversation(ADA, conversation)).map(({ id }) => id)).toEqual([first.id, second.id]);
    expect((await answers.conversations(ADA)).find(({ id }) => id === conversation)).toMatchObject({ questions: 2 });
    const { text } = await answers.export(ADA, conversation);
    expect(text).toContain('## And when is it due?');
    expect(text).toContain('Grid Code of Luna City');
  });

  it('asks back which document is meant, and goes on with what a person chose', async () => {
    const metering = await put('default', 'Metering Rules', METERING);
    const { answers } = open();
    const { answer } = await askSeen(answers, 'What does § 4 say?', { interactive: true });
    expect(answer).toMatchObject({ status: 'asking', sentences: [] });
    expect(answer.asking?.options.map(({ id }) => id).sort()).toEqual([fees, metering].sort());
    await expect(answers.resume(ADA, answer.id, 'nonsense')).rejects.toThrow(/waits for a choice/);
    const resumed = await answers.resume(ADA, answer.id, metering);
    expect(resumed.status).toBe('answered');
    expect(new Set(resumed.sentences.flatMap(({ citations }) => citations.map(({ document }) => document)))).toEqual(
      new Set([metering]),
    );
  });

  it('is answered from what was in force on the day that it names', async () => {
    const later = FEES.replace('20 EUR', '30 EUR');
    await put('default', 'Grid Code of Luna City', later, { document: fees, version: '2', valid_from: '2024-01-01' });
    const { answers } = open();
    const cited = async (as_of?: string) => {
      const { answer } = await askSeen(answers, HOW_MUCH, { as_of });
      const [{ version, quote } = { version: null, quote: '' }] = answer.sentences[0]?.citations ?? [];
      return [answer.status, answer.as_of, version, /\d+ EUR/.exec(quote)?.[0]];
    };
    expect(await cited()).toEqual(['answered', null, '2', '30 EUR']);
    expect(await cited('2023-12-31')).toEqual(['answered', '2023-12-31', '1', '20 EUR']);
    expect(await cited('2024-01-01')).toEqual(['answered', '2024-01-01', '2', '30 EUR']);
    for (const day of ['2023-02-30', 'yesterday', '2023-1-1'])
      await expect(answers.ask(ADA, { question: HOW_MUCH, as_of: day })).rejects.toThrow(/is no day/);
  });

  it('shows what its words find while a model that ranks takes its time', async () => {
    let seen = () => {};
    const gate = new Promise<void>((told) => {
      seen = told;
    });
    const { answers } = open({ ranked: gate });
    const names: string[] = [];
    const on = ({ event }: AnswerEvent) => {
      names.push(event);
      // The model ends only once somebody has seen what there is so far.
      if (event === 'sources') seen();
    };
    const { status } = await answers.ask(ADA, { question: HOW_MUCH }, { on });
    expect([status, names.filter((name) => name === 'sources').length]).toEqual(['answered', 2]);
  });

  it('is dropped where the document changed between retrieval and critic', async () => {
    const { answers } = open();
    let gone = false;
    const on = (event: AnswerEvent) => {
      if (event.event !== 'step' || event.data.name !== 'solve' || event.data.state !== 'done') return;
      gone = true;
    };
    const removing = answers.ask(
      ADA,
      { question: HOW_MUCH },
      {
        on: (event) => {
          on(event);
          const stored = texts.get(fees);
          // The text is another now: the quote no longer stands where it did.
          if (gone && stored) texts.set(fees, { ...stored, text: `x${stored.text}` });
        },
      },
    );
    const answer = await removing;
    expect(answer).toMatchObject({ status: 'abstained', sentences: [], reason: { code: 'nothing_verified' } });
    expect(answer.dropped[0]?.fault).toBe('quote_altered');
  });

  it('keeps feedback, one of each person, and shows nobody the runs of others', async () => {
    const { answers } = open();
    const { id, conversation } = await answers.ask(ADA, { question: HOW_MUCH });
    await answers.feedback(ADA, id, { verdict: 'useful' });
    await answers.feedback(ADA, id, { verdict: 'not_useful', comment: 'call me: +49 170 1234567' });
    expect(await rowsOf('answer_feedback')).toMatchObject([{ verdict: 'not_useful', comment: 'call me: [phone]' }]);
    expect(await answers.conversation(ADA, conversation)).toMatchObject([
      { feedback: 'not_useful', task_confirmed: false },
    ]);
    for (const other of [BOB, EVE]) {
      await expect(answers.run(other, id)).rejects.toThrow(/no answer/);
      await expect(answers.feedback(other, id, { verdict: 'useful' })).rejects.toThrow(/no answer/);
      await expect(answers.conversation(other, conversation)).rejects.toThrow(/no conversation/);
      await expect(answers.ask(other, { question: 'And?', conversation })).rejects.toThrow(/no conversation/);
      await expect(answers.export(other, conversation)).rejects.toThrow(/no conversation/);
      await expect(answers.stop(other, id)).rejects.toThrow(/no answer/);
      expect(await answers.conversations(other)).toEqual([]);
    }
    await answers.removeConversation(ADA, conversation);
    expect(await rowsOf('answer_step')).toEqual([]);
  });
});

describe('figures of the site', () => {
  const site: SiteFacts = {
    concerns: (question) => /yesterday/.test(question),
    sentences: async () => [
      { text: 'Yesterday: 82 ct.', citations: [], figures: [{ title: 'Price', href: '/prices', quote: '82 ct.' }] },
      { text: 'Yesterday: 83 ct.', citations: [], figures: [{ title: 'Price', href: '/prices', quote: '82 ct.' }] },
    ],
    holds: ({ text, figures = [] }) => figures.some(({ quote }) => text.endsWith(quote)),
  };
  it('are told with the page that shows them; a number that was not read is dropped', async () => {
    const { answer } = await askSeen(open({ site }).answers, 'What was the price yesterday?');
    expect(answer).toMatchObject({
      status: 'answered',
      sentences: [{ text: 'Yesterday: 82 ct.', citations: [], figures: [{ href: '/prices' }] }],
    });
    expect(answer.sentences).toHaveLength(1);
  });
});

describe('the evaluation of answers', () => {
  it('asks the documents by their headings, verifies every sentence anew and keeps the result per model', async () => {
    const { answers } = open();
    const result = await answers.evaluate('default');
    expect(result).toMatchObject({
      ...{ model_version: 'extractive', question_set: 'headings', unsupported_pct: 0, grounding_pct: 100 },
      ...{ right_pct: 100, abstained_pct: 0 },
    });
    expect(result.questions).toBeGreaterThanOrEqual(7);
    expect(await answers.evaluations('default', 5)).toHaveLength(1);
    expect(await answers.evaluations('other', 5)).toEqual([]);
    expect(await rowsOf('answer_run')).toEqual([]);
  });

  it('raises an alert when the answers got worse, and takes it back', async () => {
    const { answers, alerts } = open();
    await answers.evaluate('default');
    expect(alerts).toEqual([['clear', 'default', 'answers_worse', 'extractive']]);
    const [title] = (await rowsOf('document')).map((row) => row.title);
    const questions = JSON.stringify([{ question: HOW_MUCH, document: title, section: '§ 4' }]);
    await runSql(`insert into golden_set (tenant_id, name, questions, changed_by, changed_at)
      values ('default', 'own', '${questions}', 'ada', now())`);
    expect(await answers.evaluate('default')).toMatchObject({ question_set: 'golden', right_pct: 100 });
    await runSql(`update golden_set set questions = replace(questions::text, '§ 4', '§ 5')::jsonb`);
    expect((await answers.evaluate('default')).right_pct).toBe(0);
    expect(alerts.at(-1)).toEqual([
      ...['raise', 'default', 'answers_worse', 'extractive', 'warning'],
      { name: 'extractive', figure: 'answered_correct', before_percent: 100, now_percent: 0 },
    ]);
    await runSql('delete from golden_set');
  });
});
