/**
 * The passage index in Qdrant: one collection for all tenants, who are kept apart by a filter that every call carries
 * by construction. Words are ranked by sparse BM25; how rare a word is Qdrant counts over the whole collection.
 */
import { createHash } from 'node:crypto';
import { QdrantClient } from '@qdrant/js-client-rest';
import { ConfigError, InvalidDataError, UnavailableError } from '../../../engine/errors.ts';
import type { Passage, PassageIndex } from '../../../engine/ports.ts';
import { createSparse } from './sparse.ts';

const COLLECTION = 'luna_passages';
const VECTOR = 'bm25';
const TIMEOUT_MS = 10_000;
const BATCH = 200;

export type QdrantOptions = {
  /** qdrant://host:6333, or qdrants:// for TLS; `?api_key=…` where the server asks for one. */
  url: string;
  collection?: string;
};
type Condition = { key: string; match: { value: string } };

/** Makes the collection when it is first written. @throws ConfigError for an address that is none */
export function createQdrantPassages({ url, collection = COLLECTION }: QdrantOptions): PassageIndex {
  const client = clientOf(url);
  const sparse = createSparse();
  let made: Promise<void> | null = null;

  /** Nothing is asked of the collection but through this: the tenant is in every filter and every point. */
  function pointsOf(tenant: string) {
    if (tenant === '') throw new InvalidDataError('No tenant was named.', 'Name whose passages are meant.');
    const own: Condition = { key: 'tenant', match: { value: tenant } };
    return {
      upsert: (passages: readonly Passage[]) =>
        client.upsert(collection, {
          wait: true,
          points: passages.map((passage) => ({
            id: pointId(tenant, passage.id),
            vector: { [VECTOR]: sparse.ofPassage(passage) },
            payload: { tenant, document: passage.document, version: passage.version, passage },
          })),
        }),
      remove: (must: readonly Condition[], must_not: readonly Condition[] = []) =>
        client.delete(collection, { wait: true, filter: { must: [own, ...must], must_not: [...must_not] } }),
      query: (question: string, limit: number) =>
        client.query(collection, {
          ...{ query: sparse.ofQuestion(question), using: VECTOR, limit, with_payload: ['passage'] },
          filter: { must: [own] },
        }),
    };
  }

  function ready(): Promise<void> {
    made ??= makeCollection(client, collection).catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  }

  return {
    async add(tenant, passages) {
      const points = pointsOf(tenant);
      const distinct = [...new Map(passages.map((one) => [one.id, one])).values()];
      if (distinct.length === 0) return;
      await answered(async () => {
        await ready();
        for (let at = 0; at < distinct.length; at += BATCH) await points.upsert(distinct.slice(at, at + BATCH));
        const versions = new Map(distinct.map(({ document, version }) => [document, version]));
        for (const [document, version] of versions)
          await points.remove([matching('document', document)], [matching('version', version)]);
      });
    },
    async remove(tenant, document) {
      const points = pointsOf(tenant);
      await answered(async () => {
        await ready();
        await points.remove([matching('document', document)]);
      });
    },
    async search(tenant, asked, limit) {
      const question = typeof asked === 'string' ? asked : asked.text;
      const points = pointsOf(tenant);
      if (limit <= 0 || sparse.ofQuestion(question).indices.length === 0) return [];
      return answered(async () => {
        await ready();
        const found = await points.query(question, limit);
        return found.points.map(({ payload, score }) => ({ passage: payload?.passage as Passage, score }));
      });
    },
    async close() {},
  };
}

const matching = (key: string, value: string): Condition => ({ key, match: { value } });

function clientOf(text: string): QdrantClient {
  if (!/^qdrants?:\/\//.test(text) || !URL.canParse(text))
    throw new ConfigError('passages is no address of a Qdrant.', 'Write qdrant://host:6333.');
  const { protocol, hostname, port, searchParams } = new URL(text);
  const scheme = protocol === 'qdrants:' ? 'https' : 'http';
  const apiKey = searchParams.get('api_key');
  return new QdrantClient({
    ...{ url: `${scheme}://${hostname}:${port || '6333'}`, timeout: TIMEOUT_MS, checkCompatibility: false },
    ...(apiKey === null ? {} : { apiKey }),
  });
}

/** Safe to do twice, and by two boxes at once. `is_tenant` lets Qdrant lay a tenant's points beside each other. */
async function makeCollection(client: QdrantClient, collection: string): Promise<void> {
  if (!(await client.collectionExists(collection)).exists)
    await client
      .createCollection(collection, { sparse_vectors: { [VECTOR]: { modifier: 'idf' } } })
      .catch(async (error: unknown) => {
        if (!(await client.collectionExists(collection)).exists) throw error;
      });
  const tenant = { type: 'keyword' as const, is_tenant: true };
  await client.createPayloadIndex(collection, { field_name: 'tenant', field_schema: tenant, wait: true });
  for (const field_name of ['document', 'version'])
    await client.createPayloadIndex(collection, { field_name, field_schema: 'keyword', wait: true });
}

/** Points have UUIDs. The same passage of the same tenant always has the same. */
function pointId(tenant: string, passage: string): string {
  const hex = createHash('sha256')
    .update(JSON.stringify([tenant, passage]))
    .digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { status, message } = cause as { status?: number; message: string };
    const why = status === undefined ? message : `${status}`;
    throw new UnavailableError(`Qdrant does not answer as it should (${why}).`, 'Is it up, and its key right?', {
      cause,
    });
  }
}
