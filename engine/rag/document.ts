/** A document as it was read: its full text, where the text stands on its pages, and its passages. */
import { InvalidDataError } from '../errors.ts';
import { withContents } from './contents.ts';
import { type Flow, flowOfLines, type Segment } from './flow.ts';
import { withNotes } from './footnotes.ts';
import { withoutFurniture } from './furniture.ts';
import { detectLanguage, type Language } from './language.ts';
import { outline, type Place } from './outline.ts';
import { linesOf, type Page } from './page.ts';
import { type PassagePiece, passagesOf } from './passages.ts';
import { flowOfText } from './plain-text.ts';

export type PageBox = { number: number; width: number; height: number };
/** What is kept of a version besides its file: passages and quotes point into `text`. */
export type DocumentText = { text: string; pages: PageBox[]; segments: Segment[]; headings: Place[] };
export type ReadDocument = DocumentText & { language: Language; passages: PassagePiece[] };

const FEWEST_LETTERS_ON_PAGE = 30;
const SHARE_OF_PAGES_WITH_TEXT = 0.5;
const FEWEST_WORDS = 10;

/** @throws InvalidDataError where most pages have no text (scans). */
export function documentOfPages(pages: readonly Page[]): ReadDocument {
  const withText = pages.filter((page) => lettersOf(page) >= FEWEST_LETTERS_ON_PAGE).length;
  if (withText < SHARE_OF_PAGES_WITH_TEXT * pages.length)
    throw new InvalidDataError(
      `${pages.length - withText} of ${pages.length} pages have no text: this looks like a scan.`,
      'Run text recognition (OCR) over it, e.g. with ocrmypdf, and upload the result.',
    );
  const boxes = pages.map(({ number, width, height }) => ({ number, width, height }));
  const lines = withoutFurniture(pages.flatMap(linesOf), boxes);
  return finish(flowOfLines(withContents(withNotes(lines))), boxes);
}

/** @throws InvalidDataError for a text without words. */
export function documentOfText(source: string, format: 'markdown' | 'text'): ReadDocument {
  return finish(flowOfText(source, format), []);
}

function lettersOf({ items }: Page): number {
  return items.reduce((sum, { text }) => sum + (text.match(/[\p{L}\p{N}]/gu)?.length ?? 0), 0);
}

function finish(flow: Flow, pages: PageBox[]): ReadDocument {
  const { sections, headings } = outline(flow);
  const passages = passagesOf(flow, sections);
  const words = passages.reduce((sum, { text }) => sum + text.split(/\s+/).length, 0);
  if (words < FEWEST_WORDS)
    throw new InvalidDataError(
      'The file holds no running text.',
      'Upload a PDF, Markdown or plain text with sentences.',
    );
  return { text: flow.text, segments: flow.segments, headings, pages, language: detectLanguage(flow.text), passages };
}
