/** Questions through the whole graph, on real documents in a real database, with a scripted language model. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../../connectors/bus/memory.ts';
import { createOllama } from '../../../connectors/language/ollama/ollama.ts';
import { createEmbeddedPassages } from '../../../connectors/passages/embedded/embedded.ts';
import { documentOfText } from '../../../engine/rag/document.ts';
import { namePassages } from '../../../engine/rag/passages.ts';
import { loadConfig } from '../../../gateway/config.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { createOutbound, type Outbound } from '../../../gateway/outbound.ts';
import type { AnswerEvent } from '../../../gateway/services/answers/answer.ts';
import type { SiteFacts } from '../../../gateway/services/answers/site-facts.ts';
import { type Answers, createAnswerService } from '../../../gateway/services/answers.ts';
import { createAnswerSources } from '../../../gateway/services/regulation/sources.ts';
import type { Actor } from '../../../gateway/services.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';
import { begin, last, MODEL, openScriptedOllama, piece, type ScriptedOllama, says } from '../../setup/ollama-script.ts';
import { until } from '../../setup/until.ts';

const ADA: Actor = { tenant: 'default', person: 'ada', role: 'admin', language: 'en' };
const BOB: Actor = { ...ADA, person: 'bob', role: 'user' };
const EVE: Actor = { ...ADA, tenant: 'other', person: 'eve' };
const FEES = `# Grid Code of Luna City

## § 4 Fees

The annual fee for a smart meter is 20 EUR per meter. It is due on 1 March of each year.

## § 5 Storage

Owners of storage facilities must report their capacity within 30 days. Operators of the grid shall not own storage facilities.
`;
const METERING = `# Metering Rules

## § 4 Readings

Readings of a smart meter are taken every 15 minutes. The operator keeps them for two years.
`;

let test: TestDatabase;
let server: ScriptedOllama;
let outbound: Outbound;
const lines: string[] = [];
const log = Object.assign(Object.create(silent), {
  info: (fields: object, text: string) => void lines.push(JSON.stringify({ ...fields, text })),
  warn: (fields: object, text: string) => void lines.push(JSON.stringify({ ...fields, text })),
});

beforeAll(async () => {
  test = await openTestDatabase();
  server = await openScriptedOllama();
  outbound = createOutbound({ allowed: () => ['127.0.0.1'], answer_ms: 0 });
  await test.db.asSystem((sql) =>
    sql(`insert into tenant (id, name) values ('default', 'Default'), ('other', 'Other') on conflict do nothing`),
  );
});
afterAll(async () => {
  await outbound?.close();
  await server?.close();
  await test?.close();
});

type Stored = { id: string; title: string; version: string; text: string };
const texts = new Map<string, Stored>();
const index = createEmbeddedPassages();

/** As an upload that was read: passages in Postgres and in the index. */
async function put(tenant: string, title: string, source: string): Promise<string> {
  const read = documentOfText(source, 'markdown');
  const document = randomUUID();
  const of = { document, document_title: title, version: '1', language: read.language };
  const passages = namePassages(read.passages, of);
  await test.db.asTenant(tenant, async (sql) => {
    await sql('insert into document (tenant_id, id, title) values ($1, $2, $3)', [tenant, document, title]);
    await sql(
      `insert into document_version (tenant_id, document_id, version, file_name, sha256, language, state, uploaded_by)
        values ($1, $2, '1', 'x.md', $3, $4, 'ready', 'ada')`,
      [tenant, document, document, read.language],
    );
    for (const one of passages)
      await sql(
        `insert into passage (tenant_id, id, document_id, version, page, section, text, start_at, end_at)
          values ($1, $2, $3, '1', $4, $5, $6, $7, $8)`,
        [tenant, one.id, document, one.page, one.section, one.text, one.start, one.end],
      );
  });
  await index.add(tenant, passages);
  texts.set(document, { id: document, title, version: '1', text: read.text });
  return document;
}

const noSite: SiteFacts = { concerns: () => false, sentences: async () => [], holds: () => true };
type Options = { model?: boolean; site?: SiteFacts; context?: number; people?: { name: string; login: string }[] };
function open({ model = false, site = noSite, context = 4096, people = [] }: Options = {}) {
  const asked: unknown[][] = [];
  const files = {
    text: async ({ sha256 }: { sha256: string }) => ({ text: texts.get(sha256)?.text ?? '', pages: [] }),
  };
  const sources = createAnswerSources({ db: test.db, log: silent, files, index, ready: async () => {} } as never);
  const answers = createAnswerService({
    ...{ config: loadConfig({ LUNA_HOME: test.home, LUNA_LANGUAGE_COST_PER_MILLION: '2' }), clock: Date, log, sources },
    ...{ metrics: createMetrics({ defaults: false }), bus: createMemoryBus({ log: silent }), db: test.db, site },
    model: model
      ? createOllama({ url: server.url, model: MODEL, context_tokens: context, fetch: outbound.fetch })
      : null,
    tenants: () => ['default'],
    access: { listPeople: async () => people as never },
    audit: { record: async () => {} },
    jobs: { define: () => {}, schedule: () => {} },
    recordQuestion: async (...entry) => void asked.push(entry),
  });
  return { answers, asked };
}
async function askSeen(answers: Answers, question: string, more: object = {}, signal?: AbortSignal) {
  const events: AnswerEvent[] = [];
  const at: number[] = [];
  const on = (event: AnswerEvent) => {
    events.push(event);
    at.push(performance.now());
  };
  const answer = await answers.ask(ADA, { question, ...more }, { on, ...(signal ? { signal } : {}) });
  return { answer, events, at, names: events.map(({ event }) => event) };
}
const claims = (...list: { text: string; quote: string; passage?: number }[]) =>
  JSON.stringify({ claims: list.map((one) => ({ passage: 1, ...one })) });
const FEE = 'The annual fee for a smart meter is 20 EUR per meter.';
const HOW_MUCH = 'How much is the annual fee for a smart meter?';
const rowsOf = (table: string, tenant = 'default') =>
  test.db.asTenant(tenant, (sql) => sql<Record<string, unknown>>(`select * from ${table}`));

let fees = '';
beforeEach(async () => {
  for (const tenant of ['default', 'other'])
    await test.db.asTenant(tenant, async (sql) => {
      for (const table of ['document', 'conversation', 'model_audit', 'model_eval_results'])
        await sql(`delete from ${table}`);
    });
  for (const id of texts.keys()) for (const tenant of ['default', 'other']) await index.remove(tenant, id);
  texts.clear();
  lines.length = 0;
  server.asked.length = 0;
  fees = await put('default', 'Grid Code of Luna City', FEES);
});

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
});
