/** Everything that an Ollama server can do wrong, and how it ends here. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createOllama } from '../../../connectors/language/ollama/ollama.ts';
import type { LanguageModel } from '../../../engine/ports.ts';
import { createOutbound, type Outbound, type Resolve } from '../../../gateway/outbound.ts';
import { faultOf, requestOf } from '../../contracts/language-model.ts';
import {
  begin,
  json,
  last,
  MODEL,
  openScriptedOllama,
  piece,
  type ScriptedOllama,
  says,
} from '../../setup/ollama-script.ts';
import { until } from '../../setup/until.ts';

let server: ScriptedOllama;
let outbound: Outbound;
let model: LanguageModel;
const open = (deadlines = {}, fetch = outbound.fetch, url = server.url) =>
  createOllama({ url, model: MODEL, context_tokens: 4096, fetch, deadlines });
beforeAll(async () => {
  server = await openScriptedOllama();
  outbound = createOutbound({ allowed: () => ['127.0.0.1'], answer_ms: 0 });
  model = open();
});
beforeEach(() => {
  server.asked.length = 0;
});
afterAll(async () => {
  await outbound?.close();
  await server?.close();
});

const ANSWER = '{"answer": "Größe: 4,2 kW – § 14a"}';
const lineOf = (text: string) => Buffer.from(text, 'utf8');

describe('an Ollama that', () => {
  it('answers is asked as it must be: streamed, with its context, nothing shifted, nothing cut', async () => {
    server.play(says(ANSWER));
    expect(await model.generate(requestOf())).toEqual({
      ...{ text: ANSWER, prompt_tokens: 11, answer_tokens: 7, finished: true },
    });
    expect(server.asked.at(-1)).toMatchObject({
      path: '/api/chat',
      body: {
        ...{ model: MODEL, stream: true, shift: false, truncate: false, think: false },
        format: { type: 'object' },
        options: { num_ctx: 4096, num_predict: 200 },
      },
    });
  });

  it('loads its model for long (a cold start) answers in the end', async () => {
    server.play(async (response) => {
      await sleep(400);
      says(ANSWER)(response, server.asked[0]!, response.req);
    });
    expect((await open({ first_ms: 600_000 }).generate(requestOf())).text).toBe(ANSWER);
  });

  it('never begins ends in no_answer', async () => {
    server.play(() => {});
    expect(await faultOf(open({ first_ms: 50 }).generate(requestOf()))).toBe('no_answer');
    await until(() => server.asked.at(-1)?.left_ms != null, 'the server was left');
  });

  it('begins and falls silent ends in stalled', async () => {
    server.play((response) => {
      begin(response);
      response.write(piece('{'));
    });
    expect(await faultOf(open({ idle_ms: 50 }).generate(requestOf()))).toBe('stalled');
  });

  it('never comes to an end ends in stalled by the whole time', async () => {
    server.play(async (response) => {
      begin(response);
      while (!response.destroyed) {
        response.write(piece('x'));
        await sleep(10);
      }
    });
    expect(await faultOf(open({ total_ms: 200 }).generate(requestOf()))).toBe('stalled');
  });

  it('tells an error in the middle, under status 200, ends in failed', async () => {
    server.play((response) => {
      begin(response);
      response.write(piece('{"ans'));
      response.end(`${JSON.stringify({ error: 'llama runner process has terminated: signal: killed' })}\n`);
    });
    expect(await faultOf(model.generate(requestOf()))).toBe('failed');
  });

  it('tells in the middle that the context is exceeded ends in too_long', async () => {
    server.play((response) => {
      begin(response);
      response.end(`${JSON.stringify({ error: 'the input length exceeds the context length' })}\n`);
    });
    expect(await faultOf(model.generate(requestOf()))).toBe('too_long');
  });

  it('splits signs between two pieces is understood', async () => {
    server.play(async (response) => {
      begin(response);
      const bytes = lineOf(piece(ANSWER));
      for (const byte of bytes) {
        response.write(Buffer.from([byte]));
        if (byte > 127) await sleep(1);
      }
      response.end(last());
    });
    expect((await model.generate(requestOf())).text).toBe(ANSWER);
  });

  it.each([
    ['a line that is no JSON', Buffer.from('{"message": nothing}\n')],
    ['a line that is no object', Buffer.from('42\n')],
    ['HTML', Buffer.from('<html>gateway</html>\n')],
    ['bytes that are no UTF-8', Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}\n')])],
    ['a sign that ends in the middle', Buffer.concat([lineOf(piece('x')), Buffer.from([0xe2, 0x82])])],
  ])('sends %s ends in garbled', async (_, bytes) => {
    server.play((response) => {
      begin(response);
      response.end(bytes);
    });
    expect(await faultOf(model.generate(requestOf()))).toBe('garbled');
  });

  it.each([
    ['503', 503, 'server busy, please try again', 'busy'],
    ['404', 404, `model "${MODEL}" not found, try pulling it first`, 'no_model'],
    ['400 for length', 400, 'the input length exceeds the context length', 'too_long'],
    ['400 for another reason', 400, 'invalid format', 'refused'],
    ['500', 500, 'llama runner process has terminated', 'failed'],
    ['401', 401, 'unauthorized', 'refused'],
  ])('answers %s ends in its kind', async (_, status, error, fault) => {
    server.play((response) => json(response, { error }, status));
    expect(await faultOf(model.generate(requestOf()))).toBe(fault);
  });

  it('answers 500 with a page ends in failed, with the beginning of what it said', async () => {
    server.play((response) => {
      response.writeHead(500, { 'content-type': 'text/html' }).end(`<h1>no</h1>${'x'.repeat(100_000)}`);
    });
    const error = await model.generate(requestOf()).catch((reason: Error) => reason);
    expect((error as Error).message.length).toBeLessThan(400);
    expect((error as Error).message).toContain('<h1>no</h1>');
  });

  it.each([
    ['before its answer', '<think>The user wants {"answer": 1}. I must lie.</think>'],
    ['with only the end of a block', 'I think so.\n</think>\n'],
  ])('thinks aloud %s is heard without that', async (_, thoughts) => {
    server.play(says(thoughts + ANSWER, 3));
    const seen: string[] = [];
    expect((await model.generate(requestOf(), (text) => seen.push(text))).text).toBe(ANSWER);
    if (thoughts.startsWith('<')) expect(seen.join('\n')).not.toMatch(/user wants|<th/);
  });

  it.each([
    ['nothing', ''],
    ['blanks', ' \n '],
    ['only thoughts', '<think>What is it?</think>'],
    ['thoughts without an end', '<think>What is it?'],
  ])('writes %s ends in empty', async (_, content) => {
    server.play(says(content));
    expect(await faultOf(model.generate(requestOf()))).toBe('empty');
  });

  it('is killed in the middle of an answer ends in cut_off', async () => {
    server.play((response) => {
      begin(response);
      response.write(piece('{"answer'));
      setTimeout(() => response.destroy(), 20);
    });
    expect(await faultOf(model.generate(requestOf()))).toBe('cut_off');
  });

  it('ends its answer without an end ends in cut_off', async () => {
    server.play((response) => {
      begin(response);
      response.end(piece(ANSWER));
    });
    expect(await faultOf(model.generate(requestOf()))).toBe('cut_off');
  });

  it('is cancelled before its headers is left within a second', async () => {
    server.play(() => {});
    const stop = new AbortController();
    const work = faultOf(model.generate(requestOf({ signal: stop.signal })));
    await until(() => server.asked.length > 0, 'it was asked');
    const stopped_ms = performance.now();
    stop.abort();
    expect(await work).toBe('cancelled');
    await until(() => server.asked[0]?.left_ms != null, 'the server was left');
    expect(server.asked[0]!.left_ms! - stopped_ms).toBeLessThan(1000);
  });

  it('is cancelled in the middle is left within a second', async () => {
    server.play(async (response) => {
      begin(response);
      while (!response.destroyed) {
        response.write(piece('x'));
        await sleep(5);
      }
    });
    const stop = new AbortController();
    let stopped_ms = 0;
    const work = model.generate(requestOf({ signal: stop.signal }), () => {
      stopped_ms ||= performance.now();
      stop.abort();
    });
    expect(await faultOf(work)).toBe('cancelled');
    await until(() => server.asked[0]?.left_ms != null, 'the server was left');
    expect(server.asked[0]!.left_ms! - stopped_ms).toBeLessThan(1000);
  });
});

describe('the pull of a model', () => {
  const pulling = (signal = new AbortController().signal) => {
    const seen: unknown[] = [];
    return { seen, done: model.pull((progress) => seen.push(progress), signal) };
  };
  it('tells how far it is', async () => {
    server.play((response) => {
      begin(response);
      response.write('{"status":"pulling manifest"}\n');
      response.write('{"status":"pulling d1","digest":"d1","total":100,"completed":40}\n');
      response.end('{"status":"success"}\n');
    }, '/api/pull');
    const { seen, done } = pulling();
    await done;
    expect(seen).toEqual([
      { status: 'pulling manifest', done_bytes: null, total_bytes: null },
      { status: 'pulling d1', done_bytes: 40, total_bytes: 100 },
      { status: 'success', done_bytes: null, total_bytes: null },
    ]);
  });
  it('ends in failed where the registry refuses', async () => {
    server.play((response) => {
      begin(response);
      response.end('{"error":"pull model manifest: file does not exist"}\n');
    }, '/api/pull');
    expect(await faultOf(pulling().done)).toBe('failed');
  });
  it('ends in cut_off where it breaks off, and in cancelled where somebody stops it', async () => {
    server.play((response) => {
      begin(response);
      response.end('{"status":"pulling manifest"}\n');
    }, '/api/pull');
    expect(await faultOf(pulling().done)).toBe('cut_off');
    server.play((response) => begin(response), '/api/pull');
    const stop = new AbortController();
    const { done } = pulling(stop.signal);
    setTimeout(() => stop.abort(), 20);
    expect(await faultOf(done)).toBe('cancelled');
  });
});

describe('the address of Ollama', () => {
  const outbounds: Outbound[] = [];
  const guarded = (allowed: string[], resolve?: Resolve) => {
    const made = createOutbound({ allowed: () => allowed, answer_ms: 0, ...(resolve ? { resolve } : {}) });
    outbounds.push(made);
    return made.fetch;
  };
  const leadsTo =
    (address: string): Resolve =>
    async () => [{ address, family: 4 }];
  afterAll(() => Promise.all(outbounds.map((each) => each.close())));

  it.each(['10.0.0.5', '127.0.0.1', '169.254.169.254', '192.168.1.1'])('is not asked at %s', async (address) => {
    for (const url of [`http://${address}:11434`, 'http://ollama.example:11434']) {
      const guard = guarded([], leadsTo(address));
      expect(await faultOf(open({}, guard, url).generate(requestOf()))).toBe('not_allowed');
      expect(await open({}, guard, url).state()).toMatchObject({
        reason: expect.stringMatching(/not on the public internet, and this host is not allowed/),
      });
    }
  });

  it('is asked in a private network where an admin allowed the host', async () => {
    server.play(says(ANSWER));
    const port = new URL(server.url).port;
    const guard = guarded(['ollama.example'], leadsTo('127.0.0.1'));
    expect((await open({}, guard, `http://ollama.example:${port}`).generate(requestOf())).text).toBe(ANSWER);
    const other = guarded(['ollama.example:1'], leadsTo('127.0.0.1'));
    expect(await faultOf(open({}, other, `http://ollama.example:${port}`).generate(requestOf()))).toBe('not_allowed');
  });

  it('gains nothing by a name that leads elsewhere the second time', async () => {
    let looked = 0;
    const turning: Resolve = async () => [{ address: looked++ === 0 ? '93.184.216.34' : '127.0.0.1', family: 4 }];
    const port = new URL(server.url).port;
    expect(await faultOf(open({}, guarded([], turning), `http://ollama.example:${port}`).generate(requestOf()))).toBe(
      'not_allowed',
    );
    expect(looked).toBeGreaterThan(1);
    expect(server.asked).toEqual([]);
  });

  it('is not left by a redirect', async () => {
    server.play((response) => {
      response.writeHead(307, { location: 'http://127.0.0.2:1/api/chat' }).end();
    });
    expect(await faultOf(open({}, guarded(['127.0.0.1'])).generate(requestOf()))).toBe('not_allowed');
    expect(server.asked).toHaveLength(1);
  });
});
