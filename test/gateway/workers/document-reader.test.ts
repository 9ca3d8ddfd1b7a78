import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InvalidDataError, UnavailableError } from '../../../engine/errors.ts';
import { pageOf, unpackLayout, unpackText } from '../../../gateway/document-text.ts';
import { createDocumentReader, type DocumentReader } from '../../../gateway/workers/document-reader.ts';
import { docxOf, paragraph, table } from './docx.ts';
import { bombPdf, drawnPdf, encryptedPdf, linesAt, pdfOf } from './pdfs.ts';

const WORDS = 'This rule applies to all meters that are read by the operator of the grid.';
const bytesOf = (text: string) => new TextEncoder().encode(text);

describe('document reader', () => {
  let reader: DocumentReader;
  beforeAll(() => {
    reader = createDocumentReader({ memory_MB: 200, timeout_ms: 15_000, pages: 20, characters: 20_000 });
  });
  afterAll(() => reader.close());
  const refusal = async (bytes: Uint8Array, format: 'pdf' | 'text' = 'pdf') => {
    const error = await reader.read({ bytes, format }).catch((reason: Error) => reason);
    expect(error).toBeInstanceOf(InvalidDataError);
    return `${(error as InvalidDataError).message} ${(error as InvalidDataError).remedy}`;
  };

  it('reads text with its places, and tells how far it is', async () => {
    const pages = [1, 2, 3].map((n) => linesAt(100, [`§ ${n} Title number ${n}`, WORDS, `It is rule ${n}.`]));
    const told: [number, number][] = [];
    const read = await reader.read(
      { bytes: await pdfOf(pages), format: 'pdf' },
      { onPage: (done, total) => told.push([done, total]) },
    );
    expect(read).toMatchObject({ pages: 3, language: 'en' });
    expect(read.passages.map(({ section, page }) => [section, page])).toEqual([
      ['§ 1 Title number 1', 1],
      ['§ 2 Title number 2', 2],
      ['§ 3 Title number 3', 3],
    ]);
    const stored = await unpackText(read.text);
    for (const { text, start, end } of read.passages) expect(stored.text.slice(start, end)).toBe(text);
    expect(read.passages.map(({ start }) => pageOf(stored, start))).toEqual([1, 2, 3]);
    const [first] = await unpackLayout(read.layout);
    expect(first).toMatchObject({ start: 0, page: 1, x: 72 });
    // 11 points high with its baseline at 100.
    expect(first?.y).toBeCloseTo(91.2, 0);
    expect(told.at(-1)).toEqual([3, 3]);
  });

  it('refuses what cannot be read, each with its reason and what to do', async () => {
    expect(await refusal(await encryptedPdf())).toMatch(/encrypted with a password.*Remove the password/);
    expect(await refusal(bytesOf('%PDF-1.7 and nothing else'))).toMatch(/broken/);
    expect(await refusal((await pdfOf([linesAt(100, [WORDS])])).slice(0, 300))).toMatch(/broken|no text/);
    expect(await refusal(await pdfOf([[], [], linesAt(100, [WORDS])]))).toMatch(/2 of 3 pages have no text.*OCR/);
    expect(await refusal(await pdfOf(Array.from({ length: 21 }, () => linesAt(100, [WORDS]))))).toMatch(
      /21 pages; at most 20/,
    );
    const lines = Array.from({ length: 50 }, () => WORDS);
    expect(await refusal(await pdfOf(Array.from({ length: 8 }, () => linesAt(20, lines, { size: 8 }))))).toMatch(
      /more than 20000 characters/,
    );
    expect(await refusal(bytesOf('a\0b'), 'text')).toMatch(/zero bytes/);
    expect(await refusal(bytesOf('   '), 'text')).toMatch(/no running text/);
  });

  it('reads Word files with their headings and tables, and refuses broken ones', async () => {
    const bytes = docxOf([
      paragraph('§ 4 Fees', 'Heading1'),
      paragraph(`(1) ${WORDS}`),
      table([
        ['Class', 'Limit'],
        ['A', '4.2 kW'],
      ]),
    ]);
    const { passages, pages } = await reader.read({ bytes, format: 'docx' });
    expect(pages).toBeNull();
    expect(passages.map(({ section, kind, text }) => [section, kind, text])).toEqual([
      ['§ 4 Fees (1)', 'text', `(1) ${WORDS}`],
      ['§ 4 Fees (1)', 'table', 'Class: A | Limit: 4.2 kW'],
    ]);
    const broken = reader.read({ bytes: bytes.slice(0, 300), format: 'docx' });
    await expect(broken).rejects.toThrow(/Word file is broken or protected/);
  });

  it('sees a drawn table and hidden text in a PDF as they are drawn', async () => {
    const bytes = await drawnPdf([
      { text: 'Class', x: 75, y: 110 },
      { text: 'Limit', x: 205, y: 110 },
      { text: 'A', x: 75, y: 140 },
      { text: '4.2 kW', x: 205, y: 140 },
      { text: WORDS, x: 72, y: 300 },
    ]);
    const { passages, ocr_pages } = await reader.read({ bytes, format: 'pdf' });
    expect(ocr_pages).toBe(0);
    expect(passages.map(({ kind, text }) => [kind, text])).toEqual([
      ['table', 'Class: A | Limit: 4.2 kW'],
      ['text', WORDS],
    ]);
    const hidden = await reader.read({ bytes: await drawnPdf([{ text: WORDS, x: 72, y: 300 }], true), format: 'pdf' });
    expect(hidden.ocr_pages).toBe(1);
    expect(hidden.faults).toEqual([{ where: 'Page 1', problem: expect.stringMatching(/OCR/) }]);
  });

  it('ends a file that unpacks to gigabytes at its limit, and reads the next one', async () => {
    expect(await refusal(await bombPdf(4000))).toMatch(/needed more than 200 MB and was stopped/);
    expect((await reader.read({ bytes: await pdfOf([linesAt(100, [WORDS])]), format: 'pdf' })).passages).toHaveLength(
      1,
    );
  });

  it('ends what takes too long, and what is interrupted', async () => {
    const hasty = createDocumentReader({ timeout_ms: 1 });
    const many = () => pdfOf(Array.from({ length: 200 }, () => linesAt(100, [WORDS])));
    await expect(hasty.read({ bytes: await many(), format: 'pdf' })).rejects.toThrow(/longer than 0.001 s/);
    await hasty.close();
    const stop = new AbortController();
    const reading = createDocumentReader().read({ bytes: await many(), format: 'pdf' }, { signal: stop.signal });
    void sleep(5).then(() => stop.abort());
    await expect(reading).rejects.toThrow(UnavailableError);
  });

  it('takes older German texts', async () => {
    const latin = Uint8Array.from(
      Buffer.from('Die Gebühr für die Übertragung beträgt zwölf Euro im Jahr, und sie ist fällig.', 'latin1'),
    );
    const { text, language } = await reader.read({ bytes: latin, format: 'text' });
    expect((await unpackText(text)).text).toContain('Gebühr für die Übertragung beträgt zwölf');
    expect(language).toBe('de');
  });
});
