/** Search in the documents of regulation, embeddings, the glossary, and golden sets with their history. */
import { z } from '@hono/zod-openapi';
import type { RetrievalEvaluation } from '../../services/retrieval.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, iso, json } from '../api.ts';

const tags = ['Regulation'];
const language = z.enum(['en', 'de']);
const lay = z.string().trim().min(1).max(200).openapi({ description: 'As people say it.', example: 'Netzgebühr' });
const legal = z
  .array(z.string().trim().min(1).max(200))
  .min(1)
  .max(20)
  .openapi({
    description: 'As laws say it.',
    example: ['Netzentgelt'],
  });
const setName = z.string().trim().min(1).max(100).openapi({ example: 'german-law' });

const HitSchema = z
  .object({
    document: z.string(),
    document_title: z.string().openapi({ example: 'Energiewirtschaftsgesetz (EnWG)' }),
    version: z.string().openapi({ example: '1' }),
    page: z.number().int().nullable().openapi({ description: 'Null for formats without pages.' }),
    section: z.string().openapi({ example: '§ 14a – Netzorientierte Steuerung' }),
    text: z.string(),
    start: z.number().int().openapi({ description: "Offset in the version's text." }),
    end: z.number().int(),
    score: z.number(),
    named: z.number().openapi({ description: 'Over 0: the question names this place; the more exactly, the higher.' }),
    words: z.number().openapi({ description: 'BM25 of the words.' }),
    meaning: z.number().nullable().openapi({ description: 'Cosine with the question; null without an embedding.' }),
  })
  .openapi('PassageHit');
const SearchSchema = z
  .object({
    hits: z.array(HitSchema),
    expansions: z.array(z.string()).openapi({ description: 'What the glossary added to the question.' }),
    by_meaning: z.boolean().openapi({ description: 'Whether an embedding model took part.' }),
  })
  .openapi('PassageSearch');

const search = apiRoute('user', {
  method: 'get',
  path: '/api/v1/search',
  tags,
  summary: 'Search in the documents',
  description: 'Passages of documents in force that come nearest to a question, best first.',
  request: {
    query: z.object({
      q: z.string().trim().min(1).max(1000).openapi({ example: 'Was regelt § 14a EnWG?' }),
      limit: z.coerce.number().int().min(1).max(50).default(10),
    }),
  },
  responses: { 200: { description: 'What was found.', content: json(SearchSchema) } },
});

const embed = apiRoute('analyst', {
  method: 'post',
  path: '/api/v1/embed',
  tags,
  summary: 'Texts as vectors',
  description: "By the box's embedding model; vectors have length 1.",
  request: {
    body: {
      required: true,
      content: json(
        z.object({
          texts: z.array(z.string().min(1).max(10_000)).min(1).max(64),
          as: z
            .enum(['document', 'query'])
            .default('document')
            .openapi({ description: 'Models may treat them apart.' }),
        }),
      ),
    },
  },
  responses: {
    200: {
      description: 'One vector a text, in their order.',
      content: json(
        z.object({ model: z.string(), dimensions: z.number().int(), vectors: z.array(z.array(z.number())) }),
      ),
    },
    400: { description: 'The box has no embedding model, or there is nothing to embed.' },
  },
});

const GlossarySchema = z
  .object({
    entries: z.array(
      z.object({
        language,
        lay,
        legal,
        own: z.boolean().openapi({ description: 'False for those that the box came with.' }),
        changed_by: z.string().nullable(),
      }),
    ),
  })
  .openapi('Glossary');
const readGlossary = apiRoute('user', {
  method: 'get',
  path: '/api/v1/glossary',
  tags,
  summary: 'What people say, and what laws say instead',
  responses: { 200: { description: 'All entries that hold.', content: json(GlossarySchema) } },
});
const saveGlossary = apiRoute('admin', {
  method: 'put',
  path: '/api/v1/glossary',
  tags,
  summary: 'Save an entry of the glossary',
  request: { body: { required: true, content: json(z.object({ language, lay, legal })) } },
  responses: { 204: { description: 'It holds from the next question on.' } },
});
const removeGlossary = apiRoute('admin', {
  method: 'delete',
  path: '/api/v1/glossary',
  tags,
  summary: 'Take an entry of the glossary away',
  request: { query: z.object({ language, lay }) },
  responses: { 204: { description: 'It is gone, also one that the box came with.' } },
});

const QuestionSchema = z
  .object({
    question: z.string().trim().min(1).max(1000).openapi({ example: 'Was regelt § 14a EnWG?' }),
    document: z
      .string()
      .max(300)
      .nullable()
      .openapi({ description: 'Title or file name; null: the documents do not say.', example: 'EnWG' }),
    section: z.string().max(300).nullable().openapi({ description: 'Null: any section counts.', example: '§ 14a' }),
    class: z.string().max(50).optional(),
    half: z.enum(['development', 'test']).optional(),
  })
  .openapi('GoldenQuestion');
const GoldenSetSchema = z.object({
  name: setName,
  questions: z.array(QuestionSchema),
  changed_by: z.string(),
  changed: z.iso.datetime(),
});
const goldenSets = apiRoute('analyst', {
  method: 'get',
  path: '/api/v1/golden-sets',
  tags,
  summary: 'Questions whose answers are known',
  responses: { 200: { description: 'By name.', content: json(z.object({ sets: z.array(GoldenSetSchema) })) } },
});
const saveGoldenSet = apiRoute('admin', {
  method: 'put',
  path: '/api/v1/golden-sets/{name}',
  tags,
  summary: 'Save a golden set',
  description: 'Every night its questions are asked, and a fall of what is found raises an alert.',
  request: {
    params: z.object({ name: setName }),
    body: { required: true, content: json(z.object({ questions: z.array(QuestionSchema).min(1).max(5000) })) },
  },
  responses: { 204: { description: 'Saved.' } },
});
const removeGoldenSet = apiRoute('admin', {
  method: 'delete',
  path: '/api/v1/golden-sets/{name}',
  tags,
  summary: 'Remove a golden set',
  request: { params: z.object({ name: setName }) },
  responses: { 204: { description: 'Gone; its history stays.' }, 404: { description: 'There is none.' } },
});

const Shares = z.object({ recall5: z.number(), recall1: z.number() });
const Ranked = Shares.extend({ mrr10: z.number() });
const EvaluationSchema = z
  .object({
    id: z.string(),
    golden_set: z.string(),
    at: z.iso.datetime(),
    questions: z.number().int(),
    recall5: z.number().openapi({ description: 'Share of questions whose section was among the first five.' }),
    recall1: z.number(),
    mrr10: z.number(),
    p95_ms: z.number(),
    weight: z.number().openapi({ description: 'Share of the meaning in the order; 0 is words only.' }),
    model: z.string().nullable(),
    ann_recall: z.number().nullable().openapi({ description: 'Of the truly nearest passages, by comparing all.' }),
    classes: z.record(z.string(), Shares),
    rerank: z
      .object({
        questions: z.number().int(),
        without: Ranked,
        with: Ranked,
        p95_ms: z.number(),
        late: z.number().int().openapi({ description: 'Questions whose order did not come in time.' }),
      })
      .nullable()
      .openapi({ description: "What the language model's order changes; null where language_rerank_ms is 0." }),
  })
  .openapi('RetrievalEvaluation');
const evaluations = apiRoute('analyst', {
  method: 'get',
  path: '/api/v1/retrieval-evaluations',
  tags,
  summary: 'How well golden sets were answered',
  request: {
    query: z.object({ set: setName.optional(), limit: z.coerce.number().int().min(1).max(1000).default(100) }),
  },
  responses: {
    200: { description: 'Newest first.', content: json(z.object({ evaluations: z.array(EvaluationSchema) })) },
  },
});
const evaluate = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/retrieval-evaluations',
  tags,
  summary: 'Ask a golden set now',
  request: { body: { required: true, content: json(z.object({ set: setName })) } },
  responses: {
    200: { description: 'The figures, kept in the history.', content: json(EvaluationSchema) },
    404: { description: 'There is no such set.' },
  },
});

export function createRetrievalApi({ retrieval }: Pick<Services, 'retrieval'>) {
  return createApiApp()
    .openapi(search, async (c) => {
      const { q, limit } = c.req.valid('query');
      const { hits, ...rest } = await retrieval.search(actorOf(c).tenant, q, limit);
      return c.json({ hits: hits.map(shownHit), ...rest }, 200);
    })
    .openapi(embed, async (c) => {
      const { texts, as } = c.req.valid('json');
      const { model, vectors } = await retrieval.embed(texts, as);
      const rows = vectors.map((vector) => Array.from(vector));
      return c.json({ model, dimensions: rows[0]?.length ?? 0, vectors: rows }, 200);
    })
    .openapi(readGlossary, async (c) => {
      const entries = await retrieval.glossary(actorOf(c).tenant);
      return c.json({ entries: entries.map((entry) => ({ ...entry, legal: [...entry.legal] })) }, 200);
    })
    .openapi(saveGlossary, async (c) => {
      await retrieval.saveGlossaryEntry(actorOf(c), c.req.valid('json'));
      return c.body(null, 204);
    })
    .openapi(removeGlossary, async (c) => {
      const { language, lay } = c.req.valid('query');
      await retrieval.removeGlossaryEntry(actorOf(c), language, lay);
      return c.body(null, 204);
    })
    .openapi(goldenSets, async (c) => {
      const sets = await retrieval.goldenSets(actorOf(c).tenant);
      const shown = sets.map(({ changed_ms, questions, ...set }) => ({
        ...{ ...set, questions: [...questions] },
        changed: iso(changed_ms),
      }));
      return c.json({ sets: shown }, 200);
    })
    .openapi(saveGoldenSet, async (c) => {
      await retrieval.saveGoldenSet(actorOf(c), c.req.valid('param').name, c.req.valid('json').questions);
      return c.body(null, 204);
    })
    .openapi(removeGoldenSet, async (c) => {
      await retrieval.removeGoldenSet(actorOf(c), c.req.valid('param').name);
      return c.body(null, 204);
    })
    .openapi(evaluations, async (c) => {
      const { set, limit } = c.req.valid('query');
      const found = await retrieval.evaluations(actorOf(c).tenant, set ?? null, limit);
      return c.json({ evaluations: found.map(shownEvaluation) }, 200);
    })
    .openapi(evaluate, async (c) => {
      const found = await retrieval.evaluate(actorOf(c).tenant, c.req.valid('json').set);
      return c.json(shownEvaluation(found), 200);
    });
}

type Hit = Awaited<ReturnType<Services['retrieval']['search']>>['hits'][number];

function shownHit({ passage, score, named = 0, words = 0, meaning = null }: Hit): z.infer<typeof HitSchema> {
  const { document, document_title, version, page, section, text, start, end } = passage;
  return { document, document_title, version, page, section, text, start, end, score, named, words, meaning };
}

function shownEvaluation({ at_ms, ...rest }: RetrievalEvaluation): z.infer<typeof EvaluationSchema> {
  return { ...rest, at: iso(at_ms) };
}
