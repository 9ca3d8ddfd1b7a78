/** How a version's text and the places of its runs are stored beside its file: gzipped JSON. */
import { promisify } from 'node:util';
import { gunzip, gzipSync } from 'node:zlib';
import type { ReadDocument } from '../engine/rag/document.ts';
import type { Segment } from '../engine/rag/flow.ts';
import type { Place } from '../engine/rag/outline.ts';

export type StoredText = {
  text: string;
  /** In order; `start` is the offset of the page's first character. Empty for formats without pages. */
  pages: { number: number; width: number; height: number; start: number }[];
  /** In order, each with its offset in the text. Left out by readers of old. */
  headings?: Place[];
};
/** Per run of text: start, end, page, x, y, width, height. */
type StoredLayout = [number, number, number, number, number, number, number][];

const unzip = promisify(gunzip);
/** What a stored text may unpack to; more is no text of ours. */
const LONGEST_BYTES = 512 * 1024 ** 2;

export function pack(document: ReadDocument): { text: Uint8Array; layout: Uint8Array } {
  const starts = new Map<number, number>();
  for (const { page, start } of document.segments) if (!starts.has(page)) starts.set(page, start);
  let start = 0;
  const pages = document.pages.map((page) => {
    // A page without text begins where the one before it did.
    start = starts.get(page.number) ?? start;
    return { ...page, start };
  });
  const layout: StoredLayout = document.segments.map(({ start, end, page, x, y, width, height }) => [
    start,
    end,
    page,
    ...round(x, y, width, height),
  ]);
  return {
    text: zip({ text: document.text, pages, headings: document.headings } satisfies StoredText),
    layout: zip(layout),
  };
}

/** A tenth of a point is finer than print. */
function round(...values: [number, number, number, number]): [number, number, number, number] {
  return values.map((value) => Math.round(value * 10) / 10) as [number, number, number, number];
}

function zip(value: unknown): Uint8Array {
  return gzipSync(JSON.stringify(value), { level: 6 });
}

export async function unpackText(bytes: Uint8Array): Promise<StoredText> {
  return JSON.parse((await unzip(bytes, { maxOutputLength: LONGEST_BYTES })).toString('utf8'));
}

export async function unpackLayout(bytes: Uint8Array): Promise<Segment[]> {
  const stored = JSON.parse((await unzip(bytes, { maxOutputLength: LONGEST_BYTES })).toString('utf8')) as StoredLayout;
  return stored.map(([start, end, page, x, y, width, height]) => ({ start, end, page, x, y, width, height }));
}

/** The page on which an offset of the text stands, or null for formats without pages. */
export function pageOf({ pages }: Pick<StoredText, 'pages'>, offset: number): number | null {
  let found: number | null = pages[0]?.number ?? null;
  for (const { number, start } of pages) {
    if (start > offset) break;
    found = number;
  }
  return found;
}
