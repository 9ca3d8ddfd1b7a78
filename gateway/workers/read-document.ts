/** Reads an uploaded file in a thread of its own (piscina task): bytes in, text, layout and passages out. */
import type { MessagePort } from 'node:worker_threads';
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
  /** Told `{done, total}` at the start (0 of 0) and after each page. */
  progress?: MessagePort;
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
/** Refusals come back as values, because errors lose their class on the way between threads. */
export type ReadOutcome = { output: ReadOutput } | { refused: string; remedy: string };

export default async function readDocument(input: ReadInput): Promise<ReadOutcome> {
  input.progress?.postMessage({ done: 0, total: 0 });
  try {
    const isPdf = input.format === 'pdf';
    const document = isPdf
      ? documentOfPages(await readPages(input))
      : documentOfText(decodeText(input.bytes), input.format === 'text' ? 'text' : 'markdown');
    const { text, layout } = pack(document);
    const { language, passages, pages } = document;
    return { output: { language, passages, pages: isPdf ? pages.length : null, text, layout } };
  } catch (error) {
    if (error instanceof InvalidDataError) return { refused: error.message, remedy: error.remedy ?? '' };
    throw error;
  } finally {
    input.progress?.close();
  }
}

type PdfDocument = Awaited<ReturnType<typeof getDocumentProxy>>;
type PdfPage = Awaited<ReturnType<PdfDocument['getPage']>>;

async function readPages({ bytes, limits, progress }: ReadInput): Promise<Page[]> {
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
    progress?.postMessage({ done: number, total: pdf.numPages });
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
