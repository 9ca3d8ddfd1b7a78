/** What a sentence must hold to tell an amount, a time, or who must do something. */
import type { QuestionKind } from './question.ts';

export const NUMBER =
  /\d[\d., {2}]*\s*(?:%|‰|[€$£]|Prozent|percent|per cent|Euro|Cent|EUR|ct|[kMGT]?W(?:h|p)?\b|kV|V\b|Kilo|Mega|Giga|Tonnen|tonnes|times|Mal\b|hours|Stunden|minutes|Minuten|days|Tagen?\b|weeks|Wochen|months|Monaten?\b|years|Jahren?\b)/i;
export const NUMBER_WORD =
  /\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|half|twice|zero|null|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|zwölf|hälfte|doppelte)\b/i;
export const TIME =
  /\b(?:\d{1,2}\.? (?:Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember|January|February|March|May|June|July|October|December)|(?:\w+|\d+) (?:weeks?|days?|months?|years?|hours?|minutes?|Wochen?|Tagen?|Monaten?|Jahren?|Stunden?|Minuten?|Werktagen?)|jährlich|monatlich|unverzüglich|annually|without delay|20\d\d)\b/i;

/** A cell of a table, whose unit stands in the head: `Bayern: 15,5`, `| 8–13`. */
const CELL = /[:|]\s*\d+(?:[.,–-]\d+)?\s*(?:$|\||\n)/m;

/** Whether a text has any amount. */
export function hasAmount(text: string): boolean {
  return NUMBER.test(text) || NUMBER_WORD.test(text) || CELL.test(text);
}

/** 1 where the text can tell what is asked for, -1 where it cannot, 0 where the question asks for neither amount nor time. */
export function cueOf(kind: QuestionKind, text: string): -1 | 0 | 1 {
  if (kind === 'amount') return hasAmount(text) ? 1 : -1;
  if (kind === 'time') return TIME.test(text) ? 1 : -1;
  return 0;
}
