/** Answers as plain text, to copy: every sentence with the numbers of its sources. */
import type { Ui } from '../ui.ts';
import { createNumbering, isFigure, placeOf, type Turn } from './ask-sources.ts';

type Answer = Pick<Turn, 'sentences'>;

/** The answer with `[1]` behind its sentences and the sources below, for a mail or a report. */
export function citedAnswer(turn: Answer, ui: Ui): string {
  const number = createNumbering();
  const sentences = turn.sentences.map(({ text, citations, figures = [] }) => {
    const marks = [...new Set([...citations, ...figures].map((source) => number.of(source)))];
    return `${text} ${marks.map((n) => `[${n}]`).join('')}`.trim();
  });
  const sources = number.all().map(({ n, source }) => {
    const place = isFigure(source)
      ? source.title
      : `${placeOf(source, ui)} (${ui.t('documents.version_of', { version: source.version })})`;
    return `[${n}] ${place}: “${oneLine(source.quote)}”`;
  });
  return [sentences.join(' '), ...(sources.length > 0 ? ['', ...sources] : [])].join('\n');
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
