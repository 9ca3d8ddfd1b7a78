/** Requests of every route, made from its schemas and then spoilt: none may end in a 5xx, none may tell of others. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Organisation } from '../box/two-tenants.ts';
import {
  anyText,
  anyValue,
  type Components,
  mutated,
  nearValue,
  pick,
  type Random,
  type Schema,
} from './fuzz-values.ts';
import { RULES, type Rule } from './table.ts';
import type { World } from './world.ts';

export type FuzzResult = {
  requests: number;
  /** Answers of 2xx and 3xx: requests that got beyond the checks. */
  taken: number;
  server_errors: number;
  foreign_rows: number;
  slow_over_5s: number;
};
type Sent = { path: string; init: RequestInit & { headers: Record<string, string> } };
type Operation = {
  parameters?: { name: string; in: string; schema?: Schema }[];
  requestBody?: { content: Record<string, { schema?: Schema }> };
};
export type Document = { paths: Record<string, Record<string, Operation>>; components: { schemas: Components } };

/** They start programs, copy the box, search the network, or ask people's mail servers. */
const LEFT_OUT = new Set([
  ...['POST /demo/start', 'POST /demo/stop', 'POST /api/v1/backups', 'POST /admin/backups'],
  ...['POST /api/v1/device-search', 'POST /meters/new/search'],
]);
export const FUZZED: readonly Rule[] = RULES.filter(({ route }) => !LEFT_OUT.has(route));

const SLOW_MS = 5000;
/** Requests under way at a time: while one waits for the database another is worked on, and they get in each other's way. */
const AT_ONCE = 6;
const WEB = join(import.meta.dirname, '../../../web');

/** What the fields of our forms are called. */
function fieldNames(): string[] {
  const names = new Set<string>();
  for (const file of readdirSync(WEB, { recursive: true, encoding: 'utf8' }))
    if (file.endsWith('.ts'))
      for (const [, name] of readFileSync(join(WEB, file), 'utf8').matchAll(/name[=:] ?["']([a-z_.]+)["']/g))
        names.add(name!);
  return [...names].filter((name) => !/host|url|address|server|topic|range/.test(name));
}

export async function documentOf(world: World): Promise<Document> {
  return (await (await world.request('/api/v1/openapi.json')).json()) as Document;
}

/** @param tell what went wrong, with what was sent */
export function createFuzz(world: World, document: Document, random: Random, tell: (line: string) => void) {
  const [attacker, victim] = world.organisations;
  const fields = fieldNames();
  return async (rule: Rule, requests: number): Promise<FuzzResult> => {
    const result: FuzzResult = { requests: 0, taken: 0, server_errors: 0, foreign_rows: 0, slow_over_5s: 0 };
    const one = async (): Promise<void> => {
      const sent = requestOf(rule, document, random, attacker, victim, fields);
      const begun = performance.now();
      const { status, text } = await answerOf(world, sent);
      result.requests++;
      if (status >= 200 && status < 400) result.taken++;
      const said = `${rule.route}: ${status} ${sent.path.slice(0, 300)} ${describe(sent)}`;
      if (status >= 500) {
        result.server_errors++;
        const told = world.errors();
        const why = told.find((line) => line.includes('"err"')) ?? told[0] ?? text;
        tell(`${said} → ${why.slice(0, 1200)}`);
      }
      if (text.includes(victim.secret)) {
        result.foreign_rows++;
        tell(`${said} tells ${victim.secret}`);
      }
      if (performance.now() - begun > SLOW_MS) {
        result.slow_over_5s++;
        tell(`${said} took ${Math.round(performance.now() - begun)} ms`);
      }
    };
    let made = 0;
    const row = async () => {
      while (made++ < requests) await one();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, row));
    return result;
  };
}

function describe({ init }: Sent): string {
  const body = typeof init.body === 'string' ? init.body.slice(0, 500) : init.body ? '[form]' : '';
  return `${JSON.stringify({ ...init.headers, authorization: undefined })} ${body}`;
}

async function answerOf(world: World, { path, init }: Sent): Promise<{ status: number; text: string }> {
  try {
    const answer = await world.request(path, init);
    if (!path.startsWith('/stream')) return { status: answer.status, text: await answer.text() };
    await answer.body?.cancel();
    return { status: answer.status, text: '' };
  } catch (error) {
    // What the platform refuses to send is no answer of ours.
    if (error instanceof TypeError && /Request|URL|header|ByteString|body/i.test(error.message))
      return { status: 0, text: '' };
    return { status: 599, text: String((error as Error).stack) };
  }
}

function requestOf(
  { method, path, route }: Rule,
  document: Document,
  random: Random,
  attacker: Organisation,
  victim: Organisation,
  fields: readonly string[],
): Sent {
  const operation = document.paths[path]?.[method.toLowerCase()] ?? {};
  const components = document.components.schemas;
  // A message to one's own channel would leave the box.
  const own = route.endsWith('/test') ? {} : attacker.ids;
  const ids: readonly string[] = [...Object.values<string>(own), ...Object.values(victim.ids), 'twin', 'mwh'];
  const place = () => (random() < 0.4 ? pick(random, ids) : anyText(random));
  const target = path.replaceAll(/\{\w+\}/g, () => encoded(random, place()));
  const query = queryOf(random, operation, components, ids);
  const init: Sent['init'] = { method, headers: headersOf(random, attacker), redirect: 'manual' };
  if (method !== 'GET') Object.assign(init, bodyOf(random, operation, components, fields, ids, init.headers));
  return { path: `${target}${query}`, init };
}

/** As browsers encode it, or worse: the router itself must bear what is sent. */
function encoded(random: Random, text: string): string {
  const well = encodeURIComponent(text.toWellFormed());
  const kind = random();
  if (kind < 0.7) return well || '%20';
  if (kind < 0.8) return `${well}%00`;
  if (kind < 0.9) return well.replaceAll('%', '%25');
  return pick(random, ['%', '%ff%fe', '%c0%af', '..%2f..%2f', '%E0%A4%A', 'a%0d%0ab', '%ed%a0%80']);
}

function queryOf(
  random: Random,
  { parameters = [] }: Operation,
  components: Components,
  ids: readonly string[],
): string {
  const parts: string[] = [];
  for (const { name, schema = {} } of parameters.filter((one) => one.in === 'query'))
    for (let n = random() < 0.75 ? 1 : Math.floor(random() * 3); n > 0; n--) {
      const valid = random() < 0.1 ? pick(random, ids) : String(nearValue(random, schema, components, name));
      parts.push(`${name}=${encoded(random, random() < 0.5 ? valid : anyText(random))}`);
    }
  for (const name of [
    'id',
    'page',
    'from',
    'to',
    'day',
    'meter',
    'series',
    'tz',
    'open',
    'limit',
    'before',
    'token',
    'next',
    'version',
  ])
    if (random() < 0.08) parts.push(`${name}=${encoded(random, random() < 0.3 ? pick(random, ids) : anyText(random))}`);
  return parts.length > 0 ? `?${parts.join('&')}` : '';
}

function headersOf(random: Random, { keys }: Organisation): Record<string, string> {
  const headers: Record<string, string> = {};
  const who = random();
  if (who < 0.85) headers.authorization = `Bearer ${keys.admin}`;
  else if (who < 0.92) headers.authorization = `Bearer ${keys.user}`;
  else if (who < 0.96)
    headers.authorization = pick(random, [
      'Bearer ',
      'Basic !!!',
      'Basic AAAA',
      'Bearer a.b.c',
      'Digest x',
      'Basic Og==',
    ]);
  const more = [
    'accept',
    'accept-language',
    'accept-encoding',
    'if-none-match',
    'range',
    'x-forwarded-for',
    'x-request-id',
    'cookie',
    'hx-request',
    'x-csrf-token',
    'origin',
    'host',
  ];
  for (const name of more)
    if (random() < 0.05)
      headers[name] = anyText(random)
        .replaceAll(/[^\x20-\x7e\xa0-\xff]/g, '')
        .trim()
        .slice(0, 200);
  if (random() < 0.3) headers.accept = 'text/html';
  return headers;
}

function bodyOf(
  random: Random,
  { requestBody }: Operation,
  components: Components,
  fields: readonly string[],
  ids: readonly string[],
  headers: Record<string, string>,
): { body: string | FormData } | Record<string, never> {
  const schema = requestBody?.content['application/json']?.schema;
  const kind = random();
  if (kind < 0.03) return {};
  if (schema && kind < 0.85) {
    headers['content-type'] =
      random() < 0.95
        ? 'application/json'
        : pick(random, ['text/plain', 'application/xml', 'application/json; charset=utf-16', 'multipart/form-data']);
    const valid = withIds(random, nearValue(random, schema, components), ids);
    const value = random() < 0.25 ? valid : mutated(random, random() < 0.4 ? mutated(random, valid) : valid);
    const text = JSON.stringify(value) ?? '';
    return { body: random() < 0.05 ? spoilt(random, text) : text };
  }
  if (kind < 0.93 || !requestBody) {
    const chosen = Array.from({ length: Math.floor(random() * 12) }, () => [
      pick(random, fields),
      (random() < 0.3 ? pick(random, ids) : anyText(random)).toWellFormed(),
    ]);
    if (random() < 0.2) {
      const form = new FormData();
      for (const [name, value] of chosen) form.append(name!, value!);
      if (random() < 0.7)
        form.append(
          'file',
          new File(
            [anyText(random)],
            `${anyText(random).toWellFormed()}.${pick(random, ['csv', 'pdf', 'md', 'json', ''])}`,
          ),
        );
      return { body: form };
    }
    headers['content-type'] = 'application/x-www-form-urlencoded';
    return { body: new URLSearchParams(chosen as string[][] as [string, string][]).toString() };
  }
  headers['content-type'] = pick(random, Object.keys(requestBody.content));
  return { body: random() < 0.5 ? anyText(random) : JSON.stringify(anyValue(random)) };
}

/** Ids of both organisations in some of the places. */
function withIds(random: Random, value: unknown, ids: readonly string[]): unknown {
  if (typeof value === 'string') return random() < 0.1 ? pick(random, ids) : value;
  if (Array.isArray(value)) return value.map((one) => withIds(random, one, ids));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      /host|url|range|server/i.test(key) ? one : withIds(random, one, ids),
    ]),
  );
}

function spoilt(random: Random, text: string): string {
  const at = Math.floor(random() * text.length);
  const kind = random();
  if (kind < 0.3) return text.slice(0, at);
  if (kind < 0.5) return '['.repeat(5000);
  if (kind < 0.6) return `${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`;
  if (kind < 0.8) return `${text.slice(0, at)}\u0000${text.slice(at)}`;
  return `\ufeff${text}`;
}
