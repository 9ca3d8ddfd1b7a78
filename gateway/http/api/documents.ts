/** Documents: upload, list, remove, the original file, and where a quote stands on its page. */
import { z } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import type { DocumentVersionState } from '../../services/regulation.ts';
import type { DocumentState, Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, iso, problem, requireRole } from '../api.ts';
import { receiveForm } from './uploads.ts';

const tags = ['Regulation'];
/** Of the multipart envelope around the file. */
const ENVELOPE_BYTES = 64 * 1024;
const LONGEST_QUOTE = 5000;

const day = z.iso.date().nullable().openapi({ example: '2026-01-01' });
const version = {
  version: z.string().openapi({ example: '2' }),
  pages: z.number().int().nullable(),
  language: z.string().openapi({ example: 'de' }),
  format: z.string().nullable().openapi({ example: 'pdf' }),
  state: z.enum(['queued', 'reading', 'ready', 'refused']),
  reason: z.string().nullable().openapi({ description: 'Why it was refused, in a sentence.' }),
  uploaded_at: z.iso.datetime(),
  uploaded_by: z.string(),
  passages: z.number().int().openapi({ description: 'Passages that can be quoted.' }),
  valid_from: day.openapi({ description: 'First day in force; null: nobody said.' }),
  valid_to: day.openapi({ description: 'Last day in force; null: until it is replaced.' }),
  replaced_by: z.string().nullable().openapi({ description: 'The version that takes or took its place.' }),
  standing: z.enum(['in_force', 'replaced', 'ended', 'not_yet']).nullable().openapi({ description: 'As of today.' }),
  faults: z
    .array(z.object({ where: z.string(), problem: z.string() }))
    .openapi({ description: 'What is doubtful without keeping it from being read.' }),
  ocr_pages: z.number().int().openapi({ description: 'Pages whose text was recognised from pictures.' }),
};
const DocumentSchema = z
  .object({
    id: z.string().openapi({ example: '0b9c7a52-2f0e-4d0e-9a53-6a1f6b0f7f11' }),
    title: z.string().openapi({ example: 'Energiewirtschaftsgesetz (EnWG)' }),
    ...version,
    demo: z.boolean(),
    shared: z.boolean().openapi({ description: 'Lent to all organisations of the box.' }),
    own: z.boolean().openapi({ description: 'False for what another organisation shares.' }),
    stage: z
      .object({
        name: z.enum(['extract', 'structure', 'store', 'index', 'embed']),
        done: z.number().int(),
        total: z.number().int().nullable(),
      })
      .nullable()
      .openapi({ description: 'How far reading has come; null when nothing is being read.' }),
    others: z.array(z.object(version)).openapi({ description: 'Its other versions, newest first.' }),
  })
  .openapi('Document');

const FileField = z.string().openapi({ format: 'binary' });

const IdParam = z.object({ id: z.string().min(1).max(64) });
const ok = { description: 'The documents, by title, each in its newest version.' };

const list = apiRoute('user', {
  method: 'get',
  path: '/api/v1/documents',
  tags,
  summary: 'Documents that answers are quoted from',
  responses: {
    200: { ...ok, content: { 'application/json': { schema: z.object({ documents: z.array(DocumentSchema) }) } } },
  },
});

const json = (description: string) => ({ description, content: { 'application/json': { schema: DocumentSchema } } });
const OtherOwner = { description: 'It belongs to another organisation, or only the owner of the box may.' };

const one = apiRoute('user', {
  method: 'get',
  path: '/api/v1/documents/{id}',
  tags,
  summary: 'A document with all its versions',
  request: { params: IdParam },
  responses: { 200: json('The document.'), 404: { description: 'No such document.' } },
});

const share = apiRoute('admin', {
  method: 'patch',
  path: '/api/v1/documents/{id}',
  tags,
  summary: 'Lend a document to all organisations of the box, or take it back',
  description: 'Only admins of the organisation that runs the box may: everybody is answered from what is shared.',
  request: {
    params: IdParam,
    body: { required: true, content: { 'application/json': { schema: z.strictObject({ shared: z.boolean() }) } } },
  },
  responses: { 200: json('As it is now.'), 403: OtherOwner, 404: { description: 'No such document.' } },
});

const changeVersion = apiRoute('admin', {
  method: 'patch',
  path: '/api/v1/documents/{id}/versions/{version}',
  tags,
  summary: 'Say from when to when a version is in force, and what replaces it',
  description:
    'Questions are answered from the version in force. What is left out stays as it is; null takes it away. Without a replacement the next version by its first day takes its place.',
  request: {
    params: IdParam.extend({ version: z.string().min(1).max(64).openapi({ example: '1' }) }),
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.strictObject({
            valid_from: day.optional(),
            valid_to: day.optional(),
            replaced_by: z.string().max(64).nullable().optional().openapi({ example: '2' }),
          }),
        },
      },
    },
  },
  responses: { 200: json('As it is now.'), 403: OtherOwner, 404: { description: 'No such document or version.' } },
});

const removeVersion = apiRoute('admin', {
  method: 'delete',
  path: '/api/v1/documents/{id}/versions/{version}',
  tags,
  summary: 'Remove one version of a document',
  description: 'The version before answers again where it is in force. The last version takes the document with it.',
  request: { params: IdParam.extend({ version: z.string().min(1).max(64).openapi({ example: '1' }) }) },
  responses: {
    204: { description: 'Gone; nothing is quoted from it any more.' },
    403: OtherOwner,
    404: { description: 'No such document or version.' },
  },
});

const upload = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/documents',
  tags,
  summary: 'Upload a PDF, Word file, HTML, Markdown or plain text',
  description:
    'Reading goes on in the background: `state` goes from queued over reading to ready or refused. The same title makes a new version, the same bytes change nothing.',
  request: {
    body: {
      required: true,
      content: {
        'multipart/form-data': {
          schema: z.object({
            file: FileField,
            title: z.string().max(300).optional().openapi({ description: 'Left out: made from the name of the file.' }),
            version: z.string().max(64).optional().openapi({ description: 'Left out: the next number.' }),
            valid_from: z.string().optional().openapi({ description: 'First day in force.', example: '2026-01-01' }),
            valid_to: z.string().optional().openapi({ description: 'Last day in force.', example: '2027-12-31' }),
          }),
        },
      },
    },
  },
  responses: {
    202: {
      description: 'Stored; reading has been queued.',
      content: { 'application/json': { schema: DocumentSchema } },
    },
    200: {
      description: 'Known already; nothing changed.',
      content: { 'application/json': { schema: DocumentSchema } },
    },
    413: { description: 'The file is larger than upload_max_bytes.' },
  },
});

const remove = apiRoute('admin', {
  method: 'delete',
  path: '/api/v1/documents/{id}',
  tags,
  summary: 'Remove a document with all its versions',
  request: { params: IdParam },
  responses: {
    204: { description: 'Gone; nothing is quoted from it any more.' },
    403: { description: 'It belongs to another organisation.' },
    404: { description: 'No such document.' },
  },
});

const file = apiRoute('user', {
  method: 'get',
  path: '/api/v1/documents/{id}/file',
  tags,
  summary: 'The file as it was uploaded',
  request: { params: IdParam, query: z.object({ version: z.string().max(64).optional() }) },
  responses: {
    200: {
      description: 'The bytes.',
      content: { 'application/octet-stream': { schema: z.string().openapi({ format: 'binary' }) } },
    },
    404: { description: 'No such document or version.' },
  },
});

const MarksSchema = z
  .object({
    width: z.number().openapi({ description: 'Of the page in PDF points; 0 for formats without pages.' }),
    height: z.number(),
    boxes: z.array(z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() })).openapi({
      description: 'One per line of print, in PDF points, origin top left; empty where the quote is not on the page.',
    }),
    text: z.string().openapi({ description: 'Text of the page, or around the quote where there are no pages.' }),
  })
  .openapi('Marks');

const marks = apiRoute('user', {
  method: 'get',
  path: '/api/v1/documents/{id}/marks',
  tags,
  summary: 'Where a quote stands on its page',
  request: {
    params: IdParam,
    query: z.object({
      page: z.coerce.number().int().min(0).default(0).openapi({ example: 3 }),
      quote: z.string().min(1).max(LONGEST_QUOTE),
      version: z.string().max(64).optional(),
    }),
  },
  responses: {
    200: { description: 'Boxes to mark.', content: { 'application/json': { schema: MarksSchema } } },
    404: { description: 'No such document or version.' },
  },
});

export function createDocumentsApi({
  regulation,
  config,
}: Pick<Services, 'regulation'> & { config: Pick<Services['config'], 'upload_max_bytes' | 'home'> }) {
  const app = createApiApp();
  app.use(
    '/api/v1/documents',
    bodyLimit({
      maxSize: config.upload_max_bytes + ENVELOPE_BYTES,
      onError: (c) =>
        problem(
          c,
          413,
          `At most ${Math.floor(config.upload_max_bytes / 1e6)} MB are taken. Split the file, or raise upload_max_bytes.`,
        ),
    }),
  );
  app.openapi(list, async (c) =>
    c.json({ documents: (await regulation.documents(actorOf(c).tenant)).map(shown) }, 200),
  );
  app.openAPIRegistry.registerPath(upload);
  // The form is taken apart here and not by its schema, which would hold all of it in memory.
  app.post('/api/v1/documents', requireRole('admin'), async (c) => {
    const { fields, file: sent, discard } = await receiveForm(c, config.home);
    try {
      const { title, version, valid_from, valid_to } = fields;
      const file = { name: sent.name, path: sent.path, title, version, valid_from, valid_to };
      const state = await regulation.upload(actorOf(c), file);
      return c.json(shown(state), state.state === 'ready' ? 200 : 202);
    } finally {
      await discard();
    }
  });
  app.openapi(one, async (c) =>
    c.json(shown(await regulation.document(actorOf(c).tenant, c.req.valid('param').id)), 200),
  );
  app.openapi(share, async (c) =>
    c.json(shown(await regulation.share(actorOf(c), c.req.valid('param').id, c.req.valid('json'))), 200),
  );
  app.openapi(changeVersion, async (c) => {
    const { id, version } = c.req.valid('param');
    return c.json(shown(await regulation.changeVersion(actorOf(c), id, version, c.req.valid('json'))), 200);
  });
  app.openapi(removeVersion, async (c) => {
    const { id, version } = c.req.valid('param');
    await regulation.removeVersion(actorOf(c), id, version);
    return c.body(null, 204);
  });
  app.openapi(remove, async (c) => {
    await regulation.remove(actorOf(c), c.req.valid('param').id);
    return c.body(null, 204);
  });
  app.openapi(file, async (c) => {
    const found = await regulation.file(actorOf(c).tenant, c.req.valid('param').id, c.req.valid('query').version);
    return new Response(Buffer.from(found.bytes), { headers: fileHeaders(found.name) });
  });
  app.openapi(marks, async (c) => {
    const { page, quote, version } = c.req.valid('query');
    const found = await regulation.marks(actorOf(c).tenant, c.req.valid('param').id, version ?? '', page, quote);
    return c.json(found, 200);
  });
  return app;
}

function shown({ others, ...state }: DocumentState) {
  return { ...shownVersion(state), others: others.map(shownVersion) };
}

function shownVersion<Version extends DocumentVersionState>({ uploaded_ms, faults, ...state }: Version) {
  return { ...state, faults: [...faults], uploaded_at: iso(uploaded_ms) };
}

/** What people uploaded never runs as a page of ours: only PDFs are shown, the rest is text. */
function fileHeaders(name: string): Record<string, string> {
  const isPdf = /\.pdf$/i.test(name);
  return {
    'content-type': isPdf ? 'application/pdf' : 'text/plain; charset=utf-8',
    'content-disposition': `inline; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)}`,
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, max-age=300',
  };
}
