import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import { readerIdentity } from '../../../engine/rag/identity.ts';
import type { DocumentReader } from '../../../gateway/workers/document-reader.ts';
import { ADA, actorOf, bytesOf, FEES, openRegulationTest, type RegulationTest } from './regulation-box.ts';

const NOW = readerIdentity();

describe('a document', () => {
  let set: RegulationTest;
  beforeAll(async () => {
    set = await openRegulationTest();
  });
  afterEach(() => set.clear());
  afterAll(() => set.close());
  const open: RegulationTest['open'] = (options) => set.open(options);
  const uploaded: RegulationTest['uploaded'] = (...args) => set.uploaded(...args);

  it('is read again by a newer reader beside what answers, and an older text goes when nothing points to it', async () => {
    const first = open();
    const { id } = await uploaded(first, 'fees.md', FEES);
    await set.test.db.asTenant('default', (sql) => sql(`update document_version set reader = 'p1.c1'`));
    const [row] = await set.test.db.asTenant('default', (sql) =>
      sql<{ sha256: string }>('select sha256 from document_version'),
    );
    const folder = `documents/${row?.sha256}`;
    for (const part of ['text.json.gz', 'layout.json.gz']) {
      await set.files.write(
        'default',
        `${folder}/p1.c1/${part}`,
        await set.files.read('default', `${folder}/${NOW}/${part}`),
      );
      await set.files.remove('default', `${folder}/${NOW}/${part}`);
    }
    const answers: unknown[] = [];
    const watching: DocumentReader = {
      read: async (file, options) => {
        answers.push((await second.regulation.ask(ADA, 'How much is the annual fee?')).status);
        return set.reader.read(file, options);
      },
      close: async () => {},
    };
    const second = open({ reader: watching });
    await second.regulation.start();
    await second.settled();
    expect(answers).toEqual(['answered']);
    expect((await second.regulation.ask(ADA, 'How much is the annual fee?')).status).toBe('answered');
    expect(await second.regulation.document('default', id)).toMatchObject({ state: 'ready', passages: 1, stage: null });
    await expect(set.files.read('default', `${folder}/p1.c1/text.json.gz`)).rejects.toThrow(NotFoundError);
    const third = open();
    await third.regulation.start();
    await third.settled();
    expect(third.events.filter(({ type }) => type === 'documents')).toEqual([]);
  });

  it('goes on answering from what an older reader made where the newer one fails, and does not try again', async () => {
    const first = open();
    await uploaded(first, 'fees.md', FEES);
    await set.test.db.asTenant('default', (sql) => sql('update document_version set reader = $1', [NOW]));
    await set.test.db.asTenant('default', (sql) => sql(`update document_version set reader_failed = 'p0.c0'`));
    const before = await first.regulation.documents('default');
    await set.test.db.asTenant('default', (sql) => sql(`update document_version set reader = 'p0.c1'`));
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

  it('loses one version: the one before answers again, and the last one takes the document with it', async () => {
    const box = open();
    const now = FEES.replace('20 EUR', '30 EUR');
    const { id } = await uploaded(box, 'fees.md', FEES, { title: 'Fees', version: 'old', valid_from: '2020-01-01' });
    await uploaded(box, 'fees-now.md', now, { title: 'Fees', version: 'now', valid_from: '2024-01-01' });
    const said = async () => (await box.regulation.ask(ADA, 'How much is the annual fee?')).sentences[0]?.text;
    expect(await said()).toContain('30 EUR');
    await box.regulation.changeVersion(ADA, id, 'old', { replaced_by: 'now' });
    const bob = actorOf('other');
    await expect(box.regulation.removeVersion(bob, id, 'now')).rejects.toThrow(NotFoundError);
    await expect(box.regulation.removeVersion(ADA, id, 'none')).rejects.toThrow(NotFoundError);
    const gone = (await box.regulation.file('default', id, 'now')).bytes;
    await box.regulation.removeVersion(ADA, id, 'now');
    expect(await said()).toContain('20 EUR');
    expect(await box.regulation.document('default', id)).toMatchObject({
      version: 'old',
      others: [],
      replaced_by: null,
    });
    await expect(box.regulation.file('default', id, 'now')).rejects.toThrow(NotFoundError);
    // The same bytes may come again, as a version of their own.
    const again = await box.regulation.upload(ADA, { name: 'fees-now.md', bytes: gone, title: 'Fees', version: 'new' });
    await box.settled();
    expect(again.id).toBe(id);
    expect(await said()).toContain('30 EUR');
    for (const version of ['new', 'old']) await box.regulation.removeVersion(ADA, id, version);
    expect(await box.regulation.documents('default')).toEqual([]);
    expect(await said()).toBeUndefined();
    expect(box.audits?.flat()).toContain('document.version.remove');
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
      await set.test.db.asTenant('other', (sql) => sql(change));
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
});
