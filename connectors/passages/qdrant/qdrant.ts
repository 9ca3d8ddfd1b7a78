/**
 * The passage index in Qdrant: one collection for all tenants, who are kept apart by a filter that every call carries
 * by construction. Words are ranked by sparse BM25; how rare a word is Qdrant counts over the whole collection.
 */
import { createHash, randomUUID } from 'node:crypto';
import { QdrantClient } from '@qdrant/js-client-rest';
import { ConfigError, InvalidDataError, UnavailableError } from '../../../engine/errors.ts';
import type { Passage, PassageIndex, PassageNotes, PassageQuery } from '../../../engine/ports.ts';
import { fuse } from '../../../engine/rag/fusion.ts';
import { createSparse } from './sparse.ts';

const COLLECTION = 'luna_passages';
const WORDS = 'bm25';
const MEANING = 'meaning';
const TIMEOUT_MS = 10_000;
const BATCH = 200;
/** Of each kind of nearness this many are fetched and compared. */
const CANDIDATES = 100;
/** Scores of words over this hold a place that the question names (sparse.ts). */
const NAMES_A_PLACE = 500;

export type QdrantOptions = {
  /** qdrant://host:6333, or qdrants:// for TLS; `?api_key=…` where the server asks for one. */
  url: string;
  collection?: string;
};
type Condition = { key: string; match: { value: string | boolean } };
type Filter = { must: (Condition | { should: { must: Condition[] }[] })[]; must_not?: Condition[] };
type Found = { passage: Passage; words: number; meaning: number | null; named: number };

/** Makes a collection when it is first written: one for words only, one for each length of vectors.
 * @throws ConfigError for an address that is none */
export function createQdrantPassages({ url, collection = COLLECTION }: QdrantOptions): PassageIndex {
  const client = clientOf(url);
  const sparse = createSparse();
  const made = new Map<string, Promise<void>>();
  let known: Promise<Set<string>> | null = null;

  /** Those that exist, of this box's name. */
  function collections(): Promise<Set<string>> {
    known ??= client.getCollections().then(
      ({ collections: all }) =>
        new Set(
          all.map(({ name }) => name).filter((name) => name === collection || name.startsWith(`${collection}_v`)),
        ),
      (error: unknown) => {
        known = null;
        throw error;
      },
    );
    return known;
  }

  function ready(name: string, dimensions: number | null): Promise<void> {
    const begun = made.get(name) ?? makeCollection(client, name, dimensions);
    made.set(name, begun);
    begun.catch(() => made.delete(name));
    return begun;
  }

  /** Nothing is asked of a collection but through this: the tenant is in every filter and every point. */
  function pointsOf(tenant: string, name: string) {
    if (tenant === '') throw new InvalidDataError('No tenant was named.', 'Name whose passages are meant.');
    const own = matching('tenant', tenant);
    const filterOf = (must: Filter['must'], must_not: Condition[] = []): Filter => ({ must: [own, ...must], must_not });
    return {
      upsert: (passages: readonly Passage[], vectors: readonly (Float32Array | null)[], load: string) =>
        client.upsert(name, {
          wait: true,
          points: passages.map((passage, i) => ({
            id: pointId(tenant, passage.id),
            vector: { [WORDS]: sparse.ofPassage(passage), ...meaningOf(vectors[i]) },
            payload: { tenant, document: passage.document, version: passage.version, current: true, load, passage },
          })),
        }),
      remove: (must: Condition[], must_not: Condition[] = []) =>
        client.delete(name, { wait: true, filter: filterOf(must, must_not) }),
      outdate: (document: string, version: string) =>
        client.setPayload(name, {
          ...{ wait: true, payload: { current: false } },
          filter: filterOf([matching('document', document)], [matching('version', version)]),
        }),
      /** Both kinds of nearness for all that either finds; the tenant stands in every prefetch. */
      async query({ text, vector, weight = 0, versions }: PassageQuery, limit: number): Promise<Found[]> {
        const filter = filterOf([answering(versions)]);
        const most = Math.max(CANDIDATES, limit);
        const words = { query: sparse.ofQuestion(text), using: WORDS };
        const hasWords = words.query.indices.length > 0;
        const dense = vector && weight > 0 && name !== collection ? { query: [...vector], using: MEANING } : null;
        const kinds = [...(hasWords ? [words] : []), ...(dense ? [dense] : [])];
        const prefetch = kinds.map((kind) => ({ ...kind, filter, limit: most }));
        const searches = kinds.map((kind) => ({
          ...{ ...kind, filter, limit: kinds.length * most, with_payload: ['passage'] },
          ...(kinds.length > 1 ? { prefetch } : {}),
        }));
        const answers = searches.length > 0 ? await client.queryBatch(name, { searches }) : [];
        return joined(answers.map(({ points }, i) => ({ kind: kinds[i]?.using ?? WORDS, points })));
      },
      near: (vector: Float32Array, limit: number, exact: boolean) =>
        client.query(name, {
          ...{ query: [...vector], using: MEANING, limit, with_payload: false, params: { exact } },
          filter: filterOf([answering(undefined)]),
        }),
    };
  }

  async function addTo(tenant: string, passages: readonly Passage[], { vectors = [] }: PassageNotes): Promise<void> {
    const distinct = [...new Map(passages.map((one, i) => [one.id, { one, vector: vectors[i] ?? null }])).values()];
    const dimensions = distinct.find(({ vector }) => vector)?.vector?.length ?? null;
    const name = dimensions === null ? collection : `${collection}_v${dimensions}`;
    const load = randomUUID();
    await ready(name, dimensions);
    const points = pointsOf(tenant, name);
    for (let at = 0; at < distinct.length; at += BATCH) {
      const some = distinct.slice(at, at + BATCH);
      await points.upsert(
        some.map(({ one }) => one),
        some.map(({ vector }) => vector),
        load,
      );
    }
    const versions = new Map(distinct.map(({ one }) => [`${one.document} ${one.version}`, one]));
    for (const { document, version } of versions.values()) {
      await points.outdate(document, version);
      const same = [matching('document', document), matching('version', version)];
      await points.remove(same, [matching('load', load)]);
      for (const other of await collections())
        if (other !== name) {
          await pointsOf(tenant, other).remove(same);
          await pointsOf(tenant, other).outdate(document, version);
        }
    }
    (await collections()).add(name);
  }

  return {
    async add(tenant, passages, notes = {}) {
      pointsOf(tenant, collection);
      if (passages.length > 0) await answered(() => addTo(tenant, passages, notes));
    },
    async remove(tenant, document, version) {
      pointsOf(tenant, collection);
      const must = [matching('document', document), ...(version === undefined ? [] : [matching('version', version)])];
      await answered(async () => {
        for (const name of await collections()) await pointsOf(tenant, name).remove(must);
      });
    },
    async search(tenant, asked, limit) {
      pointsOf(tenant, collection);
      const query = typeof asked === 'string' ? { text: asked } : asked;
      if (limit <= 0) return [];
      return answered(async () => {
        const found: Found[] = [];
        for (const name of await collections()) found.push(...(await pointsOf(tenant, name).query(query, limit)));
        return fuse(found, query.weight ?? 0)
          .filter(({ score }) => score > 0)
          .slice(0, limit);
      });
    },
    async recall(tenant, questions, limit) {
      const shares: number[] = [];
      await answered(async () => {
        for (const name of await collections()) {
          const fitting = questions.filter(({ length }) => name === `${collection}_v${length}`);
          for (const vector of fitting) shares.push(await recallOf(pointsOf(tenant, name), vector, limit));
        }
      });
      return shares.length === 0 ? null : shares.reduce((sum, share) => sum + share, 0) / shares.length;
    },
    async close() {},
  };
}

type Near = { near(vector: Float32Array, limit: number, exact: boolean): Promise<{ points: { id: unknown }[] }> };

async function recallOf(points: Near, vector: Float32Array, limit: number): Promise<number> {
  const [truth, found] = [await points.near(vector, limit, true), await points.near(vector, limit, false)];
  const ids = new Set(found.points.map(({ id }) => id));
  return truth.points.filter(({ id }) => ids.has(id)).length / Math.max(1, truth.points.length);
}

function meaningOf(vector: Float32Array | null | undefined): Record<string, number[]> {
  return vector ? { [MEANING]: [...vector] } : {};
}

/** The version that came last, or those that were asked for. */
function answering(versions: ReadonlyMap<string, string | null> | undefined): Filter['must'][number] {
  if (!versions) return matching('current', true);
  const asked = [...versions].flatMap(([document, version]) => (version === null ? [] : [{ document, version }]));
  if (asked.length === 0) return matching('document', '');
  return {
    should: asked.map(({ document, version }) => ({
      must: [matching('document', document), matching('version', version)],
    })),
  };
}

type Answered = { kind: string; points: { id: unknown; score: number; payload?: unknown }[] };

function joined(answers: readonly Answered[]): Found[] {
  const byId = new Map<unknown, Found>();
  const byMeaning = answers.some(({ kind }) => kind === MEANING);
  for (const { kind, points } of answers)
    for (const { id, score, payload } of points) {
      const { passage } = payload as { passage: Passage };
      const one = byId.get(id) ?? { passage, words: 0, meaning: byMeaning ? 0 : null, named: 0 };
      byId.set(id, one);
      if (kind === MEANING) one.meaning = score;
      else
        Object.assign(one, {
          words: Math.min(score, NAMES_A_PLACE),
          named: score > NAMES_A_PLACE ? score / NAMES_A_PLACE : 0,
        });
    }
  return [...byId.values()];
}

const matching = (key: string, value: string | boolean): Condition => ({ key, match: { value } });

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
async function makeCollection(client: QdrantClient, collection: string, dimensions: number | null): Promise<void> {
  const vectors =
    dimensions === null ? {} : { vectors: { [MEANING]: { size: dimensions, distance: 'Cosine' as const } } };
  if (!(await client.collectionExists(collection)).exists)
    await client
      .createCollection(collection, { ...vectors, sparse_vectors: { [WORDS]: { modifier: 'idf' } } })
      .catch(async (error: unknown) => {
        if (!(await client.collectionExists(collection)).exists) throw error;
      });
  const tenant = { type: 'keyword' as const, is_tenant: true };
  await client.createPayloadIndex(collection, { field_name: 'tenant', field_schema: tenant, wait: true });
  for (const field_name of ['document', 'version', 'load'])
    await client.createPayloadIndex(collection, { field_name, field_schema: 'keyword', wait: true });
  await client.createPayloadIndex(collection, { field_name: 'current', field_schema: 'bool', wait: true });
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
