/** The shapes of answers in the API's document. */
import { z } from '@hono/zod-openapi';

const place = {
  document: z.string().openapi({ example: '0b9c7a52-2f0e-4d0e-9a53-6a1f6b0f7f11' }),
  document_title: z.string().openapi({ example: 'Stromsteuergesetz (StromStG)' }),
  version: z.string().openapi({ example: '1' }),
  page: z.number().int().nullable().openapi({ description: 'Null for formats without pages.' }),
  section: z.string().openapi({ example: '§ 3 – Steuertarif' }),
};
const CitationSchema = z
  .object({
    ...place,
    passage: z.string().openapi({ description: 'Id of the passage that the quote stands in.' }),
    quote: z.string().openapi({ example: 'Die Steuer beträgt 20,50 Euro für eine Megawattstunde.' }),
    start: z.number().int().openapi({ description: "Offset in the version's text, where the quote stands verbatim." }),
    end: z.number().int(),
  })
  .openapi('Citation');
const FigureSchema = z
  .object({
    title: z.string().openapi({ example: 'Price from the grid, 21 November 2026' }),
    href: z.string().openapi({ example: '/prices', description: 'The page that shows the figures.' }),
    quote: z.string(),
  })
  .openapi('SiteFigure');
const reasons = [
  'no_documents',
  'not_covered',
  'no_such_place',
  'nothing_verified',
  'no_site_data',
  'stopped',
  'failed',
] as const;
export const AnswerSchema = z
  .object({
    id: z.string(),
    conversation: z.string(),
    question: z.string().openapi({ description: 'As it was understood: without personal data.' }),
    as_of: z.iso
      .date()
      .nullish()
      .openapi({ description: 'The day whose law it was answered from; null: the day it was asked.' }),
    status: z.enum(['answered', 'abstained', 'asking', 'stopped', 'failed']),
    reason: z
      .object({ code: z.enum(reasons), text: z.string() })
      .nullable()
      .openapi({ description: 'Why there is no answer; null where there is one.' }),
    sentences: z
      .array(z.object({ text: z.string(), citations: z.array(CitationSchema), figures: z.array(FigureSchema) }))
      .openapi({ description: 'Each has at least one citation of a document or figure of the site.' }),
    nearest: z
      .array(z.object({ ...place, passage: z.string(), text: z.string(), score: z.number() }))
      .openapi({ description: 'The passages that come nearest to the question, best first.' }),
    model: z.string().nullable().openapi({ description: 'The language model that wrote it; null: quotes alone.' }),
    model_fault: z.string().nullable().openapi({ description: 'How the language model failed, where it did.' }),
    dropped: z
      .array(z.object({ text: z.string(), fault: z.string() }))
      .openapi({ description: 'Sentences of the model that could not be proven.' }),
    asking: z
      .object({ text: z.string(), options: z.array(z.object({ id: z.string(), label: z.string() })) })
      .nullable(),
    proposed_task: z.object({ title: z.string() }).nullable(),
  })
  .openapi('Answer');
export const KeptAnswerSchema = AnswerSchema.extend({
  feedback: z.enum(['useful', 'not_useful']).nullable().openapi({ description: 'What you said of it.' }),
  task_confirmed: z.boolean().openapi({ description: 'Whether the task that it proposed exists.' }),
}).openapi('KeptAnswer');

const step = z.object({
  seq: z.number().int(),
  name: z.enum(['plan', 'retrieve', 'solve', 'critic', 'finish']),
  result: z.record(z.string(), z.unknown()).openapi({ description: 'What this step found out.' }),
  begun: z.iso.datetime(),
  ms: z.number().int(),
});
export const RunSchema = z
  .object({
    id: z.string(),
    conversation: z.string(),
    question: z.string(),
    state: z.enum(['running', 'paused', 'asking', 'done', 'stopped', 'failed']),
    answer: AnswerSchema.nullable(),
    steps: z.array(step),
  })
  .openapi('AnswerRun');
export const ConversationSchema = z
  .object({
    id: z.string(),
    title: z.string(),
    created: z.iso.datetime(),
    updated: z.iso.datetime(),
    questions: z.number().int(),
  })
  .openapi('Conversation');
export const TaskSchema = z
  .object({
    id: z.string().openapi({ description: 'Of the answer that proposed it.' }),
    title: z.string(),
    confirmed_by: z.string(),
    confirmed: z.iso.datetime(),
    done_by: z.string().nullable(),
    done: z.iso.datetime().nullable(),
  })
  .openapi('AnswerTask');
const pct = z.number().nullable();
export const EvaluationSchema = z
  .object({
    at: z.iso.datetime(),
    model_version: z.string().openapi({ example: 'llama3.1:8b@46e0c10c039e' }),
    question_set: z.enum(['golden', 'headings']),
    questions: z.number().int(),
    answered: z.number().int(),
    grounding_pct: pct.openapi({ description: 'Share of the drafted sentences that could be proven.' }),
    unsupported_pct: pct.openapi({ description: 'Share of the sentences shown that do not hold when verified anew.' }),
    abstained_pct: pct,
    right_pct: pct.openapi({ description: 'Of the answered, those that cite the right section.' }),
    p95_ms: z.number().int(),
  })
  .openapi('AnswerEvaluation');
export const ModelSchema = z
  .object({
    name: z.string().openapi({ example: 'llama3.1:8b' }),
    context_tokens: z.number().int(),
    state: z.enum(['ready', 'missing', 'unreachable']),
    reason: z.string().nullable(),
    digest: z.string().nullable(),
    version: z.string().nullable(),
    pulling: z
      .object({
        status: z.string(),
        done_bytes: z.number().nullable(),
        total_bytes: z.number().nullable(),
        fault: z.string().nullable(),
        running: z.boolean(),
      })
      .nullable(),
  })
  .openapi('LanguageModel');
export const ModelLogSchema = z
  .object({
    id: z.number().int(),
    run: z.string(),
    at: z.iso.datetime(),
    person: z.string(),
    question: z.string(),
    prompt: z.string(),
    doc_refs: z.array(z.object({ id: z.string(), document: z.string(), version: z.string() })),
    model_version: z.string(),
    answer: z.string(),
    fault: z.string().nullable(),
    verdicts: z.array(z.object({ text: z.string(), ok: z.boolean(), fault: z.string().nullable() })),
    latency_ms: z.number().int(),
    prompt_tokens: z.number().int(),
    answer_tokens: z.number().int(),
    cost_eur: z.number(),
  })
  .openapi('ModelLogEntry');
