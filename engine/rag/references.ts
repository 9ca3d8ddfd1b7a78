/** References to places of a law: `§ 14a`, `Article 12(3)`, `Section 3.2`, in headings and in questions. */

/** `kind:number`, e.g. `§:14a`, `article:12`, `section:3.2`; `number:3.2.1` for a bare number of a heading. */
export type ReferenceKey = string;

export type Reference = {
  key: ReferenceKey;
  /** The paragraph below it (`3` of Article 12(3), § 12 Absatz 3), or null. */
  paragraph: string | null;
  /** Where it stands in the text. */
  start: number;
  end: number;
};

const NUMBER = '\\d+[a-z]{0,2}(?:\\.\\d+[a-z]?)*';
const PARAGRAPH = `(?:\\s*\\((\\w{1,5})\\)|,?\\s*(?:absatz|abs\\.?|paragraph|para\\.?)\\s*\\(?(\\d+[a-z]?)\\)?)?`;
const NAMED = new RegExp(
  `(§§?|\\b(?:article|art\\.|artikel|section|sec\\.|abschnitt|rule|regel|annex|anhang|anlage|paragraph)(?![\\p{L}]))\\s*(${NUMBER})(?![\\p{L}\\d])${PARAGRAPH}`,
  'giu',
);
const BARE = new RegExp(`^(${NUMBER})\\.?(?=\\s|$)`, 'i');

const KINDS: Record<string, string> = {
  '§': '§',
  '§§': '§',
  paragraph: '§',
  article: 'article',
  'art.': 'article',
  artikel: 'article',
  section: 'section',
  'sec.': 'section',
  abschnitt: 'section',
  rule: 'section',
  regel: 'section',
  annex: 'annex',
  anhang: 'annex',
  anlage: 'annex',
};

/** Every reference that a question names, in order. */
export function referencesOf(text: string): Reference[] {
  return [...text.matchAll(NAMED)].map((found) => {
    const [whole, name = '', number = '', bracket, word] = found;
    const kind = KINDS[name.toLowerCase()] ?? 'section';
    return {
      key: `${kind}:${number.toLowerCase()}`,
      paragraph: (bracket ?? word ?? null)?.toLowerCase() ?? null,
      start: found.index,
      end: found.index + whole.length,
    };
  });
}

/** What a passage under this heading path can be looked up by. */
export function keysOfSection(section: string): ReferenceKey[] {
  const keys = new Set<ReferenceKey>();
  for (const heading of section.split(' > ')) {
    const named = referencesOf(heading).find(({ start }) => start === 0);
    if (named) keys.add(named.key);
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
