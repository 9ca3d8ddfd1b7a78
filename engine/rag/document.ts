/** A document as it was read: its full text, where the text stands on its pages, and its passages. */
import { InvalidDataError } from '../errors.ts';
import { withContents } from './contents.ts';
import { type Flow, flowOfLines, type Segment } from './flow.ts';
import { withNotes } from './footnotes.ts';
import { withoutFurniture } from './furniture.ts';
import { flowOfHtml } from './html.ts';
import { detectLanguage, type Language } from './language.ts';
import { outline, type Place } from './outline.ts';
import { linesOf, type Page } from './page.ts';
import { type PassagePiece, passagesOf } from './passages.ts';
import { flowOfText } from './plain-text.ts';

export type PageBox = { number: number; width: number; height: number };
/** What is kept of a version besides its file: passages and quotes point into `text`. */
export type DocumentText = { text: string; pages: PageBox[]; segments: Segment[]; headings: Place[] };
export type DocumentFault = { where: string; problem: string };
export type ReadDocument = DocumentText & {
  language: Language;
  passages: PassagePiece[];
  /** What is doubtful without keeping it from being read. */
  faults: DocumentFault[];
  /** Pages whose text was recognised from pictures, and so may be wrong. */
  ocr_pages: number;
};

const FEWEST_LETTERS_ON_PAGE = 30;
const SHARE_OF_PAGES_WITH_TEXT = 0.5;
const FEWEST_WORDS = 10;
/** Share of a page's letters that nobody can see: they were put there by text recognition. */
const MOSTLY_HIDDEN = 0.5;

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
  return { ...finish(flowOfLines(withContents(withNotes(lines))), boxes), ...doubtsOf(pages) };
}

/** Pages without text, and pages whose text lies unseen over a picture. */
function doubtsOf(pages: readonly Page[]): Pick<ReadDocument, 'faults' | 'ocr_pages'> {
  const empty = pages.filter((page) => lettersOf(page) < FEWEST_LETTERS_ON_PAGE).map(({ number }) => number);
  const recognised = pages.filter(({ hidden = 0 }) => hidden > MOSTLY_HIDDEN).map(({ number }) => number);
  const faults: DocumentFault[] = [];
  if (recognised.length > 0)
    faults.push({
      where: pagesIn(recognised),
      problem: 'The text was recognised from a picture (OCR) and may be wrong: compare quotes with the page.',
    });
  if (empty.length > 0)
    faults.push({ where: pagesIn(empty), problem: 'There is hardly any text: nothing on a picture can be found.' });
  return { faults, ocr_pages: recognised.length };
}

/** `Pages 3, 5–7`. */
function pagesIn(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last && number === last[1] + 1) last[1] = number;
    else runs.push([number, number]);
  }
  const shown = runs.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(', ');
  return `${numbers.length === 1 ? 'Page' : 'Pages'} ${shown}`;
}

/** @throws InvalidDataError for a text without words. */
export function documentOfText(source: string, format: 'markdown' | 'text' | 'html'): ReadDocument {
  return finish(format === 'html' ? flowOfHtml(source) : flowOfText(source, format), []);
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
      'Upload a PDF, a Word file, HTML, Markdown or plain text with sentences.',
    );
  return {
    text: flow.text,
    segments: flow.segments,
    headings,
    pages,
    language: detectLanguage(flow.text),
    passages,
    faults: [],
    ocr_pages: 0,
  };
}
