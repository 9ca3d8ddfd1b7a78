/** Devices that are asked over HTTP for JSON: one or more requests a round, each with a deadline. */
import type { LookupFunction } from 'node:net';
import { Agent, fetch as fetchWith } from 'undici';
import { InvalidDataError, NotAllowedError, UnavailableError } from '../../../engine/errors.ts';
import type { Connection } from '../../../engine/model/site.ts';
import type { Clock } from '../../../engine/ports.ts';
import type { PolledReading, PolledSource } from '../polled.ts';
import { parsePath, valueAt } from '../profile/json-path.ts';
import { createPayloadDecoder, parseDocument } from '../profile/payload.ts';
import type { Profile } from '../profile/profile.ts';
import type { HttpSpec } from '../profile/schema.ts';

export type HttpConnection = Extract<Connection, { kind: 'http' }>;

const DEADLINE_MS = 10_000;
const LARGEST_ANSWER_BYTES = 1024 * 1024;

/** Which addresses may be asked; both reject NotAllowedError. */
export type AddressGuard = {
  check(host: string, port: number): Promise<unknown>;
  lookup(port: number): LookupFunction;
};
export type HttpSourceOptions = {
  clock: Clock;
  deadline_ms?: number;
  /** Everywhere where left out. */
  addresses?: AddressGuard;
};

export function openHttpSource(profile: Profile, connection: HttpConnection, options: HttpSourceOptions): PolledSource {
  const { clock, deadline_ms = DEADLINE_MS } = options;
  if (!profile.http) throw new InvalidDataError(`${profile.name} is no HTTP profile.`, 'Choose another profile.');
  const http = profile.http;
  const base = baseUrl(connection.url);
  const headers = { accept: 'application/json', ...http.headers, ...authorization(http, connection.token) };
  const { ask, close } = createAsk(http, base, options.addresses);
  return {
    name: base,
    ...createHttpReader(http, clock, (path, signal) =>
      getPayload(ask, base + path, headers, AbortSignal.any([signal, AbortSignal.timeout(deadline_ms)]), signal),
    ),
    close,
  };
}

type Answer = { status: number; ok: boolean; body: AsyncIterable<unknown> | null };
type Ask = (
  url: string,
  init: { headers: Record<string, string>; signal: AbortSignal; redirect: 'error' },
) => Promise<Answer>;

/** A certificate of the device's own is not checked: what is asked stays secret, but from whom is not proven. */
function createAsk(
  { certificate }: HttpSpec,
  base: string,
  addresses?: AddressGuard,
): { ask: Ask; close(): Promise<void> } {
  if (certificate === 'public' && !addresses) return { ask: fetch, async close() {} };
  const { hostname, port: given, protocol } = new URL(base);
  const port = Number(given) || (protocol === 'https:' ? 443 : 80);
  const dispatcher = new Agent({
    connect: {
      rejectUnauthorized: certificate === 'public',
      ...(addresses ? { lookup: addresses.lookup(port) } : {}),
    },
  });
  return {
    async ask(url, init) {
      // An address in digits is connected to without a look-up.
      await addresses?.check(hostname, port);
      return fetchWith(url, { ...init, dispatcher });
    },
    close: () => dispatcher.close(),
  };
}

/** Reads as the profile says what `get` brings; knows no network, so that golden cases use the same code. */
export function createHttpReader(
  http: HttpSpec,
  clock: Clock,
  get: (path: string, signal: AbortSignal) => Promise<Buffer>,
): Pick<PolledSource, 'read'> {
  const requests = http.requests.map((spec) => ({ path: spec.path, decode: createPayloadDecoder(spec) }));
  let firmware: string | null | undefined;
  return {
    async read(signal) {
      const readings: PolledReading[] = [];
      for (const { path, decode } of requests) {
        const payload = await get(path, signal);
        for (const reading of decode(payload, clock.now())) readings.push({ ...reading, raw: String(reading.value) });
      }
      if (firmware === undefined && http.firmware)
        firmware = await readVersion(http.firmware, (path) => get(path, signal));
      return { readings, firmware: firmware ?? null, notes: [] };
    },
  };
}

/** `192.168.1.5` and `http://192.168.1.5/` are both `http://192.168.1.5`. @throws InvalidDataError */
export function baseUrl(text: string): string {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.username !== '')
    throw new InvalidDataError(`"${text}" is no address of a device.`, 'Give e.g. http://192.168.1.5.');
  return (url.origin + url.pathname).replace(/\/+$/, '');
}

function authorization({ auth }: HttpSpec, token: string | null): Record<string, string> {
  if (!token || auth === 'none') return {};
  if (auth === 'basic') return { authorization: `Basic ${Buffer.from(token, 'utf8').toString('base64')}` };
  return { authorization: `Bearer ${token}` };
}

async function readVersion(
  spec: NonNullable<HttpSpec['firmware']>,
  get: (path: string) => Promise<Buffer>,
): Promise<string | null> {
  try {
    const value = valueAt(parseDocument('json', await get(spec.request)), parsePath(spec.path));
    return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 64) : null;
  } catch {
    // The values came; the version is a nicety.
    return null;
  }
}

async function getPayload(
  ask: Ask,
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
  outer: AbortSignal,
): Promise<Buffer> {
  const { host } = new URL(url);
  try {
    // A meter does not send elsewhere; following a redirect would carry the token along.
    const response = await ask(url, { headers, signal, redirect: 'error' });
    if (response.status === 401 || response.status === 403)
      throw new NotAllowedError(
        `${host} asks for a token or does not accept the one given.`,
        'Enter the token of the device.',
        { words: { code: 'http_token', params: { host } } },
      );
    if (!response.ok)
      throw new UnavailableError(`${host} answers ${response.status} to ${new URL(url).pathname}.`, HINT, {
        words: { code: 'http_status', params: { host, status: String(response.status), path: new URL(url).pathname } },
      });
    return await limitedBody(response, host);
  } catch (error) {
    if (error instanceof UnavailableError || error instanceof NotAllowedError || error instanceof InvalidDataError)
      throw error;
    if (outer.aborted) throw new UnavailableError(`Reading ${host} was stopped.`);
    if (signal.aborted)
      throw new UnavailableError(`No answer from ${host} in time.`, 'Is it powered, is the address right?', {
        words: { code: 'http_no_answer', params: { host } },
      });
    const cause = (error as Error).cause as { code?: string; message?: string } | undefined;
    if (cause instanceof NotAllowedError) throw cause;
    const reason = cause?.code ?? cause?.message ?? (error as Error).message;
    throw new UnavailableError(`${host} cannot be reached (${reason}).`, HINT, {
      cause: error,
      words: { code: 'http_unreachable', params: { host, reason } },
    });
  }
}
const HINT = 'Is the address right, and is the local API switched on in the device?';

async function limitedBody(response: Answer, host: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += (chunk as Uint8Array).length;
    if (bytes > LARGEST_ANSWER_BYTES)
      throw new InvalidDataError(`${host} sends more than 1 MB; that is no meter.`, HINT);
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks);
}
