/** Headings that were found, against the outline (bookmarks) that the authors of a PDF put into it. */
import { getDocumentProxy } from 'unpdf';
import type { Place } from '../../../engine/rag/outline.ts';

/** `placed` false: the entry leads to a page as a whole, as those do that stand for a file that was joined in. */
export type OutlineEntry = { title: string; page: number; placed: boolean };
export type HeadingScore = {
  entries: number;
  found: number;
  headings: number;
  right: number;
  wrong: string[];
  missed: string[];
};

type Item = { title: string; dest: string | unknown[] | null; items: Item[] };

export async function outlineOf(bytes: Uint8Array): Promise<OutlineEntry[]> {
  const pdf = await getDocumentProxy(bytes.slice(), { verbosity: 0 });
  const entries: OutlineEntry[] = [];
  const walk = async (items: readonly Item[]): Promise<void> => {
    for (const { title, dest, items: below } of items) {
      const place = typeof dest === 'string' ? await pdf.getDestination(dest) : dest;
      if (place) {
        const page = (await pdf.getPageIndex(place[0] as Parameters<typeof pdf.getPageIndex>[0])) + 1;
        entries.push({ title, page, placed: typeof place[3] === 'number' });
      }
      await walk(below);
    }
  };
  await walk(((await pdf.getOutline()) ?? []) as Item[]);
  await pdf.loadingTask.destroy();
  return entries;
}

/**
 * An entry with a place is found when a heading of the same words stands on its page, each heading for one entry; an
 * entry for a whole page when a heading begins there. A heading is right when an entry has found it or when it begins
 * the page of such an entry. Where the outline names a joined file and nothing inside it, it says nothing about the
 * headings inside, and they are not counted.
 */
export function scoreHeadings(entries: readonly OutlineEntry[], headings: readonly Place[]): HeadingScore {
  const used = new Set<Place>();
  const starts = new Set(entries.filter(({ placed }) => !placed).map(({ page }) => page));
  const missed: string[] = [];
  for (const { title, page, placed } of entries) {
    const here = headings.filter((heading) => heading.page === page && !used.has(heading));
    const heading = placed ? here.find(({ text }) => wordsOf(text) === wordsOf(title)) : here[0];
    if (!heading) missed.push(`${page} ${title}`);
    else if (placed) used.add(heading);
  }
  const silent = silentPages(entries);
  const counted = headings.filter((heading) => used.has(heading) || !silent(heading.page ?? 0));
  const wrong = counted.filter((heading) => !used.has(heading) && !starts.has(heading.page ?? 0));
  return {
    ...{ entries: entries.length, found: entries.length - missed.length, headings: counted.length, missed },
    ...{ right: counted.length - wrong.length, wrong: wrong.map(({ page, text }) => `${page} ${text}`) },
  };
}

/** Pages after the first of a joined file of which the outline names no heading. */
function silentPages(entries: readonly OutlineEntry[]): (page: number) => boolean {
  const starts = entries.filter(({ placed }) => !placed).map(({ page }) => page);
  const spans = starts.flatMap((from, i) => {
    const to = starts[i + 1] ?? Number.POSITIVE_INFINITY;
    return entries.some(({ placed, page }) => placed && page >= from && page < to) ? [] : [{ from, to }];
  });
  return (page) => spans.some(({ from, to }) => page > from && page < to);
}

function wordsOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}
