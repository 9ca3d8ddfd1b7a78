/** Advice: what to do now, what people answered, and why it was chosen. */
import { z } from '@hono/zod-openapi';
import type { Evidence } from '../../../recommender/action.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, iso } from '../api.ts';

const tags = ['Advice'];
const SavingSchema = z
  .object({ amount: z.number(), low: z.number(), high: z.number(), currency: z.string() })
  .openapi('Saving');
const EvidenceSchema = z
  .object({
    slots: z.array(z.object({ from: z.iso.datetime(), to: z.iso.datetime() })).optional(),
    plan: z.string().optional(),
    meter: z.string().optional(),
    repair: z.string().optional(),
    passage: z
      .object({ document: z.string(), version: z.string(), page: z.number().int().nullable(), section: z.string() })
      .optional(),
  })
  .openapi('Evidence', { description: 'What the advice rests on.' });
const ActionSchema = z
  .object({
    id: z.string().openapi({ example: 'shift_load:2026-03-30:17:00' }),
    kind: z.string().openapi({ example: 'shift_load' }),
    text: z.string().openapi({ example: 'Move flexible load from 17:00–19:00 to 12:00–14:00.' }),
    why: z.string(),
    saving: SavingSchema.nullable(),
    propensity: z.number().openapi({ description: 'Probability with which it was chosen for its position.' }),
    chosen_by: z.enum(['learner', 'rule', 'chance']).openapi({
      description: 'Who put it there: what was learnt, the plain rule, or chance (exploration).',
    }),
    like_this: z
      .object({ accepted: z.number().int(), answered: z.number().int() })
      .openapi({ description: 'Answers to this kind so far.' }),
    effort_min: z.number().openapi({ description: 'Minutes of work, about.' }),
    deadline: z.iso.datetime().nullable(),
    link: z.string().nullable().openapi({ description: 'Page of the box where to look.' }),
    evidence: EvidenceSchema,
  })
  .openapi('Action');
const PassageSchema = z
  .object({
    document: z.string(),
    document_title: z.string(),
    version: z.string(),
    page: z.number().int().nullable(),
    section: z.string(),
    quote: z.string(),
    relevance: z.number(),
    because: z
      .object({ kind: z.enum(['question', 'view']), text: z.string() })
      .openapi({ description: 'What you asked or read that it is close to.' }),
  })
  .openapi('RecommendedPassage');
const AdviceSchema = z
  .object({
    decision_id: z.string(),
    quiet: z.boolean().openapi({ description: 'Nothing new is advised now, by the quiet hours.' }),
    actions: z.array(ActionSchema),
    documents: z.array(PassageSchema).openapi({ description: 'Close to what you read and asked, best first.' }),
  })
  .openapi('Advice');
/** Passages beside the actions. */
const PASSAGES = 5;

const recommend = apiRoute('user', {
  method: 'get',
  path: '/api/v1/recommend',
  tags,
  summary: 'The current advice, best first',
  description: 'The same decision comes back while it is valid. In the language of the person, or of the query.',
  request: { query: z.object({ language: z.enum(['en', 'de']).optional() }) },
  responses: {
    200: {
      description: 'Up to three actions; none when nothing is worth doing.',
      content: { 'application/json': { schema: AdviceSchema } },
    },
  },
});

const DecisionParam = z.object({ decision_id: z.string() });
const feedback = apiRoute('user', {
  method: 'post',
  path: '/api/v1/recommend/{decision_id}/feedback',
  tags,
  summary: 'Accept, dismiss or snooze an action',
  request: {
    params: DecisionParam,
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.object({ action: z.string(), outcome: z.enum(['accepted', 'dismissed', 'snoozed']) }),
        },
      },
    },
  },
  responses: {
    204: { description: 'Noted; the same answer again changes nothing.' },
    404: { description: 'No such decision or action.' },
  },
});

const explain = apiRoute('analyst', {
  method: 'get',
  path: '/api/v1/recommend/{decision_id}/explain',
  tags,
  summary: 'The logged decision: context, every eligible action with its propensity, policy and seed',
  request: {
    params: DecisionParam,
    query: z.object({
      replay: z.enum(['true', 'false']).optional().openapi({
        description: 'Make the decision again from the log; `replay_faults` is what differs, [] is nothing.',
      }),
    }),
  },
  responses: {
    200: {
      description: 'The decision as it was logged.',
      content: { 'application/json': { schema: z.record(z.string(), z.unknown()) } },
    },
    404: { description: 'No such decision.' },
  },
});

const EventSchema = z.object({
  id: z.string().min(1).max(64).openapi({ description: 'Chosen by the sender; the same id is stored once.' }),
  kind: z.enum(['view', 'click', 'question']),
  object: z.string().min(1).max(500).openapi({ example: 'document:3b…' }),
  at: z.iso.datetime({ offset: true }).optional(),
  detail: z.record(z.string(), z.unknown()).optional(),
});
const events = apiRoute('user', {
  method: 'post',
  path: '/api/v1/events',
  tags,
  summary: 'Views, clicks and questions',
  description: 'Idempotent by `id`; at most 1,000 at once.',
  request: {
    body: {
      required: true,
      content: { 'application/json': { schema: z.union([EventSchema, z.array(EventSchema).max(1000)]) } },
    },
  },
  responses: {
    200: {
      description: 'How many were new.',
      content: { 'application/json': { schema: z.object({ stored: z.number().int() }) } },
    },
  },
});

export function createRecommendApi({ advice }: Services) {
  const app = createApiApp();
  app.openapi(recommend, async (c) => {
    const actor = actorOf(c);
    const language = c.req.valid('query').language ?? actor.language;
    const { decision_id, actions, quiet } = await advice.recommend(actor);
    const shown = actions.map(({ deadline_ms, text, why, evidence, ...action }) => ({
      ...{ ...action, text: text[language], why: why[language], evidence: evidenceOf(evidence) },
      deadline: deadline_ms === null ? null : iso(deadline_ms),
    }));
    const documents = (await advice.documents(actor, PASSAGES)).map(({ id: _id, ...passage }) => passage);
    return c.json({ decision_id, quiet, actions: shown, documents }, 200);
  });
  app.openapi(feedback, async (c) => {
    const { action, outcome } = c.req.valid('json');
    await advice.feedback(actorOf(c), c.req.valid('param').decision_id, action, outcome);
    return c.body(null, 204);
  });
  app.openapi(explain, async (c) => {
    const replay = c.req.valid('query').replay === 'true';
    return c.json(await advice.explain(actorOf(c), c.req.valid('param').decision_id, { replay }), 200);
  });
  app.openapi(events, async (c) => {
    const body = c.req.valid('json');
    const list = (Array.isArray(body) ? body : [body]).map(({ at, ...event }) => ({
      ...event,
      at_ms: at === undefined ? undefined : Date.parse(at),
    }));
    return c.json(await advice.record(actorOf(c), list), 200);
  });
  return app;
}

function evidenceOf({ slots, passage, ...ids }: Evidence): z.infer<typeof EvidenceSchema> {
  const { document, version, page, section } = passage ?? {};
  return {
    ...ids,
    ...(slots ? { slots: slots.map(({ from_ms, to_ms }) => ({ from: iso(from_ms), to: iso(to_ms) })) } : {}),
    ...(document !== undefined && version !== undefined && section !== undefined
      ? { passage: { document, version, page: page ?? null, section } }
      : {}),
  };
}
