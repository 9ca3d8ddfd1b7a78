/**
 * The part of Qdrant's REST API that passages use, in memory, and stricter: what names no tenant is refused.
 * Scores as Qdrant 1.18 does: dot product, times the inverse document frequency over the whole collection.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSnapshots, type Snapshots } from './qdrant-snapshots.ts';

type Condition = { key: string; match: { value: string | boolean } };
type Clause = Condition | { should: Filter[] };
type Filter = { must?: Clause[]; must_not?: Condition[] };
type Sparse = { indices: number[]; values: number[] };
type Point = { id: string; vector: Record<string, Sparse | number[]>; payload: Record<string, unknown> };
type Collection = {
  vectors: Record<string, { modifier?: string; size?: number }>;
  indexes: Map<string, unknown>;
  points: Map<string, Point>;
};

export type FakeQdrant = {
  url: string;
  /** Requests that it refused, and why. */
  refused: string[];
  /** Field indexes of a collection. */
  indexesOf(collection: string): ReadonlyMap<string, unknown>;
  snapshots: Snapshots;
  close(): Promise<void>;
};

class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export async function startFakeQdrant(): Promise<FakeQdrant> {
  const collections = new Map<string, Collection>();
  const refused: string[] = [];
  const snapshots = createSnapshots(
    (name) => {
      const one = collections.get(name);
      return one ? JSON.stringify({ ...one, indexes: [...one.indexes], points: [...one.points] }) : null;
    },
    (name, text) => {
      const { vectors, indexes, points } = JSON.parse(text) as Collection & { indexes: []; points: [] };
      collections.set(name, { vectors, indexes: new Map(indexes), points: new Map(points) });
    },
  );
  const server = createServer(async (request, response) => {
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    try {
      if (await snapshots.answer(request, response)) return;
      const result = answerTo(collections, `${request.method}`, `${request.url}`, await bodyOf(request));
      send(200, { result, status: 'ok', time: 0 });
    } catch (error) {
      const { status = 500, message } = error as Refused;
      refused.push(`${request.method} ${request.url}: ${message}`);
      send(status, { status: { error: message }, time: 0 });
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `qdrant://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ refused, snapshots },
    indexesOf: (name) => collections.get(name)?.indexes ?? new Map(),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text === '' ? {} : JSON.parse(text);
}

function answerTo(all: Map<string, Collection>, method: string, url: string, body: Record<string, unknown>): unknown {
  const { pathname, searchParams } = new URL(url, 'http://fake');
  if (`${method} ${pathname}` === 'GET /collections') return { collections: [...all.keys()].map((name) => ({ name })) };
  const [, name = '', rest = ''] = /^\/collections\/([\w-]+)(?:\/(.*))?$/.exec(pathname) ?? [];
  if (`${method} ${rest}` === 'GET exists') return { exists: all.has(name) };
  if (`${method} ${rest}` === 'PUT ') {
    if (all.has(name)) throw new Refused(409, `Collection ${name} already exists`);
    const vectors = { ...(body.sparse_vectors as object), ...(body.vectors as object) } as Collection['vectors'];
    all.set(name, { vectors, indexes: new Map(), points: new Map() });
    return true;
  }
  const collection = all.get(name);
  if (!collection) throw new Refused(404, `Not found: Collection ${name} doesn't exist`);
  if (method !== 'GET' && !rest.startsWith('points/query') && searchParams.get('wait') !== 'true')
    throw new Refused(400, 'a change that is not waited for');
  switch (`${method} ${rest}`) {
    case 'PUT index':
      collection.indexes.set(String(body.field_name), body.field_schema);
      return { operation_id: 0, status: 'completed' };
    case 'PUT points':
      return upsert(collection, body.points as Point[]);
    case 'POST points/delete':
      return remove(collection, body.filter as Filter);
    case 'POST points/payload':
      return setPayload(collection, body);
    case 'POST points/query':
      return query(collection, body);
    case 'POST points/query/batch':
      return (body.searches as Record<string, unknown>[]).map((search) => query(collection, search));
    default:
      throw new Refused(404, 'no such route');
  }
}

/** @throws Refused where the filter does not name the tenant, or asks a field without index */
function checked(collection: Collection, filter: Filter | undefined): Filter {
  const own = filter?.must?.find((clause) => 'key' in clause && clause.key === 'tenant') as Condition | undefined;
  if (typeof own?.match.value !== 'string' || own.match.value === '') throw new Refused(400, 'no tenant in the filter');
  for (const key of keysOf(filter ?? {}))
    if (!collection.indexes.has(key)) throw new Refused(400, `Index required but not found for "${key}"`);
  return filter ?? {};
}

function keysOf({ must = [], must_not = [] }: Filter): string[] {
  return [...must, ...must_not].flatMap((clause) => ('key' in clause ? [clause.key] : clause.should.flatMap(keysOf)));
}

function holds(point: Point, { must = [], must_not = [] }: Filter): boolean {
  const is = (clause: Clause): boolean =>
    'key' in clause
      ? point.payload[clause.key] === clause.match.value
      : clause.should.some((filter) => holds(point, filter));
  return must.every(is) && !must_not.some(is);
}

function setPayload(collection: Collection, body: Record<string, unknown>) {
  const which = checked(collection, body.filter as Filter);
  for (const point of collection.points.values()) if (holds(point, which)) Object.assign(point.payload, body.payload);
  return { operation_id: 0, status: 'completed' };
}

function upsert(collection: Collection, points: readonly Point[]) {
  for (const point of points) {
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(point.id)) throw new Refused(400, `${point.id} is no UUID`);
    if (typeof point.payload.tenant !== 'string') throw new Refused(400, 'a point without tenant');
    for (const [name, vector] of Object.entries(point.vector)) {
      const declared = collection.vectors[name];
      if (!declared) throw new Refused(400, `Not existing vector name error: ${name}`);
      if (!Array.isArray(vector)) requireSparse(vector.indices, vector.values);
      else if (vector.length !== declared.size)
        throw new Refused(400, `Vector dimension error: expected dim: ${declared.size}, got ${vector.length}`);
    }
  }
  for (const point of points) collection.points.set(point.id, point);
  return { operation_id: 0, status: 'completed' };
}

function requireSparse(indices: readonly number[], values: readonly number[]): void {
  const fits = indices.every((index) => Number.isInteger(index) && index >= 0 && index < 2 ** 32);
  if (!fits || indices.length !== values.length || new Set(indices).size !== indices.length)
    throw new Refused(422, 'must be unique and of the same length as values');
}

function remove(collection: Collection, filter: Filter | undefined) {
  const which = checked(collection, filter);
  for (const [id, point] of collection.points) if (holds(point, which)) collection.points.delete(id);
  return { operation_id: 0, status: 'completed' };
}

type Search = { query: Sparse | number[]; using: string; filter?: Filter; limit: number; prefetch?: Search[] };

function query(collection: Collection, body: Record<string, unknown>): { points: unknown[] } {
  const { prefetch, limit, ...search } = body as unknown as Search;
  const filter = checked(collection, search.filter);
  // With prefetches only what they found is scored again.
  const ids = prefetch?.flatMap((one) => query(collection, { ...one }).points as { id: string }[]).map(({ id }) => id);
  const among = [...collection.points.values()].filter(
    (point) => holds(point, filter) && (!ids || ids.includes(point.id)),
  );
  const scored = among.flatMap((point) => {
    const score = scoreOf(collection, point, search);
    return score === null ? [] : [{ id: point.id, version: 0, score, payload: point.payload }];
  });
  return { points: scored.sort((a, b) => b.score - a.score).slice(0, Number(limit)) };
}

/** Null where nothing is shared (words), or the point has no such vector. */
function scoreOf(
  collection: Collection,
  point: Point,
  { query: asked, using }: Pick<Search, 'query' | 'using'>,
): number | null {
  const own = point.vector[using];
  if (Array.isArray(asked)) {
    if (!Array.isArray(own)) return null;
    const length = (vector: number[]) => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    return asked.reduce((sum, value, i) => sum + value * (own[i] ?? 0), 0) / (length(asked) * length(own));
  }
  requireSparse(asked.indices, asked.values);
  const all = [...collection.points.values()];
  const sparse = (vector: Sparse | number[] | undefined) =>
    vector && !Array.isArray(vector) ? vector : { indices: [], values: [] };
  const { indices: at, values: has } = sparse(own);
  const parts = asked.indices.map((index, i) => {
    const df = all.filter(({ vector }) => sparse(vector[using]).indices.includes(index)).length;
    const idf = collection.vectors[using]?.modifier === 'idf' ? Math.log(1 + (all.length - df + 0.5) / (df + 0.5)) : 1;
    return (has[at.indexOf(index)] ?? 0) * (asked.values[i] ?? 0) * idf;
  });
  const score = parts.reduce((sum, part) => sum + part, 0);
  return score > 0 ? score : null;
}
