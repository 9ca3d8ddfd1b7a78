/**
 * Former versions of laws. Where an admin says from when to when a version is in force, that decides (versions.ts);
 * here is what questions ask for, and what titles such as `EnWG 2022 (alte Fassung)` say of themselves.
 */

const FORMER_TITLE =
  /\b(?:old|former|superseded|repealed|outdated|previous)[\s_-]*(?:version|edition|text)\b|\b(?:alte|frühere|bisherige|vorherige)[nrs]?[\s_-]*(?:fassung|version)\b|\b(?:aufgehoben|außer kraft|superseded|repealed)\b/i;

/** Whether the title says that this is no longer the law. */
export function saysFormer(title: string): boolean {
  return FORMER_TITLE.test(title.replaceAll('_', ' '));
}

const LAW =
  '(?:\\p{L}*(?:fassung|version|rechtslage|recht|gesetz\\p{L}*|verordnung\\p{L}*|stand|edition)|\\p{Lu}\\p{L}*\\p{Lu}\\p{L}*(?:-\\p{L}+)?)';
const FORMER_QUESTION = new RegExp(
  [
    `\\b(?:alte[mnrs]?|frühere[mnrs]?|damalige[mnrs]?|ehemalige[mnrs]?|vormalige[mnrs]?|vorherige[mnrs]?|bisherige[mnrs]?|aufgehobene[mnrs]?|abgelöste[mnrs]?|überholte[mnrs]?)\\s+(?:\\([^)]*\\)\\s*)?(?:\\p{L}+\\s+)?${LAW}`,
    '(?<!\\p{L})außer\\s+kraft\\s+getretene',
    '(?<!\\p{L})a\\.\\s?F\\.',
    '\\bbis\\s+(?:ende\\s+)?(?:20|19)\\d\\d\\s+geltende[mnrs]?',
    '\\b(?:damals|seinerzeit|vormals)\\b',
    '\\b(?:rechts)?stand\\s+(?:von\\s+|vom\\s+|der\\s+)?(?:[\\d.]+\\s*)?(?:20|19)\\d\\d',
    '\\bfassung\\s+(?:von\\s+|vom\\s+|des jahres\\s+|aus\\s+)?(?:dem jahr\\s+)?\\(?(?:[\\d.]+\\s*)?(?:20|19)\\d\\d',
    '\\b(?:old|former|previous|superseded|repealed|earlier)\\s+(?:\\p{L}+\\s+)?(?:version|edition|text|law|rules?|act|regulation)\\b',
    '\\bas (?:it stood|in force) in (?:20|19)\\d\\d',
  ].join('|'),
  'iu',
);

/** Whether the question expressly asks for what was the law before. */
export function asksForFormer(question: string): boolean {
  return FORMER_QUESTION.test(question);
}
