/**
 * The way of a question as a small graph: plan → retrieve → solve → critic → finish, where each step's result is laid
 * over what is known and kept, so that a run can be paused, taken up after a restart and looked at. Pure: which step
 * comes next follows from what is known alone.
 */
import type { CitedSentence, Fault } from './verify.ts';

export type StepName = 'plan' | 'retrieve' | 'solve' | 'critic' | 'finish';
export type Figure = { title: string; href: string; quote: string };
/** A sentence before or after the critic; `figures` of the site in place of quotes. */
export type DraftSentence = CitedSentence & { figures?: readonly Figure[] };

/** What a run knows. Everything in it can be stored as JSON. */
export type Memory = {
  // given with the question
  /** Answered from what was in force on this day (`YYYY-MM-DD`); null and left out: today. */
  as_of?: string | null;
  // plan
  route?: 'documents' | 'site';
  /** The question before, which this one leans on; null where it stands alone. */
  earlier?: string | null;
  // retrieve
  /** Ids of the passages that were read, best first, with their scores. */
  read?: readonly { id: string; score: number }[];
  /** Whether the documents say enough to try; otherwise why not. */
  sufficient?: boolean;
  reason?: string | null;
  confidence?: number;
  /** Documents that the question may mean; a person chooses. */
  options?: readonly { id: string; label: string }[] | null;
  choice?: string | null;
  // solve
  drafted?: readonly DraftSentence[];
  model?: string | null;
  model_fault?: string | null;
  /** In the audit log of models. */
  audit_id?: number | null;
  // critic
  passed?: readonly DraftSentence[];
  dropped?: readonly { text: string; fault: Fault | 'quote_missing' }[];
  // finish
  status?: 'answered' | 'abstained';
};

/** The step that is due; `ask` waits for a person; null is the end. */
export function nextStep(memory: Memory): StepName | 'ask' | null {
  if (memory.route === undefined) return 'plan';
  if (memory.read === undefined) return 'retrieve';
  if (memory.options?.length && memory.choice === undefined) return 'ask';
  if (memory.drafted === undefined) return memory.sufficient === false ? (memory.status ? null : 'finish') : 'solve';
  if (memory.passed === undefined) return 'critic';
  return memory.status === undefined ? 'finish' : null;
}

/** After a person chose, what was read and drafted before no longer holds. */
export function withChoice(memory: Memory, choice: string): Memory {
  const { route, earlier, as_of } = memory;
  return {
    ...(as_of ? { as_of } : {}),
    ...(route ? { route } : {}),
    ...(earlier === undefined ? {} : { earlier }),
    choice,
    options: null,
  };
}
