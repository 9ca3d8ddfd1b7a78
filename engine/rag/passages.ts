/** Passages of about 80 to 250 words that can be quoted, cut along sections and their numbered paragraphs. */
import type { Passage, PassagePlace } from '../ports.ts';
import type { Flow, Paragraph } from './flow.ts';
import type { Language } from './language.ts';
import { outline, type Section } from './outline.ts';
import { sentencesOf } from './sentences.ts';

export type PassagePiece = Pick<Passage, 'page' | 'section' | 'text' | 'start' | 'end'> &
  Omit<PassagePlace, 'reader' | 'position'>;

const FEWEST_WORDS = 80;
const MOST_WORDS = 250;
/** A rest that is shorter joins the passage before it. */
const SHORT_REST = 40;
/** Less says nothing by itself, e.g. `(weggefallen)`. */
const SAYS_SOMETHING = 4;
type Piece = { start: number; end: number; page: number | null; words: number; marks: string };
type Marker = { kind: 'lower' | 'digit' | 'upper' | 'roman' | 'point'; text: string };

export function passagesOf(flow: Flow): PassagePiece[] {
  return outline(flow).flatMap((section) =>
    piecesOf(flow, section).map(({ start, end, page, marks }) => ({
      page,
      page_end: pageAt(flow, Math.max(start, end - 1)) ?? page,
      section: [section.path, marks].filter(Boolean).join(' '),
      headings: section.path === '' ? [] : section.path.split(' > '),
      number: numberOf(section.path),
      paragraph: marks || null,
      kind: 'text' as const,
      sentence: 1,
      text: flow.text.slice(start, end),
      start,
      end,
    })),
  );
}

/** `§ 14a`, `Article 5`, `3.2.1` of the innermost heading. */
function numberOf(path: string): string | null {
  const heading = path.slice(path.lastIndexOf(' > ') + 1).trim();
  return /^(?:§§?\s*\d+[a-z]{0,2}(?:\.\d+)*|\p{Lu}\p{L}+ \d+[a-z]?|\d+(?:\.\d+)+)/u.exec(heading)?.[0] ?? null;
}

/** Passages of a version, with ids that are the same whenever it is read. */
export function namePassages(
  pieces: readonly PassagePiece[],
  of: { document: string; document_title: string; version: string; language: Language },
): Passage[] {
  return pieces.map((piece, i) => ({ ...piece, ...of, position: i, id: `${of.document}:${of.version}:${i}` }));
}

function piecesOf(flow: Flow, section: Section): Piece[] {
  const pieces: Piece[] = [];
  for (const { outermost, ...part } of partsOf(flow, section)) {
    const open = pieces.at(-1);
    const fits = open && open.words + part.words <= MOST_WORDS && !(outermost && open.words >= FEWEST_WORDS);
    if (!open || !fits) pieces.push(part);
    else pieces[pieces.length - 1] = { ...open, end: part.end, words: open.words + part.words };
  }
  const last = pieces.at(-1);
  const before = pieces.at(-2);
  if (last && before && last.words < SHORT_REST && last.words + before.words <= MOST_WORDS + SHORT_REST)
    pieces.splice(-2, 2, { ...before, end: last.end, words: before.words + last.words });
  return pieces.filter(({ words }) => words >= SAYS_SOMETHING);
}

/** Paragraphs, long ones cut between sentences; each knows under which markers it stands. */
function partsOf(flow: Flow, { body }: Section): (Piece & { outermost: boolean })[] {
  let stack: Marker[] = [];
  return body.flatMap((paragraph) => {
    const found = markersOf(flow.text.slice(paragraph.start, paragraph.start + 40));
    for (const marker of found) stack = place(stack, marker);
    const marks = stack.map(({ text }) => `(${text})`).join('');
    const outermost = stack.length === 1 && found.at(-1)?.text === stack[0]?.text && found.at(-1)?.kind !== 'roman';
    return cut(flow, paragraph).map((span, i) => ({
      ...span,
      page: pageAt(flow, span.start) ?? paragraph.page,
      words: wordsIn(flow.text.slice(span.start, span.end)),
      marks,
      outermost: outermost && i === 0,
    }));
  });
}

/** `(a)(1) Text` opens two levels at once. */
function markersOf(text: string): Marker[] {
  const found: Marker[] = [];
  let rest = text;
  for (;;) {
    const marker = /^\(([a-z]{1,4}|\d{1,3}[a-z]?|[A-Z])\)\s*/.exec(rest);
    if (!marker?.[1]) break;
    found.push({ kind: kindOf(marker[1]), text: marker[1] });
    rest = rest.slice(marker[0].length);
  }
  const point = found.length === 0 ? /^(\d{1,2}[a-z]?)\.\s/.exec(rest)?.[1] : undefined;
  return point ? [{ kind: 'point', text: point }] : found;
}

function kindOf(text: string): Marker['kind'] {
  if (/^\d/.test(text)) return 'digit';
  if (/^[A-Z]$/.test(text)) return 'upper';
  return /^[ivx]{2,4}$/.test(text) ? 'roman' : 'lower';
}

/** A marker of a kind that is open goes on there; another kind opens a level. `(i)` after an (A) or (1) is roman. */
function place(stack: readonly Marker[], marker: Marker): Marker[] {
  const top = stack.at(-1);
  const isRoman = marker.text === 'i' && top !== undefined && !(top.kind === 'lower' && top.text === 'h');
  const kind = isRoman
    ? 'roman'
    : marker.kind === 'lower' && /^[vx]$/.test(marker.text) && top?.kind === 'roman'
      ? 'roman'
      : marker.kind;
  const open = stack.findIndex((entry) => entry.kind === kind);
  // Numbered points below a bracketed paragraph are too fine for a label.
  if (kind === 'point' && stack.length > 0 && open === -1) return [...stack];
  return [...(open === -1 ? stack : stack.slice(0, open)), { kind, text: marker.text }];
}

function cut(flow: Flow, { start, end }: Paragraph): { start: number; end: number }[] {
  const text = flow.text.slice(start, end);
  if (wordsIn(text) <= MOST_WORDS) return [{ start, end }];
  const pieces: { start: number; end: number }[] = [];
  let words = 0;
  for (const sentence of sentencesOf(text).flatMap((span) => chopped(text, span))) {
    const more = wordsIn(text.slice(sentence.start, sentence.end));
    const last = pieces.at(-1);
    if (last && words + more <= MOST_WORDS) last.end = start + sentence.end;
    else pieces.push({ start: start + sentence.start, end: start + sentence.end });
    words = last && words + more <= MOST_WORDS ? words + more : more;
  }
  return pieces;
}

/** A sentence longer than a passage (a list without full stops) is cut between words. */
function chopped(text: string, span: { start: number; end: number }): { start: number; end: number }[] {
  if (wordsIn(text.slice(span.start, span.end)) <= MOST_WORDS) return [span];
  const pieces: { start: number; end: number }[] = [];
  let words = 0;
  for (const found of text.slice(span.start, span.end).matchAll(/\S+/g)) {
    const at = span.start + found.index;
    const last = pieces.at(-1);
    if (last && words < MOST_WORDS) last.end = at + found[0].length;
    else {
      pieces.push({ start: at, end: at + found[0].length });
      words = 0;
    }
    words += 1;
  }
  return pieces;
}

function wordsIn(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}

/** The page on which the character at `offset` stands; segments ascend. */
export function pageAt({ segments }: Pick<Flow, 'segments'>, offset: number): number | null {
  let [low, high] = [0, segments.length];
  while (low < high) {
    const mid = (low + high) >> 1;
    if ((segments[mid]?.end ?? 0) <= offset) low = mid + 1;
    else high = mid;
  }
  return segments[low]?.page ?? segments.at(-1)?.page ?? null;
}
