/** Sentences with their offsets, in legal prose: `Abs. 2 Satz 1 Nr. 3`, `Art. 5`, `No 714/2009` end none. */
export type Span = { start: number; end: number };

const ABBREVIATIONS = new Set(
  'abs bgbl abl art nr nrn no nos bzw vgl ggf bspw usw etc zb z b d h u a i v m s st ca inkl max min sec para p pp fig reg dr prof mr mrs ms inc ltd co corp vs eg ie e.g i.e z.b d.h u.a i.v.m str tel evtl sog gem lit buchst ziff anm ff f jan feb aug sept okt nov dez dec oct approx cf ref'.split(
    ' ',
  ),
);
const END = /[.!?;:]["”’“)\]]*(?=\s)|\n/g;

/** Spans without surrounding spaces. Semicolons and colons end a sentence only before a line of its own. */
export function sentencesOf(text: string): Span[] {
  const spans: Span[] = [];
  let start = 0;
  for (const found of text.matchAll(END)) {
    const end = found.index + (found[0] === '\n' ? 0 : found[0].length);
    if (found[0] !== '\n' && !endsSentence(text, found.index, end)) continue;
    pushSpan(spans, text, start, end);
    start = end;
  }
  pushSpan(spans, text, start, text.length);
  return spans;
}

function pushSpan(spans: Span[], text: string, from: number, to: number): void {
  const piece = text.slice(from, to);
  const start = from + (piece.length - piece.trimStart().length);
  const end = from + piece.trimEnd().length;
  if (end > start) spans.push({ start, end });
}

function endsSentence(text: string, at: number, end: number): boolean {
  const sign = text[at];
  if (sign === ';' || sign === ':') return false;
  if (sign !== '.') return true;
  const before = /([\p{L}\p{N}.]+)$/u.exec(text.slice(Math.max(0, at - 20), at))?.[1]?.toLowerCase() ?? '';
  const after = text.slice(end, end + 40).trimStart();
  if (ABBREVIATIONS.has(before) || /^\p{L}$/u.test(before)) return false;
  // A date or an ordinal in German (1. Januar), or the number of a list item at its start.
  if (/^\d{1,2}$/.test(before))
    return !/^(?:\p{Ll}|Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember|\p{Lu}\p{Ll})/u.test(
      after,
    );
  return !/^\p{Ll}/u.test(after);
}
