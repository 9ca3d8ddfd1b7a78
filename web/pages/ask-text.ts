/** Answers as plain text and Markdown, to copy and to take along: every sentence with the numbers of its sources. */
import type { Ui } from '../ui.ts';
import { createNumbering, isFigure, placeOf, type Turn } from './ask-sources.ts';

type Answer = Pick<Turn, 'question' | 'status' | 'reason' | 'sentences' | 'nearest'>;

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

/** A conversation as Markdown: questions as headings, answers with their sources, abstentions as such. */
export function conversationText(turns: readonly Answer[], ui: Ui): string {
  const { t, format } = ui;
  const parts = turns.map((turn) => {
    const answer =
      turn.sentences.length > 0
        ? markdown(citedAnswer(turn, ui))
        : `**${t('ask.abstained')}.** ${markdown(turn.reason ?? t('ask.abstained_text'))}`;
    const nearest =
      turn.status === 'abstained' && turn.nearest.length > 0
        ? [
            '',
            `${t('ask.nearest')}:`,
            ...turn.nearest.map((one) => `- ${markdown(`${placeOf(one, ui)}: “${oneLine(one.text)}”`)}`),
          ]
        : [];
    return [`## ${markdown(turn.question)}`, '', answer, ...nearest].join('\n');
  });
  const head = [
    `# ${t('ask.title')}`,
    '',
    `${ui.site?.name ?? 'Luna'}, ${format.longDate(ui.now_ms)} ${format.time(ui.now_ms)}`,
  ];
  return `${[head.join('\n'), ...parts, t('ask.no_advice')].join('\n\n')}\n`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

/** Text of documents and people stays text: nothing of it becomes a link, a picture or markup. */
function markdown(text: string): string {
  return text.replace(/[\\`*_{}<>#!|]|\]\(/g, (sign) => [...sign].map((each) => `\\${each}`).join(''));
}
