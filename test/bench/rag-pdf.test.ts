/** How `bench -- rag-pdf` counts, and a sample of it on the smallest of the real files. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Place } from '../../engine/rag/outline.ts';
import { createDocumentReader } from '../../gateway/workers/document-reader.ts';
import { type OutlineEntry, scoreHeadings } from './rag-pdf/headings.ts';
import { pdfFolder } from './rag-pdf.bench.ts';

const heading = (text: string, page: number): Place => ({ text, page, level: 1, number: null, start: 0 });
const entry = (title: string, page: number, placed = true): OutlineEntry => ({ title, page, placed });

describe('headings against an outline', () => {
  const entries = [entry('file-1', 1, false), entry('1 Scope', 2), entry('2  Duties!', 3), entry('file-2', 5, false)];

  it('are right where their words stand on the same page, or where a joined file begins', () => {
    const found = [heading('Grid Code', 1), heading('1 SCOPE', 2), heading('2 Duties', 3), heading('Annex', 5)];
    expect(scoreHeadings(entries, found)).toMatchObject({ entries: 4, found: 4, headings: 4, right: 4 });
  });

  it('are wrong on another page, twice, or unnamed; those inside a file the outline is silent of are not counted', () => {
    const found = [heading('1 Scope', 2), heading('1 Scope', 2), heading('2 Duties', 4), heading('Inside', 6)];
    expect(scoreHeadings(entries, found)).toMatchObject({
      ...{ entries: 4, found: 1, headings: 3, right: 1, missed: ['1 file-1', '3 2  Duties!', '5 file-2'] },
      wrong: ['2 1 Scope', '4 2 Duties'],
    });
  });
});

describe('the scanned filing', () => {
  it.skipIf(pdfFolder() === null)('is read with all its pages marked as recognised text', async () => {
    const reader = createDocumentReader();
    try {
      const bytes = new Uint8Array(readFileSync(join(pdfFolder() ?? '', 'puct_58481_filing_scanned_ocr.pdf')));
      const { pages, ocr_pages, faults } = await reader.read({ bytes, format: 'pdf' });
      expect({ pages, ocr_pages }).toEqual({ pages: 9, ocr_pages: 9 });
      expect(faults[0]).toEqual({ where: 'Pages 1–9', problem: expect.stringMatching(/OCR.*may be wrong/) });
    } finally {
      await reader.close();
    }
  });
});
