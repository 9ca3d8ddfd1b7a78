/** Questions about regulation: an answer that quotes its sources, or none. */
import { z } from '@hono/zod-openapi';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp } from '../api.ts';

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
    quote: z.string().openapi({ example: 'Die Steuer beträgt 20,50 Euro für eine Megawattstunde.' }),
    start: z.number().int().openapi({ description: "Offset in the version's text, where the quote stands verbatim." }),
    end: z.number().int(),
  })
  .openapi('Citation');
const AnswerSchema = z
  .object({
    status: z.enum(['answered', 'abstained']),
    sentences: z.array(z.object({ text: z.string(), citations: z.array(CitationSchema).min(1) })),
    nearest: z
      .array(z.object({ ...place, text: z.string(), score: z.number() }))
      .openapi({ description: 'The passages that come nearest to the question, best first.' }),
  })
  .openapi('Answer');

const ask = apiRoute('user', {
  method: 'post',
  path: '/api/v1/ask',
  tags: ['Regulation'],
  summary: 'Ask the documents',
  description:
    'Every sentence is quoted from a document. Where the documents do not answer, `status` is abstained and only the nearest passages come back.',
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.object({
            question: z
              .string()
              .min(1)
              .max(1000)
              .openapi({ example: 'Wie hoch ist die Stromsteuer für eine Megawattstunde?' }),
          }),
        },
      },
    },
  },
  responses: {
    200: { description: 'An answer, or why there is none.', content: { 'application/json': { schema: AnswerSchema } } },
  },
});

export function createAskApi({ regulation }: Pick<Services, 'regulation'>) {
  const app = createApiApp();
  app.openapi(ask, async (c) => c.json(await regulation.ask(actorOf(c), c.req.valid('json').question), 200));
  return app;
}
