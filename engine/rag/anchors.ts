/**
 * What of a sentence can be wrong by one sign: numbers with their units, dates and places of a law, in German and
 * English. Values are compared, not letters: `20,50 Euro` is `20.5 EUR`, `3 weeks` is `three weeks`.
 */
import type { Language } from './language.ts';
import { referencesOf } from './references.ts';

export type Anchor = {
  kind: 'reference' | 'date' | 'number';
  /** The value in one spelling, e.g. `§:14a`, `2026-07-01`, `20.5`. */
  key: string;
  /** Of a reference what stands below it (`1.2` of `Abs. 1 Satz 2`), of a number its unit in one spelling; null where there is none. */
  detail: string | null;
  start: number;
  end: number;
};

const MONTHS: Record<string, number> = {};
[
  'januar january jan',
  'februar february feb',
  'märz march mar',
  'april apr',
  'mai may',
  'juni june jun',
  'juli july jul',
  'august aug',
  'september sept sep',
  'oktober october okt oct',
  'november nov',
  'dezember december dez dec',
].forEach((names, i) => {
  for (const name of names.split(' ')) MONTHS[name] = i + 1;
});
const MONTH = `(${Object.keys(MONTHS).join('|')})`;
const LETTER = '[\\p{L}\\p{N}]';
const DATES = [
  new RegExp(
    `(?<!${LETTER})(?<day>\\d{1,2})\\.?\\s+(?<month>${MONTH})\\.?(?!${LETTER})(?:,?\\s+(?<year>\\d{4}))?`,
    'giu',
  ),
  new RegExp(
    `(?<!${LETTER})(?<month>${MONTH})\\.?\\s+(?<day>\\d{1,2})(?:st|nd|rd|th)?(?!${LETTER})(?:,?\\s+(?<year>\\d{4}))?`,
    'giu',
  ),
  /(?<!\d)(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})(?!\d)/g,
  /(?<!\d)(?<day>\d{1,2})\.\s?(?<month>\d{1,2})\.\s?(?<year>\d{4})(?!\d)/g,
];

/** Every way to write a unit → one. The longest is tried first. */
const UNITS: Record<string, string> = {};
for (const [unit, names] of Object.entries({
  '%': '% prozent prozents percent|per cent|vom hundert',
  '%p': 'prozentpunkt prozentpunkte prozentpunkten|percentage points|percentage point',
  '‰': '‰ promille',
  EUR: '€ euro euros eur',
  ct: 'cent cents ct',
  USD: '$ usd dollar dollars',
  GBP: '£ gbp',
  W: 'w watt watts',
  kW: 'kw kilowatt kilowatts kwp',
  MW: 'mw megawatt megawatts mwp',
  GW: 'gw gigawatt gigawatts',
  kWh: 'kwh kilowattstunde kilowattstunden|kilowatt hour|kilowatt hours|kilowatt-hour|kilowatt-hours',
  MWh: 'mwh megawattstunde megawattstunden|megawatt hour|megawatt hours|megawatt-hour|megawatt-hours',
  GWh: 'gwh gigawattstunde gigawattstunden|gigawatt hour|gigawatt hours|gigawatt-hours',
  TWh: 'twh terawattstunde terawattstunden|terawatt hours|terawatt-hours',
  V: 'v volt',
  kV: 'kv kilovolt',
  A: 'ampere amperes',
  kVA: 'kva',
  MVA: 'mva',
  Hz: 'hz hertz',
  GJ: 'gj gigajoule',
  '°C': '°c|grad celsius|degrees celsius',
  m: 'm meter metern metres meters',
  km: 'km kilometer kilometern kilometres kilometers',
  'm²': 'm² quadratmeter quadratmetern',
  kg: 'kg kilogramm',
  g: 'g gramm grams',
  t: 'tonnen tonne tonnes tons',
  second: 'sekunde sekunden second seconds',
  minute: 'minute minuten minutes',
  hour: 'stunde stunden hour hours',
  'working day':
    'werktag werktage werktagen werktages arbeitstage arbeitstagen|working day|working days|business day|business days',
  day: 'tag tage tagen tages kalendertag kalendertage kalendertagen day days|calendar days',
  week: 'woche wochen week weeks',
  month: 'monat monate monaten monats month months',
  year: 'jahr jahre jahren jahres year years',
  times: 'mal fache fachen times',
})) {
  const [single = '', ...phrases] = names.split('|');
  for (const name of [...single.split(' '), ...phrases]) UNITS[name] = unit;
}
const UNIT = Object.keys(UNITS)
  .sort((a, b) => b.length - a.length)
  .map((name) => RegExp.escape(name).replaceAll('\\x20', '\\s+'))
  .join('|');
const AFTER_NUMBER = new RegExp(`^(?:\\s*-\\s*|\\s*)(${UNIT})(?!${LETTER})`, 'iu');
const BEFORE_NUMBER = /(€|\$|£|\bEUR|\bUSD|\bGBP)\s*$/i;
/** A unit that stands alone (`Cent je Kilowattstunde`); one letter alone is none. */
export const UNIT_ALONE = new RegExp(
  `(?<!${LETTER})(${Object.keys(UNITS)
    .filter((name) => name.length > 1 || !/\p{L}/u.test(name))
    .sort((a, b) => b.length - a.length)
    .map((name) => RegExp.escape(name).replaceAll('\\x20', '\\s+'))
    .join('|')})(?!${LETTER})`,
  'giu',
);
/** Digits, with separators inside, and a letter as in 14a. Narrow and fixed spaces part thousands. */
const NUMBER = /\d+(?:[.,/]\d+|[\u00a0\u202f\u2009]\d{3}(?!\d))*(?:[a-z](?![\p{L}\p{N}]))?/gu;

const WORDS: Record<string, number> = {};
[
  [0, 'zero null'],
  [2, 'two zwei zweier beide beiden both twice zweimal'],
  [3, 'three drei dreier dreimal'],
  [4, 'four vier viermal'],
  [5, 'five fünf'],
  [6, 'six sechs'],
  [7, 'seven sieben'],
  [8, 'eight acht'],
  [9, 'nine neun'],
  [10, 'ten zehn'],
  [11, 'eleven elf'],
  [12, 'twelve zwölf'],
  [15, 'fifteen fünfzehn'],
  [20, 'twenty zwanzig'],
  [30, 'thirty dreißig'],
  [50, 'fifty fünfzig'],
  [100, 'hundred hundert'],
  [1000, 'thousand tausend'],
  [0.5, 'half hälfte halben'],
].forEach(([value, names]) => {
  for (const name of String(names).split(' ')) WORDS[name] = Number(value);
});
const WORD = new RegExp(`(?<!${LETTER})(${Object.keys(WORDS).join('|')})(?!${LETTER})`, 'giu');
/** `50 bis 100 Kilowatt`: the unit is meant for both. */
const RANGE = /^\s*(?:bis|to|und|and|oder|or|–|-)(?:\s+(?:zu|unter|einschließlich))?\s*$/i;

/** In the order of the text; none overlap. `language` says what a comma and a point in a number mean. */
export function anchorsOf(text: string, language: Language): Anchor[] {
  const found: Anchor[] = [];
  let rest = text;
  const take = (anchor: Anchor) => {
    found.push(anchor);
    rest = rest.slice(0, anchor.start) + ' '.repeat(anchor.end - anchor.start) + rest.slice(anchor.end);
  };
  for (const { key, start, end } of referencesOf(text))
    take({ kind: 'reference', key, detail: detailOf(text.slice(start, end), key), start, end });
  for (const pattern of DATES) for (const match of rest.matchAll(pattern)) takeDate(match, take);
  for (const anchor of numbersIn(rest, language)) found.push(anchor);
  return found.sort((a, b) => a.start - b.start);
}

/** What stands below the section: `1.2.3` of `§ 14a Abs. 1 Satz 2 Nr. 3`. */
function detailOf(reference: string, key: string): string | null {
  const number = key.slice(key.indexOf(':') + 1);
  const below = reference.slice(reference.toLowerCase().indexOf(number) + number.length);
  const parts = [
    ...below.matchAll(/\d+[a-z]?|(?<=\()[a-z]{1,5}(?=\))|(?<=(?:buchstabe|lit\.?|point)\s*)[a-z]{1,2}\b/gi),
  ];
  return parts.length > 0 ? parts.map(([part]) => part.toLowerCase()).join('.') : null;
}

function takeDate(match: RegExpMatchArray, take: (anchor: Anchor) => void): void {
  const { day = '', month = '', year = '' } = match.groups ?? {};
  const number = MONTHS[month.toLowerCase()] ?? Number(month);
  const start = match.index ?? 0;
  const key = `${year}-${number}-${Number(day)}`;
  if (number >= 1 && number <= 12) take({ kind: 'date', key, detail: null, start, end: start + match[0].length });
}

function numbersIn(text: string, language: Language): Anchor[] {
  const numbers: Anchor[] = [];
  for (const match of text.matchAll(NUMBER))
    numbers.push(withUnit(text, match.index, match[0], numberOf(match[0], language)));
  for (const match of text.matchAll(WORD))
    numbers.push(withUnit(text, match.index, match[0], String(WORDS[match[0].toLowerCase()])));
  numbers.sort((a, b) => a.start - b.start);
  for (let i = numbers.length - 2; i >= 0; i -= 1) {
    const [one, next] = [numbers[i]!, numbers[i + 1]!];
    if (one.detail === null && RANGE.test(text.slice(one.end, next.start))) one.detail = next.detail;
  }
  return numbers;
}

function withUnit(text: string, start: number, written: string, key: string): Anchor {
  const end = start + written.length;
  const after = AFTER_NUMBER.exec(text.slice(end, end + 40));
  const before = BEFORE_NUMBER.exec(text.slice(Math.max(0, start - 5), start));
  const unit = after?.[1] ?? before?.[1];
  return {
    ...{ kind: 'number' as const, key, start, end: after ? end + after[0].length : end },
    detail: unit === undefined ? null : canonicalUnit(unit),
  };
}

function canonicalUnit(written: string): string {
  return UNITS[written.toLowerCase().replace(/\s+/g, ' ')] ?? written;
}

/** `1.000,5` and `1,000.5` → `1000.5`; what is no plain number (`3.2.1`, `2019/943`, `14a`) stays as it is. */
function numberOf(written: string, language: Language): string {
  const text = written.replace(/[\u00a0\u202f\u2009]/g, '').toLowerCase();
  const [thousands, decimal] = language === 'de' ? ['\\.', ','] : [',', '\\.'];
  const grouped = new RegExp(`^\\d{1,3}(?:${thousands}\\d{3})+(?:${decimal}\\d+)?$`);
  const plain = grouped.test(text)
    ? text.replaceAll(language === 'de' ? '.' : ',', '').replace(',', '.')
    : text.replace(',', '.');
  return /^\d+(?:\.\d+)?$/.test(plain) && plain.length < 16 ? String(Number(plain)) : plain;
}

/** Every unit that the text names, with a number or alone, in one spelling. */
export function unitsOf(text: string): Set<string> {
  return new Set([...text.matchAll(UNIT_ALONE)].map(([, name = '']) => canonicalUnit(name)));
}

/** The same value; what the first leaves open may be anything. */
export function isSameAnchor(one: Anchor, other: Anchor): boolean {
  return one.kind === other.kind && one.key === other.key && (one.detail === null || one.detail === other.detail);
}
