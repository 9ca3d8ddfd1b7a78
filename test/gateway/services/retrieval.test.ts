import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../../connectors/bus/memory.ts';
import { createEmbeddedPassages } from '../../../connectors/passages/embedded/embedded.ts';
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import type { Embedder } from '../../../engine/ports.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import {
  createRetrievalService,
  type RetrievalDeps,
  type RetrievalParts,
} from '../../../gateway/services/retrieval.ts';
import type { Actor } from '../../../gateway/services.ts';
import { passage } from '../../contracts/passages.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';

const ADA: Actor = { tenant: 'default', person: 'ada', role: 'admin', language: 'en' };
const LAW = '7a1d6c1e-0000-4000-8000-000000000001';
const german = { document: LAW, document_title: 'EnWG', language: 'de' } as const;
const PASSAGES = [
  passage('p0', 'Das Netzentgelt ist zu reduzieren.', { ...german, section: '§ 14a Steuerung' }),
  passage('p1', 'Der Zähler wird abgelesen.', { ...german, section: '§ 21 Messung' }),
];
const QUESTIONS = [
  { question: 'Was regelt § 14a EnWG?', document: 'enwg', section: '§ 14a' },
  { question: 'Wann wird der Zähler abgelesen?', document: 'EnWG', section: '§ 21' },
  { question: 'Wer gewann?', document: null, section: null },
];

describe('retrieval', () => {
  let test: TestDatabase;
  const opened: RetrievalParts[] = [];
  const told: unknown[][] = [];
  beforeAll(async () => {
    test = await openTestDatabase();
    await test.db.asSystem((sql) =>
      sql(`insert into tenant (id, name) values ('default', 'Default'), ('other', 'Other') on conflict do nothing`),
    );
    await test.db.asTenant('default', async (sql) => {
      await sql(`insert into document (tenant_id, id, title) values ('default', $1, 'EnWG')`, [LAW]);
      await sql(
        `insert into document_version (tenant_id, document_id, version, file_name, sha256, language, state, uploaded_by)
         values ('default', $1, '1', 'EnWG.md', 'x', 'de', 'ready', 'ada')`,
        [LAW],
      );
    });
  });
  afterAll(async () => {
    await Promise.all(opened.map((one) => one.stop()));
    await test.close();
  });

  function open(embedder: Embedder | null = null, rerank?: RetrievalDeps['rerank']): RetrievalParts {
    const note =
      (kind: string) =>
      async (...given: unknown[]) =>
        void told.push([kind, ...given]);
    const made = createRetrievalService({
      ...{ clock: { now: () => Date.UTC(2026, 0, 1) }, log: silent, metrics: createMetrics({ defaults: false }) },
      ...{ bus: createMemoryBus({ log: silent }), db: test.db, index: createEmbeddedPassages(), embedder, rerank },
      jobs: { define: () => {}, schedule: () => {} },
      audit: { record: note('audit') },
      alerts: { raise: note('raise'), clear: note('clear') },
      tenants: () => ['default'],
    });
    opened.push(made);
    return made;
  }

  /** Counts letters: similar words come near each other. */
  function modelOf(asked: string[][] = []): Embedder {
    return {
      identity: async () => 'letters 1',
      async embed(texts) {
        asked.push([...texts]);
        return texts.map((text) => {
          const vector = new Float32Array(26);
          for (const char of text.toLowerCase()) vector[(char.charCodeAt(0) - 97 + 260) % 26]! += 1;
          const length = Math.hypot(...vector);
          return vector.map((value) => value / length);
        });
      },
      close: async () => {},
    };
  }

  it('finds by the glossary, which an admin changes, and only for the own organisation', async () => {
    const retrieval = open();
    await retrieval.passages.add('default', PASSAGES);
    const found = async () =>
      (await retrieval.search('default', 'Blinkerbse', 5)).hits.map(({ passage: { id } }) => id);
    expect(await found()).toEqual([]);
    await retrieval.saveGlossaryEntry(ADA, { lay: 'Blinkerbse', legal: ['Zähler'], language: 'de' });
    expect(await found()).toEqual(['p1']);
    expect((await retrieval.glossary('other')).some(({ lay }) => lay === 'Blinkerbse')).toBe(false);
    expect((await retrieval.search('other', 'Zähler', 5)).hits).toEqual([]);
    await retrieval.removeGlossaryEntry(ADA, 'de', 'Blinkerbse');
    expect(await found()).toEqual([]);
    await retrieval.removeGlossaryEntry(ADA, 'de', 'Wallbox');
    expect((await retrieval.glossary('default')).some(({ lay }) => lay === 'Wallbox')).toBe(false);
  });

  it('asks a golden set, keeps the history, and raises an alert when it falls', async () => {
    const retrieval = open();
    await retrieval.passages.add('default', PASSAGES);
    await retrieval.saveGoldenSet(ADA, 'law', QUESTIONS);
    const first = await retrieval.evaluate('default', 'law');
    expect(first).toMatchObject({ questions: 2, recall5: 1, recall1: 1, weight: 0, model: null, ann_recall: null });
    await retrieval.passages.add('default', PASSAGES.slice(0, 1));
    const second = await retrieval.evaluate('default', 'law');
    expect(second.recall5).toBe(0.5);
    expect(told.at(-1)).toEqual([
      ...['raise', 'default', 'retrieval_worse', 'law', 'warning'],
      { before_percent: 100, now_percent: 50 },
    ]);
    // Another night as bad as the last is still worse than before the fall.
    await retrieval.evaluate('default', 'law');
    expect(told.at(-1)?.slice(0, 4)).toEqual(['raise', 'default', 'retrieval_worse', 'law']);
    await retrieval.passages.add('default', PASSAGES);
    await retrieval.evaluate('default', 'law');
    expect(told.at(-1)).toEqual(['clear', 'default', 'retrieval_worse', 'law']);
    expect((await retrieval.evaluations('default', 'law')).map(({ recall5 }) => recall5).sort()).toEqual([
      ...[0.5, 0.5, 1, 1],
    ]);
    expect(await retrieval.evaluations('other', null)).toEqual([]);
    await expect(retrieval.evaluate('other', 'law')).rejects.toThrow(NotFoundError);
  });

  it('gives passages their vectors behind the words, once for the same text', async () => {
    const asked: string[][] = [];
    const retrieval = open(modelOf(asked));
    await retrieval.passages.add('default', PASSAGES);
    await expect
      .poll(async () => (await retrieval.search('default', 'Zähler', 1)).hits[0]?.meaning ?? null, { timeout: 20_000 })
      .not.toBeNull();
    const documents = asked.flat().filter((text) => text.includes('§')).length;
    expect(documents).toBe(2);
    await retrieval.passages.add('default', PASSAGES);
    expect(asked.flat().filter((text) => text.includes('§')).length).toBe(documents);
    const evaluation = await retrieval.evaluate('default', 'law');
    expect(evaluation).toMatchObject({ model: 'letters 1', ann_recall: 1 });
    expect((await retrieval.embed(['a'], 'query')).vectors[0]).toHaveLength(26);
  });

  it('measures what the order of a language model changes, and answers without it where it comes late', async () => {
    let wait: Promise<void> = Promise.resolve();
    const order: NonNullable<RetrievalDeps['rerank']>['order'] = async (tenant, _question, hits) => {
      expect(tenant).toBe('default');
      await wait;
      return [...hits].reverse();
    };
    const retrieval = open(null, { order, hits: 10, within_ms: 2000 });
    const law = { ...german, section: '§ 21 Messung' };
    const both = [passage('p1', 'Der Zähler wird abgelesen.', law), passage('p2', 'Der Zähler ist geeicht.', law)];
    await retrieval.passages.add('default', both);
    const ids = async () =>
      (await retrieval.search('default', 'Zähler abgelesen', 5)).hits.map((one) => one.passage.id);
    expect(await ids()).toEqual(['p2', 'p1']);
    const asked = { question: 'Wann wird der Zähler abgelesen?', document: 'EnWG', section: '§ 21' };
    await retrieval.saveGoldenSet(ADA, 'order', [asked]);
    const { rerank, recall1 } = await retrieval.evaluate('default', 'order');
    expect(recall1).toBe(1);
    expect(rerank).toMatchObject({ questions: 1, late: 0, without: { recall1: 1 }, with: { recall1: 1 } });
    const slow = open(null, { order, hits: 10, within_ms: 30 });
    await slow.passages.add('default', both);
    wait = new Promise(() => {});
    const { hits, reranked } = await slow.search('default', 'Zähler abgelesen', 5);
    expect([hits.map((one) => one.passage.id), reranked]).toEqual([['p1', 'p2'], false]);
    expect((await slow.evaluate('default', 'order')).rerank).toMatchObject({ questions: 1, late: 1 });
  });

  it('says that there is no model', async () => {
    await expect(open().embed(['a'], 'query')).rejects.toThrow(InvalidDataError);
  });
});
