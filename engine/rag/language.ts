/** Which of the two languages a text is in, by its most frequent function words. */
export type Language = 'en' | 'de';

const EN =
  'the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one you were all her she there would their we him been has when who will no more if out so what up said its about into than them can only other time new some could these two may first then do any like my now over such our me even most made after also did many before must through shall under upon each within between where how does why until whether there here very per being both during against because';
const DE =
  'der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat daß dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man sein wurde sei hatte kann gegen vom können schon wenn habe seine mark ihre dann unter wir soll ich eines jahr zwei diese dieser wieder keine seiner worden will zwischen immer was sagte gibt alle diesem seit muss wurden beim doch jede jeder welche welcher welches welchen wer wo wann warum wozu wieviel wird darf dürfen müssen sowie soweit sofern bzw deren dessen diesen dieses hierzu dabei dafür damit daran darin davon dazu ihr ihrer ihren ihm ihn mein meine welchem ob je jeweils jeweiligen ist habe hat hatten würde würden';

/** Words that say nothing about a text's subject. */
export const FUNCTION_WORDS: Record<Language, ReadonlySet<string>> = {
  en: new Set(EN.split(' ')),
  de: new Set(DE.split(' ')),
};

/** Only in one of the lists, so that `in`, `an` or `was` decide nothing. */
const TELLING = {
  en: new Set([...FUNCTION_WORDS.en].filter((word) => !FUNCTION_WORDS.de.has(word))),
  de: new Set([...FUNCTION_WORDS.de].filter((word) => !FUNCTION_WORDS.en.has(word))),
};
const GERMAN_LETTERS = /[äöüß]/;
const ENOUGH_WORDS = 5000;

/** `fallback` is taken for a text without any telling word. At most the first 5,000 words are looked at. */
export function detectLanguage(text: string, fallback: Language = 'en'): Language {
  let [en, de] = [0, 0];
  let seen = 0;
  for (const [word] of text.toLowerCase().matchAll(/(?<!\p{N})\p{L}+/gu)) {
    if (TELLING.en.has(word)) en += 1;
    else if (TELLING.de.has(word)) de += 1;
    else if (GERMAN_LETTERS.test(word)) de += 0.5;
    seen += 1;
    if (seen >= ENOUGH_WORDS) break;
  }
  // Laws in German count by the sign, and a short question may hold nothing else that tells.
  if (en === de) return /§\s*\d/.test(text) ? 'de' : fallback;
  return en > de ? 'en' : 'de';
}
