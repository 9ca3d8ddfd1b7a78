/** Questions about the sample building's documents: conversations in memory, answers in each of their shapes. */
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import { HOUR_MS } from '../../engine/model/time.ts';
import type { Clock } from '../../engine/ports.ts';
import type { Answer, AnswerEvent } from '../../gateway/services/answers/answer.ts';
import type { EvalResult } from '../../gateway/services/answers/evaluate.ts';
import type { RetrievalEvaluation, RetrievalService } from '../../gateway/services/retrieval.ts';
import type { AnswerService } from '../../gateway/services.ts';
import { answerTo, READ } from './sample-documents.ts';

const BEFORE = { id: 'c0', title: 'Who pays for the control box?', questions: 2 };
const { id: PASSAGE, ...PLACE } = READ;
const NEAREST = { ...PLACE, passage: PASSAGE, score: 3.1 };
const FIGURE = {
  title: 'Day-ahead prices, 16 June',
  href: '/prices',
  quote: 'mean 82.10 EUR/MWh, 96 of 96 quarter hours',
};

export function sampleAnswers(clock: Clock): AnswerService {
  const asked: Answer[] = [];
  const said = new Map<string, 'useful' | 'not_useful'>();
  const tasks = new Set<string>();
  const service: Partial<AnswerService> = {
    async ask(_, request, { on = () => {} } = {}) {
      const conversation = request.conversation ?? `c${asked.length + 1}`;
      const answer = made(request.question, `a${asked.length + 1}`, conversation);
      const told: AnswerEvent[] = [
        { event: 'run', data: { id: answer.id, conversation, model: answer.model } },
        { event: 'sources', data: { passages: answer.nearest } },
        ...answer.sentences.map((sentence, index) => ({ event: 'sentence' as const, data: { index, ...sentence } })),
        { event: 'done', data: answer },
      ];
      for (const event of told) on(event);
      asked.push(answer);
      return answer;
    },
    conversations: async () => [
      { ...BEFORE, created_at: new Date(clock.now()), updated_at: new Date(clock.now() - HOUR_MS) },
    ],
    conversation: async (_, id) => {
      const before = id === BEFORE.id ? [made(BEFORE.title, 'a0', id), made('Which power?', 'a00', id)] : [];
      const known = [...before, ...asked.filter(({ conversation }) => conversation === id)];
      if (known.length === 0) throw new NotFoundError(`There is no conversation ${id}.`);
      return known.map((answer) => ({
        ...answer,
        feedback: said.get(answer.id) ?? null,
        task_confirmed: tasks.has(answer.id),
      }));
    },
    removeConversation: async () => {},
    export: async () => ({ name: 'luna-2026-06-17.md', text: '# Questions and answers\n' }),
    feedback: async (_, id, { verdict }) => void said.set(id, verdict),
    async confirmTask(actor, id) {
      tasks.add(id);
      const confirmed = { confirmed_by: actor.person, confirmed_at: new Date(clock.now()) };
      return { ...{ id, title: 'Upload a document', done_by: null, done_at: null }, ...confirmed };
    },
    resume: async (_, id, choice) => {
      if (!choice) throw new InvalidDataError('This answer waits for a choice.');
      return made('Which power?', id, BEFORE.id);
    },
    evaluations: async () => [0, 1, 2].map((days) => measured(days, clock)),
    evaluate: async () => measured(0, clock),
    model: async () => ({
      ...{ name: 'llama3.1:8b', context_tokens: 8192, state: 'missing', digest: null, version: '0.12.0' },
      reason: 'llama3.1:8b has not been fetched yet.',
      pulling: {
        status: 'downloading',
        done_bytes: 2_100_000_000,
        total_bytes: 4_700_000_000,
        fault: null,
        running: true,
      },
    }),
    pullModel: async () => {},
  };
  return service as AnswerService;
}

/** Asks back what "section 5" means, words what the day cost, abstains from what it does not know. */
function made(question: string, id: string, conversation: string): Answer {
  const common = {
    id,
    conversation,
    question,
    reason: null,
    model: null,
    model_fault: null,
    dropped: [],
    asking: null,
  };
  if (/section 5/i.test(question)) {
    const options = [
      { id: 'd1', label: 'Energiewirtschaftsgesetz (Auszug)' },
      { id: 'd2', label: 'Netzanschlussvertrag <Hafenhaus>' },
    ];
    const asking = { text: 'Several documents have this place. Which one do you mean?', options };
    return { ...common, status: 'asking', sentences: [], nearest: [], proposed_task: null, asking };
  }
  if (/cost|price/i.test(question)) {
    const sentence = { text: 'A megawatt hour cost 82.10 EUR on average.', citations: [], figures: [FIGURE] };
    const dropped = [{ text: 'It will be dearer tomorrow.', fault: 'no_citation' as const }];
    const said = { sentences: [sentence], nearest: [], proposed_task: null, dropped, model: 'llama3.1:8b' };
    return { ...common, ...said, status: 'answered' };
  }
  const found = answerTo(question);
  const sentences = found.sentences.map(({ text, citations }) => ({
    ...{ text, figures: [] },
    citations: citations.map((citation) => ({ ...citation, passage: PASSAGE })),
  }));
  if (found.status === 'answered')
    return { ...common, status: 'answered', sentences, nearest: [NEAREST], proposed_task: null };
  const reason = { code: 'not_covered' as const, text: 'The documents do not say this. Below is what comes nearest.' };
  const nearest = found.nearest.length > 0 ? [NEAREST] : [];
  const proposed_task = { title: `Upload a document that answers this question: ${question}` };
  return { ...common, status: 'abstained', reason, sentences: [], nearest, proposed_task };
}

/** Two sets of questions asked, and a glossary of which one entry was added here. */
export function sampleRetrieval(clock: Clock): RetrievalService {
  const changed = { changed_by: 'anna', changed_ms: clock.now() - HOUR_MS };
  const questions = [{ question: 'Was ist eine Kundenanlage?', document: 'EnWG', section: '§ 3' }];
  const service: Partial<RetrievalService> = {
    glossary: async () => [
      { lay: 'Netzrabatt', legal: ['reduziertes Netzentgelt'], language: 'de', own: true, changed_by: 'anna' },
      { lay: 'Wallbox', legal: ['Ladepunkt für Elektromobile'], language: 'de', own: false, changed_by: null },
    ],
    saveGlossaryEntry: async () => {},
    removeGlossaryEntry: async () => {},
    goldenSets: async () => [{ name: 'Häufige Fragen', questions, ...changed }],
    saveGoldenSet: async () => {},
    removeGoldenSet: async () => {},
    evaluations: async () => [found(0, clock), found(1, clock)],
    evaluate: async () => found(0, clock),
  };
  return service as RetrievalService;
}

function found(days: number, clock: Clock): RetrievalEvaluation {
  return {
    ...{
      id: `e${days}`,
      golden_set: 'Häufige Fragen',
      at_ms: clock.now() - (24 * days + 10) * HOUR_MS,
      questions: 120,
    },
    ...{ recall5: 0.86 + days * 0.06, recall1: 0.71, mrr10: 0.78, p95_ms: 6.4, weight: 0.4 },
    ...{ model: 'nomic-embed-text', ann_recall: 0.99, classes: { reference: { recall5: 1, recall1: 1 } } },
    rerank: null,
  };
}

function measured(days: number, clock: Clock): EvalResult {
  return {
    ...{ id: 10 - days, at: new Date(clock.now() - (24 * days + 9) * HOUR_MS), model_version: 'extractive' },
    ...{ question_set: 'headings', questions: 40, answered: 31 - days, grounding_pct: 100, unsupported_pct: 0 },
    ...{ abstained_pct: 22.5 + days, right_pct: 84.2 + 3 * days, p95_ms: 41 },
  };
}
