/**
 * The part of Qdrant's REST API that passages use, in memory, and stricter: what names no tenant is refused.
 * Scores as Qdrant 1.18 does: dot product, times the inverse document frequency over the whole collection.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

type Condition = { key: string; match: { value: string } };
type Filter = { must?: Condition[]; must_not?: Condition[] };
type Sparse = { indices: number[]; values: number[] };
type Point = { id: string; vector: Record<string, Sparse>; payload: Record<string, unknown> };
type Collection = {
  vectors: Record<string, { modifier?: string }>;
  indexes: Map<string, unknown>;
  points: Map<string, Point>;
};

export type FakeQdrant = {
  url: string;
  /** Requests that it refused, and why. */
  refused: string[];
  /** Field indexes of a collection. */
  indexesOf(collection: string): ReadonlyMap<string, unknown>;
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
  const server = createServer(async (request, response) => {
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    try {
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
    refused,
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
  const [, name = '', rest = ''] = /^\/collections\/([\w-]+)(?:\/(.*))?$/.exec(pathname) ?? [];
  if (`${method} ${rest}` === 'GET exists') return { exists: all.has(name) };
  if (`${method} ${rest}` === 'PUT ') {
    if (all.has(name)) throw new Refused(409, `Collection ${name} already exists`);
    const vectors = (body.sparse_vectors ?? {}) as Collection['vectors'];
    all.set(name, { vectors, indexes: new Map(), points: new Map() });
    return true;
  }
  const collection = all.get(name);
  if (!collection) throw new Refused(404, `Not found: Collection ${name} doesn't exist`);
  if (method !== 'GET' && rest !== 'points/query' && searchParams.get('wait') !== 'true')
    throw new Refused(400, 'a change that is not waited for');
  switch (`${method} ${rest}`) {
    case 'PUT index':
      collection.indexes.set(String(body.field_name), body.field_schema);
      return { operation_id: 0, status: 'completed' };
    case 'PUT points':
      return upsert(collection, body.points as Point[]);
    case 'POST points/delete':
      return remove(collection, body.filter as Filter);
    case 'POST points/query':
      return query(collection, body);
    default:
      throw new Refused(404, 'no such route');
  }
}

/** @throws Refused where the filter does not begin with the tenant, or asks a field without index */
function checked(collection: Collection, filter: Filter | undefined): Filter {
  const tenant = filter?.must?.find(({ key }) => key === 'tenant')?.match?.value;
  if (typeof tenant !== 'string' || tenant === '') throw new Refused(400, 'no tenant in the filter');
  for (const { key } of [...(filter?.must ?? []), ...(filter?.must_not ?? [])])
    if (!collection.indexes.has(key)) throw new Refused(400, `Index required but not found for "${key}"`);
  return filter ?? {};
}

function holds({ payload }: Point, { must = [], must_not = [] }: Filter): boolean {
  const is = ({ key, match }: Condition) => payload[key] === match.value;
  return must.every(is) && !must_not.some(is);
}

function upsert(collection: Collection, points: readonly Point[]) {
  for (const point of points) {
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(point.id)) throw new Refused(400, `${point.id} is no UUID`);
    if (typeof point.payload.tenant !== 'string') throw new Refused(400, 'a point without tenant');
    for (const [vector, { indices, values }] of Object.entries(point.vector)) {
      if (!collection.vectors[vector]) throw new Refused(400, `Not existing vector name error: ${vector}`);
      requireSparse(indices, values);
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

function query(collection: Collection, body: Record<string, unknown>) {
  const { indices, values } = body.query as Sparse;
  const using = String(body.using);
  requireSparse(indices, values);
  const filter = checked(collection, body.filter as Filter | undefined);
  const all = [...collection.points.values()];
  const isIdf = collection.vectors[using]?.modifier === 'idf';
  const idf = indices.map((index) => {
    const df = all.filter(({ vector }) => vector[using]?.indices.includes(index)).length;
    return isIdf ? Math.log(1 + (all.length - df + 0.5) / (df + 0.5)) : 1;
  });
  const scored = all
    .filter((point) => holds(point, filter))
    .map((point) => {
      const { indices: at = [], values: has = [] } = point.vector[using] ?? {};
      const parts = indices.map((index, i) => (has[at.indexOf(index)] ?? 0) * values[i]! * idf[i]!);
      return { id: point.id, version: 0, score: parts.reduce((sum, part) => sum + part, 0), payload: point.payload };
    })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score);
  return { points: scored.slice(0, Number(body.limit)) };
}
