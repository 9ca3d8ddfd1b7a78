/** Reads an uploaded file in a bounded process: bytes in; how far it is, and at the end text, layout and passages out. */
import { getDocumentProxy } from 'unpdf';
import { InvalidDataError } from '../../engine/errors.ts';
import { documentOfPages, documentOfText } from '../../engine/rag/document.ts';
import type { Language } from '../../engine/rag/language.ts';
import type { Page } from '../../engine/rag/page.ts';
import type { PassagePiece } from '../../engine/rag/passages.ts';
import { pack } from '../document-text.ts';
import { type PdfDocument, readPdfPage } from './pdf-page.ts';

export type ReadInput = {
  bytes: Uint8Array;
  format: 'pdf' | 'markdown' | 'text';
  limits: { pages: number; characters: number };
};
/** Small for the thread that takes it: texts and places come packed, as they are stored. */
export type ReadOutput = {
  language: Language;
  /** Null for formats without pages. */
  pages: number | null;
  passages: PassagePiece[];
  /** Gzipped JSON of StoredText and StoredLayout. */
  text: Uint8Array;
  layout: Uint8Array;
};
/** `done` of `total` pages, or the whole. */
export type ReadStep = { done: number; total: number } | { output: ReadOutput };

export default async function* readDocument(input: ReadInput): AsyncGenerator<ReadStep> {
  const isPdf = input.format === 'pdf';
  const document = isPdf
    ? documentOfPages(yield* readPages(input))
    : documentOfText(decodeText(input.bytes), input.format === 'text' ? 'text' : 'markdown');
  const { text, layout } = pack(document);
  const { language, passages, pages } = document;
  yield { output: { language, passages, pages: isPdf ? pages.length : null, text, layout } };
}

async function* readPages({ bytes, limits }: ReadInput): AsyncGenerator<ReadStep, Page[]> {
  const pdf = await openPdf(bytes);
  if (pdf.numPages > limits.pages)
    throw new InvalidDataError(
      `The PDF has ${pdf.numPages} pages; at most ${limits.pages} are read.`,
      'Split it into parts and upload those.',
    );
  const pages: Page[] = [];
  let characters = 0;
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const page = await readPage(pdf, number);
    characters += page.items.reduce((sum, { text }) => sum + text.length, 0);
    if (characters > limits.characters)
      throw new InvalidDataError(
        `The PDF holds more than ${limits.characters} characters of text.`,
        'Split it into parts and upload those.',
      );
    pages.push(page);
    yield { done: number, total: pdf.numPages };
  }
  await pdf.loadingTask.destroy();
  return pages;
}

async function openPdf(bytes: Uint8Array): Promise<PdfDocument> {
  try {
    // No picture is taken apart: only text and lines are read.
    return await getDocumentProxy(bytes, { verbosity: 0, disableFontFace: true, maxImageSize: 1 });
  } catch (error) {
    if ((error as Error).name === 'PasswordException')
      throw new InvalidDataError('The PDF is encrypted with a password.', 'Remove the password and upload it again.');
    throw new InvalidDataError(
      `The PDF is broken and cannot be opened: ${(error as Error).message}`,
      'Open it in a PDF viewer, print it to a new PDF and upload that.',
    );
  }
}

async function readPage(pdf: PdfDocument, number: number): Promise<Page> {
  try {
    return await readPdfPage(pdf, number);
  } catch (error) {
    throw new InvalidDataError(
      `Page ${number} of the PDF is broken: ${(error as Error).message}`,
      'Open it in a PDF viewer, print it to a new PDF and upload that.',
    );
  }
}

function decodeText(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes.includes(0))
    throw new InvalidDataError('The file is no text: it holds zero bytes.', 'Upload a PDF, Markdown or plain text.');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Older German texts.
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
