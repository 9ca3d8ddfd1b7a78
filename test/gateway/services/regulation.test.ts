import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import type { DocumentReader } from '../../../gateway/workers/document-reader.ts';
import { linesAt, pdfOf } from '../workers/pdfs.ts';
import { ADA, actorOf, bytesOf, FEES, openRegulationTest, type RegulationTest } from './regulation-box.ts';

const HIGHER = FEES.replace('20 EUR', '35 EUR');

describe('regulation', () => {
  let set: RegulationTest;
  beforeAll(async () => {
    set = await openRegulationTest();
  });
  afterEach(() => set.clear());
  afterAll(() => set.close());
  const open: RegulationTest['open'] = (options) => set.open(options);
  const uploaded: RegulationTest['uploaded'] = (...args) => set.uploaded(...args);

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
    await set.test.db.asTenant('default', (sql) =>
      sql('update passage set start_at = start_at + 1, end_at = end_at + 1'),
    );
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
    await set.test.db.asTenant('default', (sql) => sql(`update document_version set state = 'reading'`));
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
        return set.reader.read(file, options);
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
