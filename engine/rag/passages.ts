/** Passages that can be quoted: one paragraph of a section each, long ones cut between their points or sentences. */
import type { Passage, PassagePlace } from '../ports.ts';
import type { Flow, Paragraph } from './flow.ts';
import type { Language } from './language.ts';
import { type Marker, markersOf, place } from './markers.ts';
import { pathOf, type Section, shownOf } from './outline.ts';
import { sentencesOf } from './sentences.ts';

export type PassagePiece = Pick<Passage, 'page' | 'section' | 'text' | 'start' | 'end'> &
  Omit<PassagePlace, 'reader' | 'position'>;

const MOST_WORDS = 250;
/** Points of a long paragraph are kept together up to here. */
const ENOUGH_WORDS = 80;
/** Paragraphs of so few words without a full stop (a form, an address) belong together. */
const FEW_WORDS = 8;
const LIST_ITEM = /^(?:[•▪●–—*-]\s|\p{Ll})/u;
const SENTENCE_END = /[.;:!?]["”’)\]]*$/;

type Span = { start: number; end: number; page: number | null };
type Part = Span & { words: number; marks: string };
/** One paragraph of a section with all that hangs on it: points, bullets, its closing words; or a table, or a footnote. */
type Unit = {
  kind: Paragraph['kind'];
  parts: Part[] /** Its first words announce what follows. */;
  announces: boolean;
};

export function passagesOf(flow: Flow, sections: readonly Section[]): PassagePiece[] {
  return sections.flatMap((section) => {
    const headings = section.headings.map(shownOf);
    const number = section.headings.findLast((heading) => heading.number !== null)?.number ?? null;
    const path = pathOf(section.headings);
    return unitsOf(flow, section).flatMap((unit) =>
      piecesOf(flow, unit).map(({ start, end, page, marks }) => ({
        page,
        page_end: pageAt(flow, Math.max(start, end - 1)) ?? page,
        section: [path, marks].filter(Boolean).join(' '),
        ...{ headings, number, paragraph: marks || null, kind: unit.kind },
        sentence:
          unit.kind === 'table' ? 1 : sentencesOf(flow.text.slice(unit.parts[0]?.start ?? start, start)).length + 1,
        text: flow.text.slice(start, end),
        ...{ start, end },
      })),
    );
  });
}

/** Passages of a version, with ids that are the same whenever the same reader reads it. */
export function namePassages(
  pieces: readonly PassagePiece[],
  of: { document: string; document_title: string; version: string; language: Language },
): Passage[] {
  return pieces.map((piece, i) => ({ ...piece, ...of, position: i, id: `${of.document}:${of.version}:${i}` }));
}

function unitsOf(flow: Flow, { body }: Section): Unit[] {
  const units: Unit[] = [];
  let stack: Marker[] = [];
  for (const paragraph of body) {
    const text = flow.text.slice(paragraph.start, paragraph.end);
    if (!/\p{L}{2}|\p{N}/u.test(text)) continue;
    const { kind } = paragraph;
    const found = kind === 'text' ? markersOf(text.slice(0, 40)) : [];
    for (const marker of found) stack = place(stack, marker);
    const marks = kind === 'footnote' ? '' : stack.map((marker) => `(${marker.text})`).join('');
    const part = { ...paragraph, page: pageAt(flow, paragraph.start) ?? paragraph.page, words: wordsIn(text), marks };
    const open = units.at(-1);
    const [top] = stack;
    const mark = found.at(-1);
    const isOutermost = stack.length === 1 && mark?.kind === top?.kind && mark?.text === top?.text;
    if (open && open.kind === kind && belongs(flow, open, { text, isOutermost, isMarked: stack.length > 0 }))
      open.parts.push(part);
    else units.push({ kind, parts: [part], announces: found.length === 0 && text.endsWith(':') });
  }
  return units;
}

type Next = { text: string; isOutermost: boolean; isMarked: boolean };

/** Whether a paragraph hangs on the unit before it. */
function belongs(flow: Flow, open: Unit, { text, isOutermost, isMarked }: Next): boolean {
  if (open.kind === 'table') return true;
  if (open.kind === 'footnote') return false;
  if (open.announces && (isMarked || LIST_ITEM.test(text))) return true;
  if (isMarked) return !isOutermost;
  if (LIST_ITEM.test(text)) return true;
  const last = open.parts.at(-1);
  if (!last) return false;
  const before = flow.text.slice(last.start, last.end);
  return [before, text].every((one) => wordsIn(one) < FEW_WORDS && !SENTENCE_END.test(one));
}

function piecesOf(flow: Flow, { parts, kind }: Unit): Part[] {
  const words = parts.reduce((sum, part) => sum + part.words, 0);
  const [first] = parts;
  if (!first) return [];
  if (words <= MOST_WORDS && kind !== 'table') return [{ ...first, end: parts.at(-1)?.end ?? first.end, words }];
  const pieces: Part[] = [];
  for (const part of parts.flatMap((one) => cutPart(flow, one))) {
    const open = pieces.at(-1);
    const isFull = !open || open.words >= ENOUGH_WORDS || open.words + part.words > MOST_WORDS;
    if (open && !isFull) pieces[pieces.length - 1] = { ...open, end: part.end, words: open.words + part.words };
    else pieces.push(part);
  }
  return pieces;
}

function cutPart(flow: Flow, part: Part): Part[] {
  return cut(flow, part).map((span) => ({
    ...part,
    ...span,
    page: pageAt(flow, span.start) ?? part.page,
    words: wordsIn(flow.text.slice(span.start, span.end)),
  }));
}

function cut(flow: Flow, { start, end }: Span): { start: number; end: number }[] {
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
