/** What an answer is on the page. */
import type { Read, Standing, Turn } from '../../../web/pages/ask-sources.ts';
import type { Answer, KeptAnswer } from '../../services/answers/answer.ts';
import type { DocumentState } from '../../services.ts';

export function workingTurn(question: string, id: string, as_of: string | null): Turn {
  const none = { read: [], sentences: [], nearest: [], reason: null, model: null, feedback: null };
  const more = { model_fault: null, dropped: 0, asking: null, task: null, is_kept: false };
  return { ...none, ...more, id, question, as_of, status: 'working' };
}

/** How the version of a place stands today. */
export type StandingOf = (place: { document: string; version: string }) => Standing | null;

export function standingsOf(documents: readonly DocumentState[]): StandingOf {
  const known = new Map<string, Standing | null>();
  for (const { id, others, ...newest } of documents)
    for (const { version, standing } of [newest, ...others]) known.set(`${id} ${version}`, standing);
  return ({ document, version }) => known.get(`${document} ${version}`) ?? null;
}

/** @param read what was shown while it was made. */
export function turnOf(answer: Answer & Partial<KeptAnswer>, standing: StandingOf, read?: readonly Read[]): Turn {
  const near = answer.nearest.map((one) => ({ ...readOf(one), standing: standing(one) }));
  const { id, question, as_of = null, status, reason, model, model_fault, dropped, asking, feedback = null } = answer;
  return {
    ...{ id, question, as_of, status, model, model_fault, asking, read: read ?? near, feedback, is_kept: true },
    reason: reason?.text ?? null,
    nearest: near,
    sentences: answer.sentences.map((sentence) => ({
      ...sentence,
      citations: sentence.citations.map((citation) => ({ ...citation, standing: standing(citation) })),
    })),
    dropped: dropped.length,
    task: answer.proposed_task && { ...answer.proposed_task, is_confirmed: answer.task_confirmed ?? false },
  };
}

export function readOf({ document, document_title, version, page, section, text }: Read): Read {
  return { document, document_title, version, page, section, text };
}
