/** One HTTP question to a provider, with a deadline, a size limit, and words for every way it can fail. */
import type { z } from 'zod';
import { InvalidDataError, NotAllowedError, UnavailableError } from '../../engine/errors.ts';
import type { HttpFetch, HttpResponse } from '../../engine/ports.ts';

/** What every provider can be told. `base_url` replaces the provider's own (mirrors, tests), `fetch` the global one. */
export type ProviderOptions = { base_url?: string; timeout_ms?: number; fetch?: HttpFetch };

export type Question = {
  /** The provider as people know it. */
  provider: string;
  url: string;
  signal: AbortSignal;
  via: Pick<ProviderOptions, 'timeout_ms' | 'fetch'>;
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
  /** HTTP statuses that are an answer here and no failure (404 = not published yet). */
  accept?: readonly number[];
};
export type Reply = { status: number; text: string };

const TIMEOUT_MS = 20_000;
const LIMIT_BYTES = 32 * 1024 * 1024;
const AGAIN = 'The box tries again by itself; check its way to the internet if this lasts.';

/**
 * Asks and reads the whole answer.
 * @throws UnavailableError when the provider is down, slow, limits us or refuses our credentials;
 * InvalidDataError for any other refusal.
 */
export async function ask(question: Question): Promise<Reply> {
  const { provider, url, via, accept = [] } = question;
  const deadline = AbortSignal.timeout(via.timeout_ms ?? TIMEOUT_MS);
  try {
    const response = await (via.fetch ?? fetch)(url, {
      method: question.method ?? 'GET',
      headers: { 'user-agent': 'luna-iems', ...question.headers },
      body: question.body,
      signal: AbortSignal.any([question.signal, deadline]),
    });
    const text = await readText(provider, response);
    if (response.ok || accept.includes(response.status)) return { status: response.status, text };
    throw refusal(provider, response, text);
  } catch (error) {
    if (error instanceof UnavailableError || error instanceof InvalidDataError) throw error;
    if (error instanceof NotAllowedError) throw new UnavailableError(error.message, error.remedy, { cause: error });
    throw new UnavailableError(`${provider} does not answer: ${reasonOf(error, deadline)}.`, AGAIN, { cause: error });
  }
}

async function readText(provider: string, response: HttpResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > LIMIT_BYTES) throw new InvalidDataError(`${provider} sends more than ${LIMIT_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function refusal(provider: string, response: HttpResponse, text: string): Error {
  const { status } = response;
  if (status === 429) {
    const after = response.headers.get('retry-after');
    return new UnavailableError(
      `${provider} limits our requests (HTTP 429${after ? `, again after ${after}` : ''}).`,
      'The box asks less often by itself.',
    );
  }
  if (status === 401 || status === 403)
    return new UnavailableError(
      `${provider} refuses our credentials (HTTP ${status}).`,
      'Check the token or account of this provider in the configuration.',
    );
  if (status >= 500 || status === 408) return new UnavailableError(`${provider} is down (HTTP ${status}).`, AGAIN);
  return new InvalidDataError(`${provider} refuses the request (HTTP ${status}): ${beginning(text)}`);
}

function reasonOf(error: unknown, deadline: AbortSignal): string {
  if (deadline.aborted) return 'it took too long';
  const { message, cause } = error as Error & { cause?: Error & { code?: string } };
  return cause?.code ?? cause?.message ?? message;
}

/** Decodes JSON and checks its shape. @throws InvalidDataError that names the first place that differs. */
export function decodeJson<T>(provider: string, text: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InvalidDataError(`${provider} answers with something that is no JSON: ${beginning(text)}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => ({ where: issue.path.join('.'), problem: issue.message }));
  throw new InvalidDataError(
    `${provider} answers in another shape than it documents: ${faults[0]?.where || 'body'}: ${faults[0]?.problem}.`,
    'A newer version of the box may know it.',
    faults.slice(0, 20),
  );
}

/** The first characters of an answer, fit for one line of a log. */
export function beginning(text: string): string {
  const line = text.slice(0, 80).replace(/\s+/g, ' ').trim();
  return line === '' ? 'an empty answer' : `\`${line}${text.length > 80 ? '…' : ''}\``;
}
