/** Words that were divided at the end of a line, and words that have their hyphen anyway. */
import { detectLanguage } from './language.ts';

/** `Netz- und` keeps its hyphen. */
const HANGING = /^(?:und|oder|bzw\.?|sowie|and|or|to)\b/;
const LINES_FOR_LANGUAGE = 500;

/** What becomes of a hyphen between the end of one line and the beginning of the next: gone, kept, or kept with a space. */
export type AtHyphen = (before: string, after: string) => 'joined' | 'kept' | 'apart';

/**
 * Tells a divided word (`genera-` `tion`) from one that has its hyphen anyway (`climate-` `related`): by how the
 * document writes it elsewhere; failing that, in English by whether both halves are words.
 */
export function hyphensOf(lines: readonly string[]): AtHyphen {
  const words = new Set<string>();
  for (const text of lines) {
    const whole = text.toLowerCase().replace(/\p{L}+-$/u, '');
    for (const [word] of whole.matchAll(/\p{L}+(?:-\p{L}+)*/gu)) words.add(word);
  }
  const english = detectLanguage(lines.slice(0, LINES_FOR_LANGUAGE).join(' ')) === 'en';
  const isDivided = (before: string, after: string) => {
    const first = /(\p{L}+(?:-\p{L}+)*)-$/u.exec(before.toLowerCase())?.[1] ?? '';
    const second = /^\p{L}+/u.exec(after.toLowerCase())?.[0] ?? '';
    if (words.has(`${first}-${second}`)) return false;
    if (words.has(`${first}${second}`)) return true;
    return !(english && words.has(first) && words.has(second));
  };
  return (before, after) => {
    if (!/\p{L}-$/u.test(before) || HANGING.test(after)) return 'apart';
    return /^\p{Ll}/u.test(after) && isDivided(before, after) ? 'joined' : 'kept';
  };
}
