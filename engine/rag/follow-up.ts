/** A question that leans on the one before it ("And for companies?", "Wann wird sie fällig?"). */
import type { Question, SubjectTerm } from './question.ts';

const LEANS =
  /^(?:and|und|or|oder|but|aber|also|auch|what about|how about|wie (?:ist|sieht) (?:es|das)|what if|was ist mit|gilt das|does (?:this|that|it))\b|\b(?:it|its|they|them|their|this|that|these|those|there|dort|dafür|davon|dabei|darin|dazu|damit|diese[mnrs]?|deren|dessen|ihr|ihre[nmrs]?|er|sie|es|das)\b/i;
const FEW_TERMS = 2;
/** What was asked before counts less than what is asked now. */
const EARLIER_SHARE = 0.5;

/** `question` with what it leaves unsaid taken from the one before; the same where it says all itself. */
export function followUp(question: Question, earlier: Question | null): Question {
  if (!earlier || !leans(question)) return question;
  return {
    ...question,
    text: `${earlier.text} ${question.text}`,
    references: question.references.length > 0 ? question.references : [...earlier.references],
    terms: { en: joined(question.terms.en, earlier.terms.en), de: joined(question.terms.de, earlier.terms.de) },
  };
}

function leans({ text, language, terms, references }: Question): boolean {
  if (references.length > 0) return false;
  return terms[language].length <= FEW_TERMS || LEANS.test(text.trim());
}

function joined(now: readonly SubjectTerm[], before: readonly SubjectTerm[]): SubjectTerm[] {
  const said = new Set(now.map(({ stem }) => stem));
  const unsaid = before.filter(({ stem }) => !said.has(stem));
  return [...now, ...unsaid.map((term) => ({ ...term, share: term.share * EARLIER_SHARE }))];
}
