/**
 * Collections of a Qdrant as files, and back (qdrant.tech/documentation/snapshots): the server makes a consistent archive
 * of each, which is fetched with its digest; on the way back the server compares the digest before it takes anything.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, openAsBlob } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InvalidDataError, UnavailableError } from '../../../engine/errors.ts';

export type Collections = { collections: string[] };
export type SnapshotOptions = {
  /** qdrant://host:6333, as for the passages. */
  url: string;
  /** Those whose name begins so; left out: those of the box. */
  prefix?: string;
};

const PREFIX = 'luna_passages';
const ENDING = '.snapshot';
/** A large collection on a slow disk. */
const DEADLINE_MS = 1_800_000;

/**
 * @param dir is made; one file a collection
 * @throws UnavailableError where the server does not answer, InvalidDataError where a file is not what it told
 */
export async function saveSnapshots({ url, prefix = PREFIX }: SnapshotOptions, dir: string): Promise<Collections> {
  const server = serverOf(url);
  await mkdir(dir, { recursive: true });
  const { collections } = await server.ask<{ collections: { name: string }[] }>('GET', '/collections');
  const names = collections.map(({ name }) => name).filter((name) => name.startsWith(prefix));
  for (const name of names) {
    const path = `/collections/${encodeURIComponent(name)}/snapshots`;
    const made = await server.ask<{ name: string; checksum?: string | null }>('POST', `${path}?wait=true`);
    const one = `${path}/${encodeURIComponent(made.name)}`;
    try {
      const answer = await server.fetch('GET', one);
      const digest = createHash('sha256');
      const body = Readable.from(passedOn(answer, digest));
      await pipeline(body, createWriteStream(join(dir, `${name}${ENDING}`), { flush: true }));
      const found = digest.digest('hex');
      if (made.checksum && made.checksum !== found)
        throw new InvalidDataError(
          `The snapshot of ${name} is not what Qdrant says it made (${found}).`,
          'Make the backup again.',
        );
    } finally {
      // It lies on the server's disk beside the data.
      await server.ask('DELETE', `${one}?wait=true`).catch(() => undefined);
    }
  }
  return { collections: names };
}

async function* passedOn(answer: Response, digest: ReturnType<typeof createHash>): AsyncGenerator<Uint8Array> {
  for await (const chunk of answer.body ?? []) {
    digest.update(chunk);
    yield chunk;
  }
}

/**
 * Puts in place of what the server holds what the files hold.
 * @returns the collections; none where the folder has no snapshots. @throws UnavailableError, also with what was refused
 */
export async function restoreSnapshots({ url }: SnapshotOptions, dir: string): Promise<Collections> {
  const server = serverOf(url);
  const files = await readdir(dir).catch(() => [] as string[]);
  const names = files.filter((file) => file.endsWith(ENDING)).map((file) => file.slice(0, -ENDING.length));
  for (const name of names) {
    const file = join(dir, `${name}${ENDING}`);
    const digest = createHash('sha256');
    for await (const chunk of createReadStream(file)) digest.update(chunk as Buffer);
    const form = new FormData();
    form.set('snapshot', await openAsBlob(file), `${name}${ENDING}`);
    const query = new URLSearchParams({ wait: 'true', priority: 'snapshot', checksum: digest.digest('hex') });
    await server.ask('POST', `/collections/${encodeURIComponent(name)}/snapshots/upload?${query}`, form);
  }
  return { collections: names };
}

function serverOf(text: string) {
  const { protocol, hostname, port, searchParams } = new URL(text);
  const base = `${protocol === 'qdrants:' ? 'https' : 'http'}://${hostname}:${port || '6333'}`;
  const key = searchParams.get('api_key');
  const ask = async (method: string, path: string, body?: FormData): Promise<Response> => {
    const answer = await fetch(base + path, {
      ...{ method, signal: AbortSignal.timeout(DEADLINE_MS), headers: key === null ? {} : { 'api-key': key } },
      ...(body ? { body } : {}),
    }).catch((cause: Error) => {
      throw new UnavailableError(`Qdrant does not answer (${cause.message}).`, 'Is it up?', { cause });
    });
    if (answer.ok) return answer;
    const said = (await answer.text()).slice(0, 300);
    throw new UnavailableError(`Qdrant answers ${answer.status}: ${said}`, 'See its log.');
  };
  return {
    fetch: ask,
    ask: async <Result>(method: string, path: string, body?: FormData) =>
      ((await (await ask(method, path, body)).json()) as { result: Result }).result,
  };
}
