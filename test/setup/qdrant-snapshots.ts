/** The snapshots of the fake Qdrant: archives of a collection that are made, fetched, removed and uploaded. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

export type Snapshots = {
  /** @returns false where it is no request for snapshots */
  answer(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** Those that lie on the server. */
  names(): string[];
  /** The next archive arrives otherwise than it was made. */
  garble(): void;
};

/** @param dump what a collection holds, null where there is none; @param load puts it in place */
export function createSnapshots(
  dump: (collection: string) => string | null,
  load: (collection: string, text: string) => void,
): Snapshots {
  const kept = new Map<string, Buffer>();
  let garbled = false;
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

  async function uploaded(request: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = await new Response(Buffer.concat(chunks), {
      headers: { 'content-type': `${request.headers['content-type']}` },
    }).formData();
    return Buffer.from(await (form.get('snapshot') as File).arrayBuffer());
  }

  return {
    names: () => [...kept.keys()],
    garble: () => {
      garbled = true;
    },
    async answer(request, response) {
      const { pathname, searchParams } = new URL(`${request.url}`, 'http://fake');
      const [, collection = '', name = ''] = /^\/collections\/([\w-]+)\/snapshots(?:\/(.+))?$/.exec(pathname) ?? [];
      if (collection === '') return false;
      const send = (status: number, result: unknown) =>
        response
          .writeHead(status, { 'content-type': 'application/json' })
          .end(JSON.stringify({ result, status: 'ok' }));
      if (request.method === 'POST' && name === 'upload') {
        const bytes = await uploaded(request);
        if (searchParams.get('checksum') !== sha256(bytes) || searchParams.get('priority') !== 'snapshot')
          send(400, null);
        else {
          load(collection, bytes.toString('utf8'));
          send(200, true);
        }
      } else if (request.method === 'POST') {
        const text = dump(collection);
        if (text === null) send(404, null);
        else {
          const bytes = Buffer.from(text);
          const made = `${collection}-1-2026.snapshot`;
          kept.set(made, bytes);
          send(200, { name: made, size: bytes.length, checksum: sha256(bytes) });
        }
      } else if (request.method === 'GET') {
        const bytes = kept.get(name);
        if (!bytes) send(404, null);
        else response.writeHead(200).end(garbled ? bytes.subarray(1) : bytes);
      } else send(200, kept.delete(name));
      return true;
    },
  };
}
