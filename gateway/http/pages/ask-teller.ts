/** Tells an open page of an answer that is being made: each piece, in order, as the HTML that takes its place there. */
import { createNumbering, type Read, type Turn } from '../../../web/pages/ask-sources.ts';
import { quotePart, readPart, sentencePart, turnPart } from '../../../web/pages/ask-turn.ts';
import type { Html, Ui } from '../../../web/ui.ts';
import type { AnswerEvent } from '../../services/answers/answer.ts';
import { readOf } from './ask-progress.ts';

type Send = (event: string, part: Html | string) => Promise<void>;

/** @param turn the one under way, as it stands on the page until `end`. */
export function createTeller(turn: Turn, ui: Ui, write: Send) {
  const number = createNumbering();
  let quoted = 0;
  let read: Read[] = [];
  let sent: Promise<unknown> = Promise.resolve();
  const send = (event: string, part: Html | string) => {
    // Who has left hears nothing more; the answer itself is stopped by its signal.
    sent = sent.then(() => write(event, part)).catch(() => {});
  };
  return {
    /** What has been shown as read. */
    read: () => read,
    begin: () => send('turn', turnPart(turn, ui)),
    take(told: AnswerEvent): void {
      if (told.event === 'run') send('conversation', told.data.conversation);
      if (told.event === 'sources') {
        read = told.data.passages.map(readOf);
        send('read', readPart(read, ui));
      }
      if (told.event !== 'sentence') return;
      send('sentence', sentencePart(turn.id, told.data, number));
      for (const { n, source } of number.all().slice(quoted)) send('quote', quotePart(turn.id, n, source, ui));
      quoted = number.all().length;
    },
    async end(last: Turn, conversation: string): Promise<void> {
      if (conversation) send('conversation', conversation);
      send('done', turnPart(last, ui));
      await sent;
    },
  };
}
