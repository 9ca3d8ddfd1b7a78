/** What comes out of a question: sentences with their sources, or the reason why there are none. */
import type { Fault } from '../../../engine/rag/verify.ts';

export type AnswerPlace = {
  document: string;
  document_title: string;
  version: string;
  page: number | null;
  section: string;
};
export type AnswerCitation = AnswerPlace & {
  /** Id of the passage that the quote stands in. */
  passage: string;
  /** Stands verbatim at start…end of the version's text. */
  quote: string;
  start: number;
  end: number;
};
/** Figures of this site that a sentence states: where they come from and how they read there. */
export type AnswerFigure = {
  title: string;
  /** The page of ours that shows them. */
  href: string;
  /** The figures as they were read, e.g. `mean 82.10 EUR/MWh, 96 of 96 quarter hours`. */
  quote: string;
};
/** Has at least one citation or figure. */
export type AnswerSentence = { text: string; citations: AnswerCitation[]; figures: AnswerFigure[] };
export type NearestPassage = AnswerPlace & { passage: string; text: string; score: number };

/** Why there is no answer, or none by the language model. */
export type AnswerReason =
  | 'no_documents'
  | 'not_covered'
  | 'no_such_place'
  | 'nothing_verified'
  | 'no_site_data'
  | 'stopped'
  | 'failed';
export type AnswerStatus = 'answered' | 'abstained' | 'asking' | 'stopped' | 'failed';

export type Answer = {
  /** Of the run: its steps, feedback and export hang on it. */
  id: string;
  conversation: string;
  question: string;
  /** The day whose law it was answered from, where one was named; null: the day it was asked. */
  as_of?: string | null;
  status: AnswerStatus;
  /** Null where it was answered. */
  reason: { code: AnswerReason; text: string } | null;
  sentences: AnswerSentence[];
  /** The passages that were read, best first. */
  nearest: NearestPassage[];
  /** Name of the language model that wrote it; null: sentences of the documents as they stand there. */
  model: string | null;
  /** The model was to write it and failed so; the sentences are quotes then. */
  model_fault: string | null;
  /** Sentences of the model that the verifier dropped. */
  dropped: { text: string; fault: Fault }[];
  /** With `asking`: what a person has to say before it goes on. */
  asking: { text: string; options: { id: string; label: string }[] } | null;
  /** A task for a person, which exists once somebody confirms it. */
  proposed_task: { title: string } | null;
};

/** An answer as it is shown again: with what its reader said of it, and whether its task exists. */
export type KeptAnswer = Answer & { feedback: 'useful' | 'not_useful' | null; task_confirmed: boolean };

/** What is told while it is made, in this order: run, step…, sources…, (progress | sentence)…, done. */
export type AnswerEvent =
  | { event: 'run'; data: { id: string; conversation: string; model: string | null } }
  | { event: 'step'; data: { name: string; state: 'begun' | 'done'; ms: number } }
  | { event: 'sources'; data: { passages: NearestPassage[] } }
  | { event: 'progress'; data: { tokens: number } }
  | { event: 'sentence'; data: AnswerSentence & { index: number } }
  | { event: 'done'; data: Answer };

export type AskRequest = {
  question: string;
  /** Goes on with it: what was asked before is known. Left out: a new one. */
  conversation?: string | null | undefined;
  /** May come back with `asking` where the question means several documents. */
  interactive?: boolean | undefined;
  /** Answered from the versions that were in force on this day, `YYYY-MM-DD`; left out and null: today. */
  as_of?: string | null | undefined;
};
export type AskWatch = {
  on?: (event: AnswerEvent) => void;
  /** Stops the model within a second. */
  signal?: AbortSignal;
};
