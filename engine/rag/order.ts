/**
 * A second look at the best passages by words: how much of the question one passage holds counts beside its score,
 * because a rare word that is said often outweighs in the score all that is not said at all; and sections that define,
 * empower somebody or tell of former times seldom answer what is asked. Chosen on the development half of the German
 * golden set by cross-validation.
 */
import type { PassageHit } from '../ports.ts';
import { cueOf } from './cues.ts';
import { definesIn } from './definitions.ts';
import type { Otherwise } from './glossary.ts';
import type { Language } from './language.ts';
import { createMatcher, type Matcher } from './matching.ts';
import type { QuestionKind, SubjectTerm } from './question.ts';
import type { Analyzers } from './terms.ts';

/** What the words of a question weigh, in their order, and what may stand for them. */
export type Weights = Partial<Record<Language, readonly number[]>> & {
  otherwise?: Partial<Record<Language, readonly Otherwise[]>>;
};

/** Passages that are looked into. */
export const LOOKED_INTO = 40;
/** A score takes part in what the rest of a section says; without sections it tells more of the passage itself (ObliQA). */
const COVERAGE = { in_section: 0.9, alone: 0.4 };
/** What stands in the heading says it too. */
const IN_HEAD = 1;
/** A passage that says what a term is, where that is asked; and one without the number or time that is asked for. */
const DEFINES = 0.3;
const NO_CUE = 0.2;
/** A paragraph before the first article of an EU act gives reasons, no rules. */
const RECITAL = /^\(\d{1,3}\)$/;
const LESS_OF_RECITAL = 0.3;
const SELDOM: readonly { heading: RegExp; less: number; but?: QuestionKind }[] = [
  {
    heading: /^(?:weitere |besondere )?(?:verordnungsermächtigung|ermächtigung|delegated acts|rulemaking)/i,
    less: 0.3,
  },
  { heading: /übergangs|inkrafttreten|anwendungsbestimmung|transitional|entry into force/i, less: 0.17 },
  { heading: /begriffsbestimmung|\bdefinitions?\b/i, less: 0.15, but: 'definition' },
];

export type Asked = { kind: QuestionKind; terms: Record<Language, readonly SubjectTerm[]> };

/** The same hits in another order; those that the question names by their place stay in front. */
export function byCoverage(
  { kind, terms }: Asked,
  hits: readonly PassageHit[],
  weights: Weights,
  analyzers: Analyzers,
): PassageHit[] {
  const named = hits.filter((hit) => (hit.named ?? 0) > 0);
  const others = hits.filter((hit) => (hit.named ?? 0) === 0);
  const top = others[0]?.score ?? 0;
  if (top <= 0 || others.length < 2) return [...hits];
  const matchers = matchersFor(terms, weights, analyzers);
  const scored = others.map((hit) => {
    const { language, document_title, section, text } = hit.passage;
    const { matcher, share } = matchers(language);
    const head = matcher.foundIn(analyzers[language].terms(`${document_title} ${section}`));
    const found = matcher
      .foundIn(analyzers[language].terms(text))
      .map((value, i) => Math.max(value, IN_HEAD * (head[i] ?? 0)));
    const stems = terms[language].map(({ stem }) => stem);
    const defines = kind === 'definition' && definesIn(text, stems, analyzers[language]) ? DEFINES : 0;
    const silent = cueOf(kind, `${section} ${text}`) === -1 ? NO_CUE : 0;
    return {
      hit,
      worth:
        hit.score / top +
        (section === '' ? COVERAGE.alone : COVERAGE.in_section) * share(found) +
        defines -
        silent -
        lessOf(section, kind),
    };
  });
  return [...named, ...scored.sort((a, b) => b.worth - a.worth).map(({ hit }) => hit)];
}

function lessOf(section: string, kind: QuestionKind): number {
  const heading = section.slice(section.lastIndexOf(' > ') + 1).replace(/^(?:> )?(?:§ ?\w+|Article \w+)[ –.-]*/i, '');
  const recital = RECITAL.test(section.trim()) ? LESS_OF_RECITAL : 0;
  return SELDOM.reduce((sum, one) => sum + (one.but !== kind && one.heading.test(heading) ? one.less : 0), recital);
}

export type Weighed = { matcher: Matcher; weight: number[]; share(found: readonly number[]): number };

/** One matcher per language, made when a passage of it is met. */
export function matchersFor(
  terms: Asked['terms'],
  weights: Weights,
  analyzers: Analyzers,
): (language: Language) => Weighed {
  const made = new Map<Language, Weighed>();
  return (language) => {
    const known = made.get(language);
    if (known) return known;
    const matcher = createMatcher(terms[language], weights.otherwise?.[language], analyzers[language]);
    const weight = weightsOf(terms[language], weights[language]);
    const weighed = { matcher, weight, share: (found: readonly number[]) => shareOf(found, weight) };
    made.set(language, weighed);
    return weighed;
  };
}

export function weightsOf(terms: readonly SubjectTerm[], rarity: readonly number[] | undefined): number[] {
  return terms.map((term, i) => term.share * (rarity?.[i] ?? 1));
}

/** Share of the weight that is found, in 0…1; 0 where nothing is asked. */
export function shareOf(found: readonly number[], weights: readonly number[]): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return total === 0 ? 0 : found.reduce((sum, value, i) => sum + value * (weights[i] ?? 0), 0) / total;
}
