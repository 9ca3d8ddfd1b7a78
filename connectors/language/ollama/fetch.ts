/**
 * The fetch that the client library works with. It adds what the library lacks: deadlines, a cancel that also works
 * before the headers are there, and faults that have a kind instead of a line on the console. Every line of a stream is
 * read here first, so that the library never meets one that is no JSON.
 */
import type { ModelError } from '../../../engine/errors.ts';
import type { HttpFetch, HttpResponse } from '../../../engine/ports.ts';
import { errorOfConnection, errorOfLine, errorOfStatus, modelError } from './faults.ts';

export type Deadlines = {
  /** Until the headers: a cold start loads the model first. */
  first_ms: number;
  /** Between two pieces of an answer. */
  idle_ms: number;
  total_ms: number;
};
export type OllamaFetchOptions = {
  fetch: HttpFetch;
  deadlines: Deadlines;
  signal: AbortSignal;
  /** Told the first fault, which the library may wrap or swallow. */
  onFault?: (error: ModelError) => void;
};

const MOST_SAID_BYTES = 4096;
const LONGEST_LINE = 4 * 1024 ** 2;

export function createOllamaFetch({ fetch, deadlines, signal, onFault }: OllamaFetchOptions): typeof globalThis.fetch {
  const tell = (error: ModelError): ModelError => {
    onFault?.(error);
    return error;
  };
  return async (input, init = {}) => {
    const watch = createWatch(deadlines, signal, init.signal ?? undefined);
    try {
      const response = await fetch(String(input), {
        ...(init.method ? { method: init.method } : {}),
        headers: { ...(init.headers as Record<string, string>) },
        ...(typeof init.body === 'string' ? { body: init.body } : {}),
        signal: watch.signal,
        redirect: 'error',
      });
      watch.alive();
      if (!response.ok) throw errorOfStatus(response.status, await saidIn(response));
      const type = response.headers.get('content-type') ?? 'application/json';
      const body = /ndjson/.test(type) ? checkedLines(response, watch, tell) : bytesOf(response, watch, tell);
      return new Response(body, { status: response.status, headers: { 'content-type': type } });
    } catch (error) {
      watch.end();
      throw tell(watch.fault() ?? errorOfConnection(error, false));
    }
  };
}

type Watch = {
  signal: AbortSignal;
  /** A piece has come: the next may take `idle_ms`. */
  alive(): void;
  /** Which deadline or cancel ended it; null where it was something else. */
  fault(): ModelError | null;
  end(): void;
};

function createWatch({ first_ms, idle_ms, total_ms }: Deadlines, ...signals: (AbortSignal | undefined)[]): Watch {
  const own = new AbortController();
  let fault: ModelError | null = null;
  const stop = (error: ModelError) => {
    fault ??= error;
    own.abort();
  };
  const cancel = () => stop(modelError('cancelled', 'The answer was stopped.'));
  for (const signal of signals) {
    if (signal?.aborted) cancel();
    else signal?.addEventListener('abort', cancel, { once: true, signal: own.signal });
  }
  const waited = (ms: number) => `${Math.round(ms / 100) / 10} s`;
  let timer = setTimeout(
    () => stop(modelError('no_answer', `Ollama gave no answer within ${waited(first_ms)}.`)),
    first_ms,
  );
  const total = setTimeout(
    () => stop(modelError('stalled', `Ollama did not finish within ${waited(total_ms)}.`)),
    total_ms,
  );
  return {
    signal: own.signal,
    alive() {
      clearTimeout(timer);
      timer = setTimeout(
        () => stop(modelError('stalled', `Ollama said nothing more for ${waited(idle_ms)}.`)),
        idle_ms,
      );
    },
    fault: () => fault,
    end() {
      clearTimeout(timer);
      clearTimeout(total);
      own.abort();
    },
  };
}

async function saidIn(response: HttpResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MOST_SAID_BYTES) break;
  }
  const text = Buffer.concat(chunks).subarray(0, MOST_SAID_BYTES).toString('utf8').trim();
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === 'string' ? error : text.slice(0, 300);
  } catch {
    return text.slice(0, 300);
  }
}

type Tell = (error: ModelError) => ModelError;

/** JSON lines, checked; ends with an error where the last one does not say that it is the last. */
function checkedLines(response: HttpResponse, watch: Watch, tell: Tell): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  async function* lines(): AsyncGenerator<Uint8Array> {
    let done = false;
    for await (const line of linesOf(piecesOf(response, watch))) {
      const { error, done: last, status } = parseLine(line);
      if (error !== undefined) throw errorOfLine(String(error));
      yield encoder.encode(`${line}\n`);
      done = last === true || status === 'success';
      if (done) break;
    }
    if (!done) throw modelError('cut_off', 'The answer of Ollama ended before its end.');
  }
  return streamOf(lines(), watch, tell);
}

function bytesOf(response: HttpResponse, watch: Watch, tell: Tell): ReadableStream<Uint8Array> {
  return streamOf(piecesOf(response, watch), watch, tell);
}

async function* piecesOf(response: HttpResponse, watch: Watch): AsyncGenerator<Uint8Array> {
  for await (const piece of response.body ?? []) {
    watch.alive();
    yield piece;
  }
}

/** A sign may be split between two pieces; bytes that make none are a fault. */
async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const piece of pieces) {
    rest += decoded(decoder, piece);
    if (rest.length > LONGEST_LINE) throw modelError('garbled', 'Ollama sent a line that does not end.');
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line.trim() !== '');
  }
  rest += decoded(decoder);
  if (rest.trim() !== '') yield rest;
}

function decoded(decoder: InstanceType<typeof TextDecoder>, piece?: Uint8Array): string {
  try {
    return piece ? decoder.decode(piece, { stream: true }) : decoder.decode();
  } catch (error) {
    throw modelError('garbled', 'Ollama sent bytes that are no UTF-8.', error);
  }
}

function parseLine(line: string): { error?: unknown; done?: unknown; status?: unknown } {
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  } catch {
    // Told below, with what did come.
  }
  throw modelError('garbled', `Ollama sent a line that is no JSON: ${line.slice(0, 80)}`);
}

function streamOf(pieces: AsyncGenerator<Uint8Array>, watch: Watch, tell: Tell): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await pieces.next();
        if (!done) return controller.enqueue(value);
        watch.end();
        controller.close();
      } catch (error) {
        watch.end();
        controller.error(tell(watch.fault() ?? errorOfConnection(error, true)));
      }
    },
    cancel() {
      watch.end();
    },
  });
}
