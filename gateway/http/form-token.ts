/** The CSRF token of a multipart form, read before the file behind it is taken. */
import { Busboy, type BusboyConfig, type BusboyHeaders } from '@fastify/busboy';
import type { Context } from 'hono';
import type { Env } from './api.ts';

/** What may stand before the token: short fields. */
const PEEK_BYTES = 256 * 1024;

/** `token`, or why there is none: `late` where a file comes before it. */
export type PeekedToken = { token: string } | { token: null; late: boolean };

/**
 * Reads the body up to its field `_csrf` and no further than to the first file; whoever reads the body afterwards gets
 * all of it. Never rejects for a malformed form.
 */
export async function peekFormToken(c: Context<Env>): Promise<PeekedToken> {
  const { body } = c.req.raw;
  const looking = lookForToken(c.req.header('content-type') ?? '');
  if (!body || !looking) return { token: null, late: false };
  const reader = body.getReader();
  const seen: Uint8Array[] = [];
  let found: PeekedToken | null = null;
  for (let length = 0; !found && length < PEEK_BYTES; ) {
    const { done, value } = await reader.read();
    if (done) found = await looking.end();
    else {
      seen.push(value);
      length += value.length;
      found = await looking.add(value);
    }
  }
  c.req.raw = new Request(c.req.raw, { body: replayed(seen, reader), duplex: 'half' } as RequestInit);
  return found ?? { token: null, late: true };
}

/** What was read already, then the rest as it arrives. */
function replayed(seen: Uint8Array[], reader: ReadableStreamDefaultReader<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = seen.shift();
        const { done, value } = piece ? { done: false, value: piece } : await reader.read();
        if (done) controller.close();
        else controller.enqueue(value as Uint8Array);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

type Looking = { add(bytes: Uint8Array): Promise<PeekedToken | null>; end(): Promise<PeekedToken> };

/** @returns null where the type names no form that can be taken apart */
function lookForToken(type: string): Looking | null {
  let found: PeekedToken | null = null;
  let tokenBegun = false;
  let wake = () => {};
  const settled = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const settle = (outcome: PeekedToken) => {
    found ??= outcome;
    wake();
  };
  // Asked at the head of each part, in order; the events of fields come later than those of the files behind them.
  const isPartAFile = (name: string | undefined, part: string | undefined, file: string | undefined) => {
    const isFile = file !== undefined || part === 'application/octet-stream';
    if (isFile && !tokenBegun) settle({ token: null, late: true });
    tokenBegun ||= name === '_csrf' && !isFile;
    return isFile;
  };
  const parser = openParser(type, isPartAFile);
  parser?.on('field', (name, value) => name === '_csrf' && settle({ token: value }));
  parser?.on('file', (_name, stream) => stream.resume());
  for (const end of ['error', 'finish'] as const) parser?.on(end, () => settle({ token: null, late: false }));
  if (!parser) return null;
  return {
    async add(bytes) {
      const taken = new Promise<void>((resolve) => parser.write(Buffer.from(bytes), () => setImmediate(resolve)));
      await Promise.race([taken, settled]);
      return found;
    },
    async end() {
      parser.end();
      await settled;
      return found as unknown as PeekedToken;
    },
  };
}

function openParser(type: string, isPartAFile: BusboyConfig['isPartAFile']): InstanceType<typeof Busboy> | null {
  const headers = { 'content-type': type } as BusboyHeaders;
  try {
    return new Busboy({ headers, isPartAFile, limits: { fieldSize: 1024, parts: 30 } } as BusboyConfig);
  } catch {
    return null;
  }
}
