/** What an answer is on the page, and who answers. */
import { randomUUID } from 'node:crypto';
import type { Read, Turn } from '../../../web/pages/ask-sources.ts';
import type { Answer, AnswerEvent, AskRequest, AskWatch } from '../../services/answers/answer.ts';
import type { Actor, Services } from '../../services.ts';

/** Answers with all that is told on the way. */
export type Ask = (actor: Actor, request: AskRequest, watch: AskWatch) => Promise<Answer>;

/** Passages shown before the answer. */
const READ = 6;

/** Quotes of the documents alone, one question at a time. */
export function askDocuments({ regulation }: Pick<Services, 'regulation'>): Ask {
  return async (actor, { question }, { on = () => {} }) => {
    const [id, conversation] = [randomUUID(), ''];
    on({ event: 'run', data: { id, conversation, model: null } });
    const hits = await regulation.similar(actor.tenant, question, READ);
    const passages = hits.map(({ passage, score }) => ({ ...passage, passage: passage.id, score }));
    on({ event: 'sources', data: { passages } });
    const found = await regulation.ask(actor, question);
    const sentences = found.sentences.map(({ text, citations }) => ({
      text,
      citations: citations.map((citation) => ({ ...citation, passage: '' })),
      figures: [],
    }));
    for (const [index, sentence] of sentences.entries()) on({ event: 'sentence', data: { index, ...sentence } });
    const nearest = found.nearest.map((one) => ({ ...one, passage: '' }));
    const none = { reason: null, model: null, model_fault: null, dropped: [], asking: null, proposed_task: null };
    return { ...none, id, conversation, question, status: found.status, sentences, nearest };
  };
}

export function workingTurn(question: string, id: string): Turn {
  const none = { read: [], sentences: [], nearest: [], reason: null, model: null, feedback: null };
  const more = { model_fault: null, dropped: 0, asking: null, task: null, is_kept: false };
  return { ...none, ...more, id, question, status: 'working' };
}

/** @param read what was shown while it was made. */
export function turnOf(answer: Answer, read: readonly Read[]): Turn {
  const { id, conversation, question, status, reason, sentences, nearest, model, model_fault, dropped, asking } =
    answer;
  return {
    ...{ id, question, status, sentences, model, model_fault, asking, read, feedback: null },
    is_kept: conversation !== '',
    reason: reason?.text ?? null,
    nearest: nearest.map(readOf),
    dropped: dropped.length,
    task: answer.proposed_task && { ...answer.proposed_task, is_confirmed: false },
  };
}

export function readOf({ document, document_title, version, page, section, text }: Read): Read {
  return { document, document_title, version, page, section, text };
}

export type { AnswerEvent };
