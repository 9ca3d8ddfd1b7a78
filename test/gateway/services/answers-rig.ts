/** Documents in a real database, a scripted language model, and the service of answers between them. */
import { randomUUID } from 'node:crypto';
import { createMemoryBus } from '../../../connectors/bus/memory.ts';
import { createOllama } from '../../../connectors/language/ollama/ollama.ts';
import { createEmbeddedPassages } from '../../../connectors/passages/embedded/embedded.ts';
import type { PassageIndex } from '../../../engine/ports.ts';
import { documentOfText } from '../../../engine/rag/document.ts';
import { namePassages } from '../../../engine/rag/passages.ts';
import { loadConfig } from '../../../gateway/config.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { createOutbound, type Outbound } from '../../../gateway/outbound.ts';
import type { AnswerEvent } from '../../../gateway/services/answers/answer.ts';
import type { SiteFacts } from '../../../gateway/services/answers/site-facts.ts';
import { type Answers, createAnswerService } from '../../../gateway/services/answers.ts';
import { createAnswerSources } from '../../../gateway/services/regulation/sources.ts';
import type { Actor } from '../../../gateway/services.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';
import { MODEL, openScriptedOllama, type ScriptedOllama } from '../../setup/ollama-script.ts';

export const ADA: Actor = { tenant: 'default', person: 'ada', role: 'admin', language: 'en' };
export const BOB: Actor = { ...ADA, person: 'bob', role: 'user' };
export const EVE: Actor = { ...ADA, tenant: 'other', person: 'eve' };
export const FEES = `# Grid Code of Luna City

## § 4 Fees

The annual fee for a smart meter is 20 EUR per meter. It is due on 1 March of each year.

## § 5 Storage

Owners of storage facilities must report their capacity within 30 days. Operators of the grid shall not own storage facilities.
`;
export const METERING = `# Metering Rules

## § 4 Readings

Readings of a smart meter are taken every 15 minutes. The operator keeps them for two years.
`;

let test: TestDatabase;
export let server: ScriptedOllama;
let outbound: Outbound;
export const lines: string[] = [];
const log = Object.assign(Object.create(silent), {
  info: (fields: object, text: string) => void lines.push(JSON.stringify({ ...fields, text })),
  warn: (fields: object, text: string) => void lines.push(JSON.stringify({ ...fields, text })),
});

export async function startRig(): Promise<void> {
  test = await openTestDatabase();
  server = await openScriptedOllama();
  outbound = createOutbound({ allowed: () => ['127.0.0.1'], answer_ms: 0 });
  await test.db.asSystem((sql) =>
    sql(`insert into tenant (id, name) values ('default', 'Default'), ('other', 'Other') on conflict do nothing`),
  );
}

export async function stopRig(): Promise<void> {
  await outbound?.close();
  await server?.close();
  await test?.close();
}

type Stored = { id: string; title: string; version: string; text: string };
export const texts = new Map<string, Stored>();
const index = createEmbeddedPassages();

/** As an upload that was read: passages in Postgres and in the index. */
export async function put(
  tenant: string,
  title: string,
  source: string,
  next?: { document: string; version: string; valid_from: string },
): Promise<string> {
  const read = documentOfText(source, 'markdown');
  const { document, version, valid_from } = next ?? { document: randomUUID(), version: '1', valid_from: null };
  const sha256 = next ? `${document} ${version}` : document;
  const of = { document, document_title: title, version, language: read.language };
  const passages = namePassages(read.passages, of);
  await test.db.asTenant(tenant, async (sql) => {
    if (!next) await sql('insert into document (tenant_id, id, title) values ($1, $2, $3)', [tenant, document, title]);
    await sql(
      `insert into document_version (tenant_id, document_id, version, file_name, sha256, language, state, uploaded_by, valid_from)
        values ($1, $2, $5, 'x.md', $3, $4, 'ready', 'ada', $6)`,
      [tenant, document, sha256, read.language, version, valid_from],
    );
    for (const one of passages)
      await sql(
        `insert into passage (tenant_id, id, document_id, version, page, section, text, start_at, end_at)
          values ($1, $2, $3, $9, $4, $5, $6, $7, $8)`,
        [tenant, one.id, document, one.page, one.section, one.text, one.start, one.end, version],
      );
  });
  await index.add(tenant, passages);
  texts.set(sha256, { id: document, title, version, text: read.text });
  return document;
}

export const noSite: SiteFacts = { concerns: () => false, sentences: async () => [], holds: () => true };
type Options = {
  model?: boolean;
  site?: SiteFacts;
  context?: number;
  people?: { name: string; login: string }[];
  ranked?: Promise<void>;
};
export function open({ model = false, site = noSite, context = 4096, people = [], ranked }: Options = {}) {
  const asked: unknown[][] = [];
  const alerts: unknown[][] = [];
  const files = {
    text: async ({ sha256 }: { sha256: string }) => ({ text: texts.get(sha256)?.text ?? '', pages: [] }),
  };
  /** Waits for a model, but for what is asked for by words alone. */
  const waiting: PassageIndex = {
    ...index,
    async search(tenant, query, limit) {
      if (typeof query === 'string' || query.weight !== 0) await ranked;
      return index.search(tenant, query, limit);
    },
  };
  const given = { db: test.db, log: silent, files, index: ranked ? waiting : index };
  const sources = createAnswerSources({ ...given, ready: async () => {} } as never);
  const answers = createAnswerService({
    ...{ config: loadConfig({ LUNA_HOME: test.home, LUNA_LANGUAGE_COST_PER_MILLION: '2' }), clock: Date, log, sources },
    ...{ metrics: createMetrics({ defaults: false }), bus: createMemoryBus({ log: silent }), db: test.db, site },
    model: model
      ? createOllama({ url: server.url, model: MODEL, context_tokens: context, fetch: outbound.fetch })
      : null,
    tenants: () => ['default'],
    access: { listPeople: async () => people as never },
    audit: { record: async () => {} },
    alerts: {
      raise: async (...told) => void alerts.push(['raise', ...told]),
      clear: async (...told) => void alerts.push(['clear', ...told]),
    },
    jobs: { define: () => {}, schedule: () => {} },
    recordQuestion: async (...entry) => void asked.push(entry),
  });
  return { answers, asked, alerts };
}
export async function askSeen(answers: Answers, question: string, more: object = {}, signal?: AbortSignal) {
  const events: AnswerEvent[] = [];
  const at: number[] = [];
  const on = (event: AnswerEvent) => {
    events.push(event);
    at.push(performance.now());
  };
  const answer = await answers.ask(ADA, { question, ...more }, { on, ...(signal ? { signal } : {}) });
  return { answer, events, at, names: events.map(({ event }) => event) };
}
export const claims = (...list: { text: string; quote: string; passage?: number }[]) =>
  JSON.stringify({ claims: list.map((one) => ({ passage: 1, ...one })) });
export const FEE = 'The annual fee for a smart meter is 20 EUR per meter.';
export const HOW_MUCH = 'How much is the annual fee for a smart meter?';
export const rowsOf = (table: string, tenant = 'default') =>
  test.db.asTenant(tenant, (sql) => sql<Record<string, unknown>>(`select * from ${table}`));

export const runSql = (text: string, tenant = 'default') => test.db.asTenant(tenant, (sql) => sql(text));

export let fees = '';
/** One document, nothing asked. */
export async function resetRig(): Promise<void> {
  for (const tenant of ['default', 'other'])
    await test.db.asTenant(tenant, async (sql) => {
      for (const table of ['document', 'conversation', 'model_audit', 'model_eval_results', 'golden_set'])
        await sql(`delete from ${table}`);
    });
  for (const { id } of texts.values()) for (const tenant of ['default', 'other']) await index.remove(tenant, id);
  texts.clear();
  lines.length = 0;
  server.asked.length = 0;
  fees = await put('default', 'Grid Code of Luna City', FEES);
}
