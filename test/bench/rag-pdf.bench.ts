/** Real PDFs of regulation, read as the box reads them: time, memory, and whether the headings are those of the authors. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { getDocumentProxy } from 'unpdf';
import type { Place } from '../../engine/rag/outline.ts';
import { unpackText } from '../../gateway/document-text.ts';
import { createDocumentReader, type DocumentReader } from '../../gateway/workers/document-reader.ts';
import type { BenchOptions, BenchResult } from './options.ts';
import { outlineOf, scoreHeadings } from './rag-pdf/headings.ts';
import { watchGrowth } from './rag-pdf/memory.ts';

export const about =
  'PDFs joined to one of 500 pages, and headings against two outlines: --again N (75 pages twice), --verbose. Needs LUNA_BENCH_DATA.';

const AGAIN = 75;
const WITH_OUTLINE = /^ercot_planning_guide_/;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const folder = pdfFolder();
  if (folder === null) {
    const skipped = 'LUNA_BENCH_DATA does not point to the benchmark data';
    progress(skipped);
    return { pages: null, seconds: null, rss_growth_mb: null, heading_recall: null, heading_precision: null };
  }
  const names = readdirSync(folder).filter((name) => name.endsWith('.pdf'));
  const files = names.sort().map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(folder, name))) }));
  const joined = await joinPages(
    files.map(({ bytes }) => bytes),
    Number(options.again ?? AGAIN),
  );
  const read = await readJoined(joined, progress);
  const reader = createDocumentReader();
  try {
    const headings = await compareHeadings(
      files.filter(({ name }) => WITH_OUTLINE.test(name)),
      { reader, progress, verbose: options.verbose === 'true' },
    );
    return { ...read, ...headings };
  } finally {
    await reader.close();
  }
}

/** Null where the data is not there. */
export function pdfFolder(): string | null {
  const data = process.env.LUNA_BENCH_DATA ?? resolve(import.meta.dirname, '../../../shared/data');
  const folder = join(data, 'regulation/pdf');
  return existsSync(folder) ? folder : null;
}

/** All pages one after another in one file, and the first `again` of them once more. */
async function joinPages(files: readonly Uint8Array[], again: number): Promise<Uint8Array> {
  const join = async (
    first: Uint8Array,
    others: readonly { document: Uint8Array; includePages?: [number, number][] }[],
  ) => {
    const pdf = await getDocumentProxy(first.slice(), { verbosity: 0 });
    const made = await pdf.extractPages([{ document: null }, ...others]);
    await pdf.loadingTask.destroy();
    if (!made) throw new Error('the files could not be joined');
    return made;
  };
  const [first = new Uint8Array(), ...rest] = files;
  const once = await join(
    first,
    rest.map((document) => ({ document: document.slice() })),
  );
  if (again === 0) return once;
  return join(once, [{ document: once.slice(), includePages: [[0, again - 1]] }]);
}

async function readJoined(bytes: Uint8Array, progress: (line: string) => void) {
  progress(`reading ${(bytes.length / 1e6).toFixed(1)} MB`);
  const growth = watchGrowth();
  const begun = performance.now();
  const reader = createDocumentReader();
  try {
    const { pages, passages, ocr_pages } = await reader.read({ bytes, format: 'pdf' });
    const seconds = Math.round(performance.now() - begun) / 1000;
    const rss_growth_mb = Math.round(growth());
    progress(`${pages} pages, ${passages.length} passages, ${ocr_pages} pages with recognised text, ${seconds} s`);
    return { pages, seconds, rss_growth_mb };
  } finally {
    growth();
    await reader.close();
  }
}

type Comparing = { reader: DocumentReader; progress: (line: string) => void; verbose: boolean };

async function compareHeadings(
  files: readonly { name: string; bytes: Uint8Array }[],
  { reader, progress, verbose }: Comparing,
) {
  let [entries, found, counted, right] = [0, 0, 0, 0];
  for (const { name, bytes } of files) {
    const { text } = await reader.read({ bytes, format: 'pdf' });
    const headings: Place[] = (await unpackText(text)).headings ?? [];
    const score = scoreHeadings(await outlineOf(bytes), headings);
    progress(
      `${name}: ${score.found} of ${score.entries} entries found, ${score.right} of ${score.headings} headings right`,
    );
    if (verbose) for (const line of score.missed) progress(`  missed: ${line}`);
    if (verbose) for (const line of score.wrong) progress(`  not in the outline: ${line}`);
    entries += score.entries;
    found += score.found;
    counted += score.headings;
    right += score.right;
  }
  const share = (part: number, whole: number) => (whole === 0 ? null : Math.round((10_000 * part) / whole) / 10_000);
  return { heading_recall: share(found, entries), heading_precision: share(right, counted) };
}
