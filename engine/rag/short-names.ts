/** Short names of laws and rules as their own first lines give them: `(Energiewirtschaftsgesetz - EnWG)`, `(REMIT)`. */

const IN_BRACKETS = /\(\s*(?:[^()]{0,120}?[–—-]\s+)?([\p{Lu}][\p{L}]{1,14}(?:[ -]\d{2,4})?)\s*\)/gu;
/** A short name has two capitals at least: `EnWG`, `MaBiS`, not `Berlin`. */
const TWO_CAPITALS = /\p{Lu}.*\p{Lu}/u;
const LOOKED_AT = 2000;
const MOST = 5;

/** @param title as people gave it; @param text of the document, of which only the beginning is looked at */
export function shortNamesOf(title: string, text: string): string[] {
  const found = new Set<string>();
  for (const source of [title, text.slice(0, LOOKED_AT)])
    for (const [, name = ''] of source.matchAll(IN_BRACKETS)) if (TWO_CAPITALS.test(name)) found.add(name);
  return [...found].slice(0, MOST);
}
