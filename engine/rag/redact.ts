/**
 * Personal data, taken out of what goes to a language model, comes from it and is logged: mail addresses, telephone
 * numbers, bank accounts, ids of meters and market locations, and names. Found by pattern; names also by the list of
 * people that the organisation has.
 */

type Rule = { label: string; pattern: RegExp };

const START = '(?<![\\p{L}\\p{N}])';
const END = '(?![\\p{L}\\p{N}])';
const rule = (label: string, source: string, flags = 'giu'): Rule => ({
  label,
  pattern: new RegExp(`${START}(?:${source})${END}`, flags),
});

const NAME = "(?!(?:Dr|Prof|Dipl)\\b)\\p{Lu}[\\p{L}'’-]+";
const TITLE = '(?:Dr\\.|Prof\\.|Dipl\\.-Ing\\.)';
/** After a form of address, or after words with which people introduce themselves. */
const ADDRESSED = `(?<=(?<!\\p{L})(?:Herrn?|Frau|Familie|Mr\\.?|Mrs\\.?|Ms\\.?|Miss|[Mm]ein Name ist|[Ii]ch heiße|[Mm]y name is|[Ii] am called)\\s+(?:${TITLE}\\s+){0,2})(?:${NAME})(?:\\s+(?:von|van|de|zu)\\s+${NAME}|\\s+${NAME}){0,2}`;
const TITLED = `(?:${TITLE}\\s+)+${NAME}(?:\\s+${NAME})?`;

const RULES: readonly Rule[] = [
  rule('mail', "[\\p{L}\\p{N}._%+'-]+@[\\p{L}\\p{N}-]+(?:\\.[\\p{L}\\p{N}-]+)+"),
  // Zählpunkt (33 signs, VDE-AR-N 4400), identifier of a meter (DIN 43863-5), market and metering location.
  rule('meter', '(?:DE|AT|CH)\\s?\\d{6}\\s?\\d{5}\\s?[A-Z0-9]{20}', 'gu'),
  rule('meter', '(?:DE|AT|CH)[0-9A-Z]{31}', 'gu'),
  rule('meter', '\\d[A-Z]{3}\\s?\\d{2}\\s?\\d{8}', 'gu'),
  rule('meter', '[1-9]\\d{10}', 'gu'),
  rule(
    'meter',
    '(?<=(?:Zähler(?:nummer|nr\\.?)?|[Mm]eter(?: (?:number|no\\.?|id|ID))?|MaLo|MeLo)(?:\\s+(?:ist|is))?\\s*:?\\s*)(?=[A-Z0-9-]*\\d{4})[A-Z0-9][A-Z0-9-]{5,34}',
    'gu',
  ),
  rule('account', '[A-Z]{2}\\d{2}(?:\\s?[A-Z0-9]{4}){3,7}(?:\\s?[A-Z0-9]{1,3})?', 'gu'),
  rule('phone', '(?:\\+|00)[1-9]\\d{0,2}[\\s./-]?(?:\\(0\\)\\s?)?\\d{1,5}(?:[\\s./-]?\\d{2,6}){1,5}'),
  rule('phone', '\\(?0[1-9]\\d{1,4}\\)?[\\s./-]{1,3}\\d{3,}(?:[\\s./-]?\\d{2,6}){0,4}'),
  rule('phone', '01[567]\\d{8,9}'),
  rule('name', ADDRESSED, 'gu'),
  rule('name', TITLED, 'gu'),
];
const SHORTEST_NAME = 4;

export type Redacted = {
  text: string;
  /** How much of each kind was taken out; empty where nothing was. */
  counts: Readonly<Record<string, number>>;
};

/** @param people names and sign-in names of the organisation's people. */
export function redact(text: string, people: readonly string[] = []): Redacted {
  const counts: Record<string, number> = {};
  let rest = text;
  for (const { label, pattern } of [...namesOf(people), ...RULES])
    rest = rest.replace(pattern, () => {
      counts[label] = (counts[label] ?? 0) + 1;
      return `[${label}]`;
    });
  return { text: rest, counts };
}

/** Whole names, and family names that are no common word of a question. */
function namesOf(people: readonly string[]): Rule[] {
  const names = new Set<string>();
  for (const person of people.map((one) => one.trim())) {
    if (person.length >= SHORTEST_NAME) names.add(person);
    const parts = person.split(/\s+/);
    const family = parts.at(-1) ?? '';
    if (parts.length > 1 && family.length >= SHORTEST_NAME) names.add(family);
  }
  return [...names]
    .sort((a, b) => b.length - a.length)
    .map((name) => rule('name', `${RegExp.escape(name)}s?`, /^\p{Lu}/u.test(name) ? 'gu' : 'giu'));
}
