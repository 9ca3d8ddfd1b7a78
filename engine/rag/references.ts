/** References to places of a law: `§ 14a`, `Article 12(3)`, `Section 3.2`, `Anlage 2`, in headings and in questions. */

/** `kind:number`, e.g. `§:14a`, `article:12`, `section:3.2`, `annex:` for the only annex of a law. */
export type ReferenceKey = string;

export type Reference = {
  key: ReferenceKey;
  /** The paragraph below it (`3` of Article 12(3), § 12 Absatz 3), or null. */
  paragraph: string | null;
  /** The point below that (`5` of § 3 Nr. 5), or null. */
  point: string | null;
  /** Where it stands in the text. */
  start: number;
  end: number;
};

const NUMBER = '\\d+[a-z]{0,2}(?:\\.\\d+[a-z]?)*';
const ROMAN = '(?=[IVXL])X{0,3}(?:IX|IV|V?I{0,3})';
const PARAGRAPH = `(?:\\s*\\((\\w{1,5})\\)|,?\\s*(?:absatz|abs\\.?|paragraph|para\\.?)\\s*\\(?(\\d+[a-z]?)\\)?)?`;
const SENTENCE = `(?:,?\\s*(?:satz|s\\.)\\s*\\d+)?`;
const POINT = `(?:,?\\s*(?:nummer|nr\\.?|no\\.?|point|ziffer|ziff\\.?|buchstabe|lit\\.?)\\s*(\\d+[a-z]?|[a-z]{1,2})(?![\\p{L}\\d]))?`;
const NAMES =
  '§§?|\\b(?:articles?|art\\.|artikels?|sections?|sec\\.|abschnitte?s?|rules?|regeln?|annex|anhangs?|anlagen?|paragraphe?n?|paragrafe?n?)(?![\\p{L}])';
const NAMED = new RegExp(
  `(${NAMES})\\s*(${NUMBER}|(?<=(?:annex|anhang|anlage)\\s)${ROMAN})(?![\\p{L}\\d])${PARAGRAPH}${SENTENCE}${POINT}`,
  'giu',
);
/** `§§ 21, 22 und 23`: what follows the first one. */
const FURTHER = new RegExp(`^\\s*(?:,|und|oder|sowie|and|or)\\s*(?:§\\s*)?(${NUMBER})(?![\\p{L}\\d%.])`, 'iu');
/** `die Anlage zum EnWG`: the only one, without a number. */
const ONLY_ANNEX = /\b(?:annex|anhang|anlage)(?=\s+(?:zu[mr]?|des|der|of|to)\s)(?!\s+(?:des|der)\s+\p{L}*betreib)/giu;
const BARE = new RegExp(`^(${NUMBER})\\.?(?=\\s|$)`, 'i');

function kindOf(name: string): string {
  if (/^(?:§|paragra)/.test(name)) return '§';
  if (/^art/.test(name)) return 'article';
  return /^an[nhl]/.test(name) ? 'annex' : 'section';
}

/** Every reference that a text names, in order. */
export function referencesOf(text: string): Reference[] {
  const found: Reference[] = [];
  for (const match of text.matchAll(NAMED)) {
    const [whole, name = '', number = '', bracket, word, point] = match;
    const kind = kindOf(name.toLowerCase());
    const end = match.index + whole.length;
    const paragraph = (bracket ?? word ?? null)?.toLowerCase() ?? null;
    const key = `${kind}:${number.toLowerCase()}`;
    found.push({ key, paragraph, point: point?.toLowerCase() ?? null, start: match.index, end });
    if (/^§§|n$|s$/i.test(name)) found.push(...furtherOf(text, kind, end));
  }
  for (const { index, 0: whole } of text.matchAll(ONLY_ANNEX))
    if (!found.some(({ start }) => start === index))
      found.push({ key: 'annex:', paragraph: null, point: null, start: index, end: index + whole.length });
  return found.sort((a, b) => a.start - b.start);
}

function furtherOf(text: string, kind: string, from: number): Reference[] {
  const found: Reference[] = [];
  for (let at = from; ; ) {
    const next = FURTHER.exec(text.slice(at));
    if (!next?.[1]) return found;
    const end = at + next[0].length;
    found.push({ key: `${kind}:${next[1].toLowerCase()}`, paragraph: null, point: null, start: at, end });
    at = end;
  }
}

/** What a passage under this heading path can be looked up by. */
export function keysOfSection(section: string): ReferenceKey[] {
  const keys = new Set<ReferenceKey>();
  for (const heading of section.split(' > ')) {
    const named = referencesOf(heading).find(({ start }) => start === 0);
    if (named) keys.add(named.key);
    else if (/^(?:Anlage|Anhang|Annex)(?!\p{L})/iu.test(heading)) keys.add('annex:');
    const bare = BARE.exec(heading)?.[1]?.toLowerCase();
    if (bare) keys.add(`section:${bare}`);
    // Texas writes sections as §25.181, people ask for Section 25.181.
    if (named?.key.startsWith('§:')) keys.add(named.key.replace('§:', 'section:'));
  }
  return [...keys];
}

/** `3` for a passage that is or holds paragraph (3) of its section: by its label, or by a line that begins so. */
export function holdsParagraph(section: string, text: string, paragraph: string): boolean {
  const label = section.slice(section.lastIndexOf(' (') + 1);
  if (label.toLowerCase().startsWith(`(${paragraph})`)) return true;
  return text
    .split('\n')
    .some((line) => new RegExp(`^(?:\\(${paragraph}\\)|${paragraph}[.)])(?:\\s|$)`, 'i').test(line));
}
