/** The answer that a run's memory amounts to. */
import type { Passage } from '../../../engine/ports.ts';
import type { Answer, AnswerReason, AnswerStatus, NearestPassage } from './answer.ts';
import type { StepDeps } from './steps.ts';
import { shown } from './steps.ts';
import type { Run } from './store.ts';
import { ASK_DOCUMENT, reasonText, taskTitle } from './words.ts';

const SHOWN = 5;

export async function answerOf(
  { sources }: Pick<StepDeps, 'sources'>,
  tenant: string,
  run: Run,
  status: AnswerStatus,
): Promise<Answer> {
  const { memory, language, question } = run;
  const sentences = status === 'answered' ? (memory.passed ?? []).map(shown) : [];
  const code = status === 'answered' || status === 'asking' ? null : reasonOf(run, status);
  const proposes = status === 'abstained' && memory.route === 'documents';
  return {
    ...{ id: run.id, conversation: run.conversation, question, status, sentences },
    as_of: memory.as_of ?? null,
    reason: code === null ? null : reasonText(code, language),
    nearest: await nearestOf(sources, tenant, memory.read ?? []),
    model: memory.model ?? null,
    model_fault: memory.model_fault ?? null,
    dropped: (memory.dropped ?? []).map(({ text, fault }) => ({
      text,
      fault: fault === 'quote_missing' ? 'no_citation' : fault,
    })),
    asking: status === 'asking' ? { text: ASK_DOCUMENT[language], options: [...(memory.options ?? [])] } : null,
    proposed_task: proposes ? { title: taskTitle(question, language) } : null,
  };
}

function reasonOf({ memory }: Run, status: AnswerStatus): AnswerReason {
  if (status === 'stopped' || status === 'failed') return status;
  if (memory.route === 'site') return 'no_site_data';
  if (memory.sufficient === false) return (memory.reason as AnswerReason | null) ?? 'not_covered';
  return (memory.drafted?.length ?? 0) > 0 ? 'nothing_verified' : 'not_covered';
}

async function nearestOf(
  sources: StepDeps['sources'],
  tenant: string,
  read: readonly { id: string; score: number }[],
): Promise<NearestPassage[]> {
  const first = read.slice(0, SHOWN);
  const versions = new Map<string, Passage>();
  for (const passage of await sources.citable(
    tenant,
    first.map(({ id }) => id),
  ))
    versions.set(passage.id, passage);
  return first.flatMap(({ id, score }) => {
    const passage = versions.get(id);
    if (!passage) return [];
    const { document, document_title, version, page, section, text } = passage;
    return [{ passage: id, document, document_title, version, page, section, text, score }];
  });
}
