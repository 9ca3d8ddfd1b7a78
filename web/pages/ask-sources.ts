/** What a question was, what was read for it, what the answer cites, and the numbers of its sources. */
import type { Ui } from '../ui.ts';

export type Source = {
  document: string;
  document_title: string;
  version: string;
  page: number | null;
  section: string;
};
/** How a version stands on the day that was asked about. */
export type Standing = 'in_force' | 'replaced' | 'ended' | 'not_yet';
export type Read = Source & { text: string; standing?: Standing | null };
export type Citation = Source & { quote: string; standing?: Standing | null };
/** A figure of this site that a sentence stands on: prices, readings, a plan. */
export type Figure = { title: string; href: string; quote: string };
export type Sentence = { text: string; citations: readonly Citation[]; figures?: readonly Figure[] };

export type Turn = {
  /** Of this turn on the page; of the stored answer where `is_kept`. */
  id: string;
  is_kept: boolean;
  question: string;
  /** The day whose law was asked for, `YYYY-MM-DD`; null: that of the question. */
  as_of: string | null;
  status: 'working' | 'answered' | 'abstained' | 'asking' | 'stopped' | 'failed';
  /** Why there is no answer, in a sentence. */
  reason: string | null;
  /** What was read before answering, best first. */
  read: readonly Read[];
  sentences: readonly Sentence[];
  nearest: readonly Read[];
  /** Name of the language model; null: sentences of the documents as they stand there. */
  model: string | null;
  /** The model was to word it and failed so; the sentences are quotes then. */
  model_fault: string | null;
  /** Sentences of the model that could not be proved and were left out. */
  dropped: number;
  /** What the person has to say before it goes on. */
  asking: { text: string; options: readonly { id: string; label: string }[] } | null;
  /** A task that exists once somebody confirms it. */
  task: { title: string; is_confirmed: boolean } | null;
  feedback: 'useful' | 'not_useful' | null;
};

export type Numbering = {
  /** The number of a place that is cited; the same place has the same number. */
  of(source: Citation | Figure): number;
  all(): { n: number; source: Citation | Figure }[];
};
export function createNumbering(): Numbering {
  const known = new Map<string, { n: number; source: Citation | Figure }>();
  return {
    of(source) {
      const key = JSON.stringify(
        isFigure(source) ? [source.href, source.quote] : [source.document, source.version, source.page, source.quote],
      );
      const entry = known.get(key) ?? { n: known.size + 1, source };
      known.set(key, entry);
      return entry.n;
    },
    all: () => [...known.values()],
  };
}

export function isFigure(source: Citation | Figure): source is Figure {
  return 'href' in source;
}

/** The page of the document with the passage marked. */
export function sourceAddress(source: Source, quote: string): string {
  const query = new URLSearchParams({ version: source.version, quote });
  if (source.page !== null) query.set('page', String(source.page));
  return `/documents/${encodeURIComponent(source.document)}?${query.toString()}`;
}

/** Title, section and page in one line. */
export function placeOf(source: Source, ui: Ui): string {
  const page = source.page === null ? '' : ui.t('ask.page', { page: source.page });
  const section = source.section.replace(/(§§?|Art\.|Abs\.) /g, '$1\u00a0');
  return [source.document_title, section, page].filter(Boolean).join(' · ');
}
