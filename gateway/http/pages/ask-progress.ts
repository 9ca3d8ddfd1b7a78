/** What an answer is on the page. */
import type { Read, Turn } from '../../../web/pages/ask-sources.ts';
import type { Answer } from '../../services/answers/answer.ts';

export function workingTurn(question: string, id: string): Turn {
  const none = { read: [], sentences: [], nearest: [], reason: null, model: null, feedback: null };
  const more = { model_fault: null, dropped: 0, asking: null, task: null, is_kept: false };
  return { ...none, ...more, id, question, status: 'working' };
}

/** @param read what was shown while it was made. */
export function turnOf(answer: Answer, read: readonly Read[] = answer.nearest.map(readOf)): Turn {
  const { id, question, status, reason, sentences, nearest, model, model_fault, dropped, asking } = answer;
  return {
    ...{ id, question, status, sentences, model, model_fault, asking, read, feedback: null, is_kept: true },
    reason: reason?.text ?? null,
    nearest: nearest.map(readOf),
    dropped: dropped.length,
    task: answer.proposed_task && { ...answer.proposed_task, is_confirmed: false },
  };
}

export function readOf({ document, document_title, version, page, section, text }: Read): Read {
  return { document, document_title, version, page, section, text };
}
