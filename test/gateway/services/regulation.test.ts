import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../../connectors/bus/memory.ts';
import { openFolderFiles } from '../../../connectors/files/folder.ts';
import { createEmbeddedPassages } from '../../../connectors/passages/embedded/embedded.ts';
import { InvalidDataError, NotFoundError, UnavailableError } from '../../../engine/errors.ts';
import type { FileStore, LunaEvent, PassageIndex } from '../../../engine/ports.ts';
import { loadConfig } from '../../../gateway/config.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { answeringVersions, readyVersions } from '../../../gateway/services/regulation/store.ts';
import { createRegulationService, type Regulation } from '../../../gateway/services/regulation.ts';
import type { Actor, DocumentState } from '../../../gateway/services.ts';
import { createDocumentReader, type DocumentReader } from '../../../gateway/workers/document-reader.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';
import { linesAt, pdfOf } from '../workers/pdfs.ts';

const actorOf = (tenant: string): Actor => ({ tenant, person: 'ada', role: 'admin', language: 'en' });
const ADA = actorOf('default');
const bytesOf = (text: string) => new TextEncoder().encode(text);
const FEES =
  '§ 4 Fees\n\nThe annual fee for a smart meter is 20 EUR per meter and year. It is due on 1 March of each year.\n';
const HIGHER = FEES.replace('20 EUR', '35 EUR');

describe('regulation', () => {
  let test: TestDatabase;
  let files: FileStore;
  let reader: DocumentReader;
  const opened: Regulation[] = [];
  beforeAll(async () => {
    test = await openTestDatabase();
    files = await openFolderFiles({ dir: join(test.home, 'files') });
    reader = createDocumentReader();
    await test.db.asSystem((sql) =>
      sql(`insert into tenant (id, name) values ('default', 'Default'), ('other', 'Other') on conflict do nothing`),
    );
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((service) => service.stop()));
    for (const tenant of ['default', 'other']) await test.db.asTenant(tenant, (sql) => sql('delete from document'));
  });
  afterAll(async () => {
    await reader.close();
    await test.close();
  });

  /** Jobs run at once, or never, as in a box whose queue is down. */
  function open(options: { jobs?: 'at once' | 'down' | 'never'; reader?: DocumentReader } = {}) {
    const { jobs = 'at once' } = options;
    const bus = createMemoryBus({ log: silent });
    const events: LunaEvent[] = [];
    bus.subscribe((event) => events.push(event));
    const [questions, audits, alerts]: unknown[][] = [[], [], []];
    let handler: (payload: never, signal: AbortSignal) => Promise<void> = async () => {};
    const sent: Promise<void>[] = [];
    // The reader is shared by all tests of this file: a service that stops must not end it.
    const shared = { read: (options.reader ?? reader).read, close: async () => {} };
    const regulation = createRegulationService({
      config: loadConfig({ LUNA_HOME: test.home }),
      ...{ clock: Date, log: silent, metrics: createMetrics({ defaults: false }), bus, db: test.db, files },
      passages: inForceOnly(createEmbeddedPassages()),
      jobs: {
        define: (_, made) => {
          handler = made as typeof handler;
        },
        send: async (_, payload) => {
          if (jobs === 'down') throw new UnavailableError('down');
          if (jobs === 'at once') sent.push(handler(payload as never, new AbortController().signal).catch(() => {}));
        },
      },
      audit: { record: async (...entry) => void audits?.push(entry) },
      alerts: {
        raise: async (...entry) => void alerts?.push(['raise', ...entry]),
        clear: async (...entry) => void alerts?.push(['clear', ...entry]),
      },
      recordQuestion: async (...entry) => questions?.push(entry),
      reader: shared,
    });
    opened.push(regulation);
    const settled = async () => {
      await Promise.allSettled(sent.splice(0));
    };
    return { regulation, events, questions, audits, alerts, settled };
  }

  /** As the box asks it: with the versions that are in force. */
  function inForceOnly(index: PassageIndex): PassageIndex {
    return {
      ...index,
      async search(tenant, asked, limit) {
        const text = typeof asked === 'string' ? asked : asked.text;
        const [all, answering] = await test.db.asTenant(tenant, async (sql) => [
          await readyVersions(sql),
          await answeringVersions(sql),
        ]);
        const versions = new Map<string, string | null>(all.map(({ document }) => [document, null]));
        for (const { document, version } of answering) versions.set(document, version);
        return index.search(tenant, { text, versions }, limit);
      },
    };
  }

  async function uploaded(
    box: ReturnType<typeof open>,
    name: string,
    content: string | Uint8Array,
    more: object = {},
  ): Promise<DocumentState> {
    const bytes = typeof content === 'string' ? bytesOf(content) : content;
    const { id } = await box.regulation.upload(ADA, { name, bytes, ...more });
    await box.settled();
    const found = (await box.regulation.documents('default')).find((document) => document.id === id);
    if (!found) throw new Error('not listed');
    return found;
  }

  it('answers from an uploaded PDF with a quote that stands where it says, and marks it', async () => {
    const box = open();
    const pdf = await pdfOf([
      linesAt(100, [
        'Grid Code of Luna City',
        'It was made for the supply of all people and businesses in the city area.',
      ]),
      linesAt(100, [
        '§ 4 Fees',
        'The annual fee for a smart meter is 20 EUR per meter.',
        'It is due on 1 March of each year.',
      ]),
    ]);
    const document = await uploaded(box, 'grid_code.pdf', pdf);
    expect(document).toMatchObject({
      title: 'grid code',
      version: '1',
      pages: 2,
      state: 'ready',
      reason: null,
      uploaded_by: 'ada',
    });
    const answer = await box.regulation.ask(ADA, 'How much is the annual fee for a smart meter?');
    expect(answer.status).toBe('answered');
    expect(answer.sentences[0]?.text).toBe('The annual fee for a smart meter is 20 EUR per meter.');
    const citation = answer.sentences[0]?.citations[0];
    expect(citation).toMatchObject({
      document: document.id,
      document_title: 'grid code',
      version: '1',
      page: 2,
      section: '§ 4 Fees',
    });
    const marks = await box.regulation.marks('default', document.id, '1', 2, citation?.quote ?? '');
    expect(marks).toMatchObject({ width: 595, height: 842 });
    expect(marks.boxes).toHaveLength(1);
    expect(marks.boxes[0]?.x).toBeCloseTo(72, 0);
    expect(marks.boxes[0]?.y).toBeCloseTo(114 - 0.8 * 11, 0);
    expect(marks.text).toContain('It is due on 1 March');
    expect((await box.regulation.marks('default', document.id, '', 1, citation?.quote ?? '')).boxes).toEqual([]);
    await expect(box.regulation.marks('default', document.id, '', 9, 'x')).rejects.toThrow(
      /no page 9; the document has 2/,
    );
    expect(Buffer.from((await box.regulation.file('default', document.id)).bytes).equals(Buffer.from(pdf))).toBe(true);
  });

  it('tells waiting pages, the audit log and the usage events', async () => {
    const box = open();
    const { id } = await uploaded(box, 'fees.md', FEES);
    await box.regulation.ask(ADA, 'How much is the annual fee for a smart meter?');
    await box.regulation.ask(ADA, 'What is the capital of France?');
    expect(box.questions?.map((entry) => (entry as unknown[])[2])).toEqual(['answered', 'abstained']);
    expect(box.audits).toEqual([[ADA, 'document.upload', id, { title: 'fees', version: '1', file_name: 'fees.md' }]]);
    expect(box.events.filter(({ type }) => type === 'documents').length).toBeGreaterThanOrEqual(2);
    expect(box.events).toContainEqual(
      expect.objectContaining({ type: 'progress', task: `document:${id}`, done: 1, total: 1 }),
    );
  });

  it('abstains with the nearest passages, and without documents with none', async () => {
    const box = open();
    expect(await box.regulation.ask(ADA, 'What is the fee?')).toEqual({
      status: 'abstained',
      sentences: [],
      nearest: [],
    });
    await uploaded(box, 'fees.md', FEES);
    const answer = await box.regulation.ask(ADA, 'What is the annual fee for a nuclear reactor in Spain?');
    expect(answer).toMatchObject({ status: 'abstained', sentences: [] });
    expect(answer.nearest[0]).toMatchObject({ document_title: 'fees', section: '§ 4 Fees', page: null });
    await expect(box.regulation.ask(ADA, '  ')).rejects.toThrow(InvalidDataError);
    await expect(box.regulation.ask(ADA, 'x'.repeat(1001))).rejects.toThrow(/at most 1000/);
  });

  it('drops a sentence whose quote does not stand in the text', async () => {
    const box = open();
    await uploaded(box, 'fees.md', FEES);
    expect((await box.regulation.ask(ADA, 'How much is the annual fee?')).status).toBe('answered');
    await test.db.asTenant('default', (sql) => sql('update passage set start_at = start_at + 1, end_at = end_at + 1'));
    await box.regulation.reindex('default');
    expect(await box.regulation.ask(ADA, 'How much is the annual fee?')).toMatchObject({
      status: 'abstained',
      sentences: [],
    });
  });

  it('answers from the newest version only; the same bytes change nothing', async () => {
    const box = open();
    const first = await uploaded(box, 'a.md', FEES, { title: 'Fees' });
    const again = await uploaded(box, 'b.md', FEES, { title: 'Another title' });
    expect(again).toEqual(first);
    const second = await uploaded(box, 'a.md', HIGHER, { title: 'fees' });
    expect(second).toMatchObject({ id: first.id, title: 'Fees', version: '2' });
    const answer = await box.regulation.ask(ADA, 'How much is the annual fee for a smart meter?');
    expect(answer.sentences.map(({ text }) => text).join(' ')).toContain('35 EUR');
    expect(JSON.stringify(answer)).not.toContain('20 EUR');
    await expect(
      box.regulation.upload(ADA, { name: 'c.md', bytes: bytesOf(`${HIGHER} x`), title: 'Fees', version: '2' }),
    ).rejects.toThrow(/has a version 2 already/);
    expect(new TextDecoder().decode((await box.regulation.file('default', first.id, '1')).bytes)).toBe(FEES);
  });

  it('keeps answering from the older version while a newer one is refused', async () => {
    const box = open();
    const { id } = await uploaded(box, 'fees.md', FEES);
    const refused = await uploaded(box, 'fees.pdf', await pdfOf([[], []]), { title: 'fees' });
    expect(refused).toMatchObject({
      id,
      version: '2',
      state: 'refused',
      reason: expect.stringMatching(/looks like a scan.*OCR/),
    });
    expect(box.alerts).toContainEqual([
      'raise',
      'default',
      'document_refused',
      id,
      'warning',
      expect.objectContaining({ title: 'fees' }),
    ]);
    expect((await box.regulation.ask(ADA, 'How much is the annual fee?')).status).toBe('answered');
  });

  it('refuses at once what it could never read', async () => {
    const { regulation } = open();
    const upload = (name: string, bytes: Uint8Array) => regulation.upload(ADA, { name, bytes });
    await expect(upload('a.md', new Uint8Array())).rejects.toThrow(/a.md is empty/);
    await expect(upload('a.exe', bytesOf('MZ'))).rejects.toThrow(/of no kind that can be read/);
    await expect(upload('a.docx', bytesOf('PK'))).rejects.toThrow(/is no DOCX/);
    const old = new Uint8Array([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
    await expect(upload('a.doc', old)).rejects.toThrow(/old Word file or one behind a password/);
    await expect(upload('a.pdf', bytesOf('hello'))).rejects.toThrow(/is no PDF/);
    const large = new Uint8Array(65 * 1024 ** 2);
    await expect(upload('a.md', large)).rejects.toThrow(/at most 12 MB/);
    large.set(bytesOf('%PDF-'));
    await expect(upload('a.pdf', large)).rejects.toThrow(/at most 67 MB/);
    expect(await regulation.documents('default')).toEqual([]);
  });

  it('goes on after a start with what a kill cut off', async () => {
    const before = open({ jobs: 'never' });
    const { id } = await before.regulation.upload(ADA, { name: 'fees.md', bytes: bytesOf(FEES) });
    await test.db.asTenant('default', (sql) => sql(`update document_version set state = 'reading'`));
    const after = open();
    await after.regulation.start();
    await after.settled();
    expect(await after.regulation.documents('default')).toMatchObject([{ id, state: 'ready', passages: 1 }]);
    expect((await after.regulation.ask(ADA, 'How much is the annual fee?')).status).toBe('answered');
  });

  it('keeps an upload when the job queue is down, with nothing to mark yet', async () => {
    const box = open({ jobs: 'down' });
    const bytes = bytesOf(`${FEES}Nobody has read this yet.\n`);
    const { id, state } = await box.regulation.upload(ADA, { name: 'fees.md', bytes });
    expect(state).toBe('queued');
    const nothing = { width: 0, height: 0, boxes: [], text: '' };
    expect(await box.regulation.marks('default', id, '', 1, 'fee')).toEqual(nothing);
  });

  it('builds its index from Postgres at the start', async () => {
    await uploaded(open(), 'fees.md', FEES);
    const fresh = open();
    await fresh.regulation.start();
    expect((await fresh.regulation.ask(ADA, 'How much is the annual fee?')).status).toBe('answered');
    expect(await fresh.regulation.reindex('default')).toEqual({ documents: 1, passages: 1 });
    expect((await fresh.regulation.ask(ADA, 'How much is the annual fee?')).status).toBe('answered');
  });

  it('forgets a removed document, also one that is being read', async () => {
    const box = open();
    const { id } = await uploaded(box, 'fees.md', FEES);
    await box.regulation.remove(ADA, id);
    expect(await box.regulation.documents('default')).toEqual([]);
    expect((await box.regulation.ask(ADA, 'How much is the annual fee?')).nearest).toEqual([]);
    await expect(box.regulation.file('default', id)).rejects.toThrow(NotFoundError);
    await expect(box.regulation.remove(ADA, id)).rejects.toThrow(NotFoundError);
    await expect(box.regulation.remove(ADA, "' or 1=1 --")).rejects.toThrow(NotFoundError);

    const slow: DocumentReader = {
      read: async (file, options) => {
        await sleep(50);
        return reader.read(file, options);
      },
      close: async () => {},
    };
    const busy = open({ reader: slow });
    const reading = await busy.regulation.upload(ADA, { name: 'fees.md', bytes: bytesOf(FEES) });
    await busy.regulation.remove(ADA, reading.id);
    await busy.settled();
    expect(await busy.regulation.documents('default')).toEqual([]);
    expect((await busy.regulation.ask(ADA, 'How much is the annual fee?')).nearest).toEqual([]);
  });

  it('is read again by a newer reader beside what answers, and an older text goes when nothing points to it', async () => {
    const first = open();
    const { id } = await uploaded(first, 'fees.md', FEES);
    await test.db.asTenant('default', (sql) => sql(`update document_version set reader = 'p1.c1'`));
    const [row] = await test.db.asTenant('default', (sql) =>
      sql<{ sha256: string }>('select sha256 from document_version'),
    );
    const folder = `documents/${row?.sha256}`;
    for (const part of ['text.json.gz', 'layout.json.gz']) {
      await files.write('default', `${folder}/p1.c1/${part}`, await files.read('default', `${folder}/p2.c2/${part}`));
      await files.remove('default', `${folder}/p2.c2/${part}`);
    }
    const answers: unknown[] = [];
    const watching: DocumentReader = {
      read: async (file, options) => {
        answers.push((await second.regulation.ask(ADA, 'How much is the annual fee?')).status);
        return reader.read(file, options);
      },
      close: async () => {},
    };
    const second = open({ reader: watching });
    await second.regulation.start();
    await second.settled();
    expect(answers).toEqual(['answered']);
    expect((await second.regulation.ask(ADA, 'How much is the annual fee?')).status).toBe('answered');
    expect(await second.regulation.document('default', id)).toMatchObject({ state: 'ready', passages: 1, stage: null });
    await expect(files.read('default', `${folder}/p1.c1/text.json.gz`)).rejects.toThrow(NotFoundError);
    const third = open();
    await third.regulation.start();
    await third.settled();
    expect(third.events.filter(({ type }) => type === 'documents')).toEqual([]);
  });

  it('goes on answering from what an older reader made where the newer one fails, and does not try again', async () => {
    const first = open();
    await uploaded(first, 'fees.md', FEES);
    await test.db.asTenant('default', (sql) => sql(`update document_version set reader = 'p2.c2'`));
    await test.db.asTenant('default', (sql) => sql(`update document_version set reader_failed = 'p0.c0'`));
    const before = await first.regulation.documents('default');
    await test.db.asTenant('default', (sql) => sql(`update document_version set reader = 'p2.c2x'`));
    let tries = 0;
    const failing: DocumentReader = {
      read: async () => {
        tries += 1;
        throw new InvalidDataError('No more.', 'Nothing.');
      },
      close: async () => {},
    };
    for (const _ of [1, 2]) {
      const box = open({ reader: failing });
      await box.regulation.start();
      await box.settled();
      const after = await box.regulation.documents('default');
      expect(after).toMatchObject([{ state: 'ready', passages: before[0]?.passages, reason: 'No more. Nothing.' }]);
    }
    expect(tries).toBe(1);
  });

  it('answers from what is in force: an older version uploaded later, one that begins later and one that ended answer nothing', async () => {
    const box = open();
    const ask = async () => {
      const { sentences } = await box.regulation.ask(ADA, 'How much is the annual fee for a smart meter?');
      return /\d+ EUR/.exec(sentences.map(({ text }) => text).join(' '))?.[0] ?? null;
    };
    const dated = (eur: number, version: string, days: object) =>
      uploaded(box, 'fees.md', FEES.replace('20 EUR', `${eur} EUR`), { title: 'Fees', version, ...days });
    const { id } = await dated(20, 'now', { valid_from: '2024-01-01' });
    await dated(10, 'old', { valid_from: '2020-01-01', valid_to: '2023-12-31' });
    const state = await dated(90, 'later', { valid_from: '2999-01-01' });
    expect(await ask()).toBe('20 EUR');
    expect([state, ...state.others].map(({ version, standing }) => [version, standing])).toEqual([
      ['later', 'not_yet'],
      ['old', 'replaced'],
      ['now', 'in_force'],
    ]);
    const ended = await box.regulation.changeVersion(ADA, id, 'now', { valid_to: '2025-01-01' });
    expect(ended.others.find(({ version }) => version === 'now')?.standing).toBe('replaced');
    expect(await ask()).toBeNull();
    await box.regulation.changeVersion(ADA, id, 'later', { valid_from: '2025-01-02' });
    expect(await ask()).toBe('90 EUR');
    const change = (version: string, days: object) => box.regulation.changeVersion(ADA, id, version, days);
    await expect(change('now', { valid_from: '2026-01-01' })).rejects.toThrow(/is before the first/);
    await expect(change('now', { valid_to: '2026-02-30' })).rejects.toThrow(/is no day/);
    await expect(change('now', { replaced_by: 'now' })).rejects.toThrow(/cannot be replaced by version now/);
    await expect(change('none', {})).rejects.toThrow(/no version none/);
  });

  it('lends a document to all organisations, who can read and cite it but not change it', async () => {
    const box = open();
    const { id } = await uploaded(box, 'fees.md', FEES);
    const bob = actorOf('other');
    const ask = async () => (await box.regulation.ask(bob, 'How much is the annual fee?')).status;
    expect(await ask()).toBe('abstained');
    await expect(box.regulation.share(bob, id, { shared: true })).rejects.toThrow(NotFoundError);
    expect(await box.regulation.share(ADA, id, { shared: true })).toMatchObject({ shared: true, own: true });
    expect(await ask()).toBe('answered');
    expect(await box.regulation.documents('other')).toMatchObject([{ id, shared: true, own: false }]);
    expect((await box.regulation.file('other', id)).name).toBe('fees.md');
    await expect(box.regulation.remove(bob, id)).rejects.toThrow(/belongs to another organisation/);
    await expect(box.regulation.changeVersion(bob, id, '1', { valid_to: '2020-01-01' })).rejects.toThrow(/another/);
    for (const change of [
      'delete from passage',
      `update document set title = 'x'`,
      `update document_version set sha256 = 'x'`,
    ])
      await test.db.asTenant('other', (sql) => sql(change));
    expect(await box.regulation.documents('default')).toMatchObject([{ title: 'fees', passages: 1 }]);
    const own = await box.regulation.upload(bob, { name: 'fees.md', bytes: bytesOf(FEES) });
    await box.settled();
    await expect(box.regulation.share(bob, own.id, { shared: true })).rejects.toThrow(/runs the box/);
    await box.regulation.remove(bob, own.id);
    await box.regulation.share(ADA, id, { shared: false });
    expect(await ask()).toBe('abstained');
    await box.regulation.share(ADA, id, { shared: true });
    await box.regulation.remove(ADA, id);
    expect(await ask()).toBe('abstained');
  });

  it('shows a tenant nothing of another', async () => {
    const box = open();
    const { id } = await uploaded(box, 'fees.md', FEES);
    const bob = actorOf('other');
    expect(await box.regulation.documents('other')).toEqual([]);
    expect(await box.regulation.ask(bob, 'How much is the annual fee?')).toEqual({
      status: 'abstained',
      sentences: [],
      nearest: [],
    });
    await expect(box.regulation.file('other', id)).rejects.toThrow(NotFoundError);
    await expect(box.regulation.marks('other', id, '1', 0, 'fee')).rejects.toThrow(NotFoundError);
    await expect(box.regulation.remove(bob, id)).rejects.toThrow(NotFoundError);
    expect((await box.regulation.upload(bob, { name: 'fees.md', bytes: bytesOf(FEES) })).id).not.toBe(id);
  });
});
