/** Reads an uploaded file in a bounded process: bytes in; how far it is, and at the end text, layout and passages out. */
import mammoth from 'mammoth';
import { getDocumentProxy } from 'unpdf';
import { InvalidDataError } from '../../engine/errors.ts';
import { type DocumentFault, documentOfPages, documentOfText, type ReadDocument } from '../../engine/rag/document.ts';
import type { Language } from '../../engine/rag/language.ts';
import type { Page } from '../../engine/rag/page.ts';
import type { PassagePiece } from '../../engine/rag/passages.ts';
import { shortNamesOf } from '../../engine/rag/short-names.ts';
import { pack } from '../document-text.ts';
import { type PdfDocument, readPdfPage } from './pdf-page.ts';

export type DocumentFormat = 'pdf' | 'markdown' | 'html' | 'text' | 'docx';
export type ReadInput = {
  bytes: Uint8Array;
  format: DocumentFormat;
  limits: { pages: number; characters: number };
};
/** Small for the thread that takes it: texts and places come packed, as they are stored. */
export type ReadOutput = {
  language: Language;
  /** Null for formats without pages. */
  pages: number | null;
  passages: PassagePiece[];
  faults: DocumentFault[];
  ocr_pages: number;
  /** By which the document calls itself. */
  short_names: string[];
  /** Gzipped JSON of StoredText and StoredLayout. */
  text: Uint8Array;
  layout: Uint8Array;
};
/** `done` of `total` pages; that all are there and sections are looked for; or the whole. */
export type ReadStep = { done: number; total: number } | { structure: true } | { output: ReadOutput };

export default async function* readDocument(input: ReadInput): AsyncGenerator<ReadStep> {
  const { format } = input;
  const read =
    format === 'pdf' ? pagesToDocument(yield* readPages(input)) : textToDocument(format, await textOf(input));
  yield { structure: true };
  const document = read();
  const { text, layout } = pack(document);
  const { language, passages, pages, faults, ocr_pages } = document;
  const short_names = shortNamesOf('', document.text);
  const counted = format === 'pdf' ? pages.length : null;
  yield { output: { language, passages, pages: counted, faults, ocr_pages, short_names, text, layout } };
}

function pagesToDocument(pages: Page[]): () => ReadDocument {
  return () => documentOfPages(pages);
}

function textToDocument(format: Exclude<DocumentFormat, 'pdf'>, text: string): () => ReadDocument {
  return () => documentOfText(text, format === 'docx' ? 'html' : format);
}

/** A Word file becomes HTML first. @throws InvalidDataError */
async function textOf({ bytes, format, limits }: ReadInput): Promise<string> {
  const text = format === 'docx' ? await htmlOfWord(bytes) : decodeText(bytes);
  if (text.length > limits.characters)
    throw new InvalidDataError(
      `The file holds more than ${limits.characters} characters of text.`,
      'Split it into parts and upload those.',
    );
  return text;
}

async function htmlOfWord(bytes: Uint8Array): Promise<string> {
  try {
    const { value } = await mammoth.convertToHtml({ buffer: Buffer.from(bytes) }, { convertImage: NO_PICTURE });
    return value;
  } catch (error) {
    throw new InvalidDataError(
      `The Word file is broken or protected and cannot be opened: ${(error as Error).message}`,
      'Open it in a word processor, save it without a password as .docx or PDF and upload that.',
    );
  }
}

const NO_PICTURE = mammoth.images.imgElement(async () => ({ src: '' }));
/** Programs that recognise text say so in the file; some of them write it so that it can be seen. */
const RECOGNISERS = /\bOCR|tesseract|abbyy|finereader|paper capture|scansoft|omnipage|readiris/i;

const PAGES_BETWEEN_CLEANUPS = 50;

async function* readPages({ bytes, limits }: ReadInput): AsyncGenerator<ReadStep, Page[]> {
  const pdf = await openPdf(bytes);
  if (pdf.numPages > limits.pages)
    throw new InvalidDataError(
      `The PDF has ${pdf.numPages} pages; at most ${limits.pages} are read.`,
      'Split it into parts and upload those.',
    );
  const pages: Page[] = [];
  const isRecognised = await wasRecognised(pdf);
  let characters = 0;
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const page = await readPage(pdf, number);
    characters += page.items.reduce((sum, { text }) => sum + text.length, 0);
    if (characters > limits.characters)
      throw new InvalidDataError(
        `The PDF holds more than ${limits.characters} characters of text.`,
        'Split it into parts and upload those.',
      );
    // Fonts and other things that pages share are let go of now and then: a joined file has many of them.
    if (number % PAGES_BETWEEN_CLEANUPS === 0) await pdf.cleanup();
    pages.push(isRecognised ? { ...page, hidden: 1 } : page);
    yield { done: number, total: pdf.numPages };
  }
  await pdf.loadingTask.destroy();
  return pages;
}

async function wasRecognised(pdf: PdfDocument): Promise<boolean> {
  const found = await pdf.getMetadata().catch(() => null);
  const { Producer, Creator } = (found?.info ?? {}) as Record<string, unknown>;
  return RECOGNISERS.test(`${Producer} ${Creator}`);
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
    throw new InvalidDataError(
      'The file is no text: it holds zero bytes.',
      'Upload a PDF, a Word file, HTML, Markdown or plain text.',
    );
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Older German texts.
    return new TextDecoder('windows-1252').decode(bytes);
  }
}
