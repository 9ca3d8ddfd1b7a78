/** The audit log: who did what, when. */
import { z } from '@hono/zod-openapi';
import { stream } from 'hono/streaming';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, iso } from '../api.ts';

const EntrySchema = z
  .object({
    id: z.number().int(),
    at: z.iso.datetime(),
    actor: z.string().openapi({ example: 'anna' }),
    act: z.string().openapi({ example: 'change site' }),
    object: z.string().openapi({ example: 'works' }),
    detail: z.record(z.string(), z.unknown()),
  })
  .openapi('AuditEntry');

const list = apiRoute('admin', {
  method: 'get',
  path: '/api/v1/audit',
  tags: ['Operations'],
  summary: 'Administrative acts, newest first',
  request: {
    query: z.object({
      limit: z.coerce.number().int().min(1).max(500).default(100).openapi({ type: 'integer', example: 100 }),
      before: z.coerce
        .number()
        .int()
        .optional()
        .openapi({ type: 'integer', description: 'Id of the last entry of the former page.' }),
    }),
  },
  responses: {
    200: {
      description: 'A page of entries.',
      content: { 'application/json': { schema: z.object({ entries: z.array(EntrySchema) }) } },
    },
  },
});

const StateSchema = z
  .object({
    entries: z.number().int().openapi({ example: 812 }),
    last: z.object({ id: z.number().int(), hash: z.string(), at: z.string() }).nullable(),
    signed: z
      .object({ id: z.number().int(), at: z.iso.datetime() })
      .nullable()
      .openapi({ description: 'The newest entry that the box signed.' }),
    accepted: z
      .object({
        entry: z.number().int(),
        at: z.string(),
        actor: z.string(),
        former_keys: z.array(z.string()),
        through: z.number().int(),
      })
      .nullable()
      .openapi({
        description: 'Up to `through` other keys signed, which the box lost; who accepted that, with which entry.',
        example: null,
      }),
    fault: z
      .object({ entry: z.number().int().nullable(), problem: z.string() })
      .nullable()
      .openapi({ description: 'The first entry that is not as it was written; null where all are.', example: null }),
  })
  .openapi('AuditState');
const state = apiRoute('admin', {
  method: 'get',
  path: '/api/v1/audit/state',
  tags: ['Operations'],
  summary: 'Whether the audit log is as it was written',
  description: 'Reads the whole log and compares it with its hashes and signatures; at most every 30 seconds.',
  responses: { 200: { description: 'Its state.', content: { 'application/json': { schema: StateSchema } } } },
});
const exported = apiRoute('admin', {
  method: 'get',
  path: '/api/v1/audit/export',
  tags: ['Operations'],
  summary: 'The whole audit log with hashes and signatures',
  description:
    'JSON lines: the public key, the entries, the signed heads. docs/guides/audit.md tells how to verify it.',
  responses: {
    200: { description: 'The lines.', content: { 'application/x-ndjson': { schema: z.string() } } },
  },
});

export function createAuditApi({ audit, audit_chain }: Pick<Services, 'audit' | 'audit_chain'>) {
  const app = createApiApp();
  app.openapi(list, async (c) => {
    const { limit, before } = c.req.valid('query');
    const entries = await audit.list(actorOf(c).tenant, { limit, before });
    return c.json({ entries: entries.map(({ at_ms, ...entry }) => ({ ...entry, at: iso(at_ms) })) }, 200);
  });
  app.openapi(state, async (c) => {
    const { entries, last, signed, accepted, fault } = await audit_chain.state(actorOf(c).tenant);
    const told = fault && { entry: fault.entry, problem: fault.problem };
    return c.json({ entries, last, signed, accepted, fault: told }, 200);
  });
  app.openapi(exported, (c) => {
    c.header('content-type', 'application/x-ndjson');
    c.header('content-disposition', 'attachment; filename="audit.jsonl"');
    const { tenant } = actorOf(c);
    return stream(c, async (out) => {
      for await (const lines of audit_chain.export(tenant)) {
        if (out.aborted) return;
        await out.write(lines);
      }
    }) as never;
  });
  return app;
}
