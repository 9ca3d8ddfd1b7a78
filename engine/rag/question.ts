/** What a question asks for: its telling words, its kind, and the places of a law that it names. */
import { detectLanguage, type Language } from './language.ts';
import { type Reference, referencesOf } from './references.ts';
import type { Analyzer, Analyzers, Term } from './terms.ts';

export type QuestionKind = 'definition' | 'amount' | 'time' | 'who' | 'other';
/** `share` of its rarity that a word counts: German writes nouns large, and they name the subject. */
export type SubjectTerm = Term & { share: number };

export type Question = {
  text: string;
  language: Language;
  kind: QuestionKind;
  references: Reference[];
  /** Telling words per language that passages may be in: stemmed, each once, in order. */
  terms: Record<Language, SubjectTerm[]>;
};

/** Words that ask, but name no subject. */
const ASKING = new Set(
  `what which who whom whose when where how why is are does do did can could would should must may might shall say says said tell
  define defined definition definitions mean means meaning meant explain regulate regulates regulated rule rules about many much long
  often please give list describe apply applies applied required require requires requirement requirements need needs needed regarding
  according there have has sense under set sets kind kinds get gets according term following stand stands
  was wer wem wen wessen wann wo wie warum wieso weshalb welche welcher welches welchen welchem ist sind wird werden hat haben muss
  müssen darf dürfen kann können soll sollen regelt geregelt regelung bedeutet bedeuten heißt sagt steht definiert definition begriff
  versteht verstehen man unter gilt gelten gültig viel viele hoch lange lang oft gibt nach laut gemäß bitte nenne erkläre
  allowed permitted erlaubt vorgeschrieben sinne sinn stichwort braucht brauchen ab bis beträgt betragen`.split(/\s+/),
);

/** Whether a word only asks (`welche`, `gelten`, `regeln`) and names no subject. */
export function isAsking(word: string): boolean {
  return ASKING.has(word);
}

const DEFINITION =
  /^(?:what (?:is|are) (?:an? |the )?(?:definition of )?|what does .{1,60} mean|how is .{1,60} defined|define |who is (?:an? )|was (?:ist|sind) |wer ist |was bedeutet|was versteht man|was heißt|wie ist .{1,60} definiert)/i;
const AMOUNT =
  /\b(?:how (?:much|many|high|large|big|far)|what (?:share|percentage|rate|amount|limit|threshold|level|size)|which (?:share|percentage)|wie ?viele?|wie (?:hoch|groß)|welche[rn]? (?:höhe|anteil|schwelle|grenze|leistung)|ab welche[mr]|prozent)\b/i;
const TIME =
  /\b(?:when|by when|how (?:long|often|soon|quickly)|until|deadline|within (?:what|which)|since when|wann|bis wann|wie (?:lange|oft|schnell|häufig)|frist|innerhalb welche[rs]?|seit wann)\b/i;
const WHO = /^(?:who|whom|which (?:authority|party|operator)|wer|wem|wen|welche (?:behörde|stelle))\b/i;

export function readQuestion(text: string, analyzers: Analyzers): Question {
  const references = referencesOf(text);
  let rest = text;
  for (const { start, end } of references) rest = rest.slice(0, start) + ' '.repeat(end - start) + rest.slice(end);
  return {
    text,
    language: detectLanguage(text),
    kind: kindOf(text.trim()),
    references,
    terms: { en: tellingTerms(rest, analyzers.en), de: tellingTerms(rest, analyzers.de) },
  };
}

function kindOf(text: string): QuestionKind {
  if (AMOUNT.test(text)) return 'amount';
  if (TIME.test(text)) return 'time';
  if (DEFINITION.test(text)) return 'definition';
  return WHO.test(text) ? 'who' : 'other';
}

const SHARE_OF_OTHER_WORDS = 0.6;

function tellingTerms(text: string, analyzer: Analyzer): SubjectTerm[] {
  const large = new Set((text.match(/\p{Lu}[\p{L}\p{N}]*/gu) ?? []).map((word) => word.toLowerCase()));
  const shareOf = (word: string) =>
    analyzer.language === 'de' && /^\p{L}+$/u.test(word) && !large.has(word) ? SHARE_OF_OTHER_WORDS : 1;
  const terms = analyzer.terms(text).filter(({ word }) => !ASKING.has(word) && !/^\p{L}$/u.test(word));
  const distinct = new Map(terms.map((term) => [term.stem, term]));
  return [...distinct.values()].map((term) => ({ ...term, share: shareOf(term.word) }));
}

const DEFINITIONS = { en: 'definitions means', de: 'Begriffsbestimmungen im Sinne' };

/** What to search for: the question, and for a definition also where laws keep theirs. */
export function searchTexts({ text, kind, language, terms }: Question): string[] {
  const subject = terms[language].map(({ word }) => word).join(' ');
  return kind === 'definition' && subject !== '' ? [text, `${DEFINITIONS[language]} ${subject}`] : [text];
}
