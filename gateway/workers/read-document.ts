/** Reads an uploaded file in a bounded process: bytes in; how far it is, and at the end text, layout and passages out. */
import { getDocumentProxy } from 'unpdf';
import { InvalidDataError } from '../../engine/errors.ts';
import { documentOfPages, documentOfText } from '../../engine/rag/document.ts';
import type { Language } from '../../engine/rag/language.ts';
import type { Page, PageItem } from '../../engine/rag/page.ts';
import type { PassagePiece } from '../../engine/rag/passages.ts';
import { pack } from '../document-text.ts';

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

type PdfDocument = Awaited<ReturnType<typeof getDocumentProxy>>;
type PdfPage = Awaited<ReturnType<PdfDocument['getPage']>>;

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
    return await getDocumentProxy(bytes, { verbosity: 0, disableFontFace: true });
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
    const page = await pdf.getPage(number);
    const { width, height } = page.getViewport({ scale: 1 });
    const items = await itemsOf(page);
    page.cleanup();
    return { number, width, height, items };
  } catch (error) {
    throw new InvalidDataError(
      `Page ${number} of the PDF is broken: ${(error as Error).message}`,
      'Open it in a PDF viewer, print it to a new PDF and upload that.',
    );
  }
}

/** Text runs with their boxes as seen on the page, its rotation included. */
async function itemsOf(page: PdfPage): Promise<PageItem[]> {
  const { transform } = page.getViewport({ scale: 1 });
  const content = await page.getTextContent();
  return content.items.flatMap((item) => {
    if (!('str' in item) || item.str === '') return [];
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = multiply(transform, item.transform);
    const upright = Math.abs(a) >= Math.abs(b);
    const size = Math.hypot(c, d) || item.height;
    // Text that runs up or down the page (a stamp in the margin) is no line of the document.
    if (!upright) return [];
    return [{ text: item.str, x: e, y: f - size * ASCENT, width: item.width, height: size, font: item.fontName }];
  });
}

/** Share of the font size above the baseline. */
const ASCENT = 0.8;

function multiply(m: readonly number[], n: readonly number[]): number[] {
  const [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0] = m;
  const [A = 1, B = 0, C = 0, D = 1, E = 0, F = 0] = n;
  return [a * A + c * B, b * A + d * B, a * C + c * D, b * C + d * D, a * E + c * F + e, b * E + d * F + f];
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
