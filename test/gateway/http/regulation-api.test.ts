import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import type { Role } from '../../../engine/model/site.ts';
import { createDocumentsApi } from '../../../gateway/http/api/documents.ts';
import { createApiApp, describeError, problem } from '../../../gateway/http/api.ts';
import { openApiDocument } from '../../../gateway/http/openapi.ts';
import type { Answer, DocumentState, RegulationService } from '../../../gateway/services.ts';

const STATE: DocumentState = {
  ...{ id: 'd1', title: 'Fees', version: '1', pages: 2, language: 'en', state: 'queued', reason: null },
  ...{ uploaded_ms: Date.UTC(2026, 0, 2), uploaded_by: 'ada', passages: 0, demo: false, format: 'pdf' },
  ...{ valid_from: null, valid_to: null, replaced_by: null, standing: null, faults: [], ocr_pages: 0 },
  ...{ shared: false, own: true, stage: null, others: [] },
};
const PLACE = { document: 'd1', document_title: 'Fees', version: '1', page: 2, section: '§ 4 Fees' };
const ANSWER: Answer = {
  status: 'answered',
  sentences: [
    { text: 'The fee is 20 EUR.', citations: [{ ...PLACE, quote: 'The fee is 20 EUR.', start: 10, end: 28 }] },
  ],
  nearest: [{ ...PLACE, text: 'The fee is 20 EUR.', score: 3.5 }],
};

/** A signed-in person of `role` (null: nobody) before a service that notes what it was asked. */
function open(role: Role | null) {
  const calls: unknown[][] = [];
  const regulation: RegulationService = {
    ask: async (actor, question) => {
      calls.push(['ask', actor.tenant, question]);
      return ANSWER;
    },
    similar: async () => [],
    documents: async () => [STATE],
    document: async (_, id) => {
      if (id !== 'd1') throw new NotFoundError('There is no such document.');
      return STATE;
    },
    changeVersion: async (...asked) => {
      calls.push(['changeVersion', ...asked.slice(1)]);
      return STATE;
    },
    share: async (...asked) => {
      calls.push(['share', ...asked.slice(1)]);
      return STATE;
    },
    upload: async (_, sent) => {
      const { path, ...file } = { path: '', ...sent };
      calls.push(['upload', (await readFile(path)).length, file]);
      if (file.name.endsWith('.exe')) throw new InvalidDataError('No.', 'Upload a PDF.');
      return file.title === 'known' ? { ...STATE, state: 'ready' } : STATE;
    },
    remove: async (_, id) => {
      if (id !== 'd1') throw new NotFoundError('There is no such document.');
      calls.push(['remove', id]);
    },
    removeVersion: async (_, ...asked) => {
      calls.push(['removeVersion', ...asked]);
    },
    reindex: async () => ({ documents: 0, passages: 0 }),
    file: async (_, id, version) => {
      calls.push(['file', id, version]);
      return { bytes: new Uint8Array([1, 2, 3]), name: id === 'd1' ? `Gebühren "2" (neu).pdf` : 'evil.html' };
    },
    marks: async (...asked) => {
      calls.push(['marks', ...asked]);
      return { width: 595, height: 842, boxes: [{ x: 1, y: 2, width: 3, height: 4 }], text: 'page' };
    },
  };
  const app = createApiApp();
  app.onError((error, c) => {
    const { status, detail, faults } = describeError(error);
    return problem(c, status, detail, faults);
  });
  app.use(async (c, next) => {
    c.set('actor', role && { tenant: 'default', person: 'ada', role, language: 'en' });
    await next();
  });
  app.route('/', createDocumentsApi({ regulation, config: { upload_max_bytes: 10_000, home: tmpdir() } }));
  return { app, calls };
}

function formOf(fields: Record<string, string | File>): { method: string; body: FormData } {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  return { method: 'POST', body };
}

describe('documents over HTTP', () => {
  it('come as a list with times in ISO 8601', async () => {
    const response = await open('user').app.request('/api/v1/documents');
    const { uploaded_ms: _, ...shown } = STATE;
    expect(await response.json()).toEqual({ documents: [{ ...shown, uploaded_at: '2026-01-02T00:00:00.000Z' }] });
  });

  it('are uploaded as multipart, with title and version', async () => {
    const { app, calls } = open('admin');
    const file = new File(['%PDF-'], 'fees.pdf');
    const response = await app.request('/api/v1/documents', formOf({ file, title: 'Fees', version: '2026' }));
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ id: 'd1', state: 'queued' });
    expect(calls).toEqual([['upload', 5, { name: 'fees.pdf', title: 'Fees', version: '2026' }]]);
    expect((await app.request('/api/v1/documents', formOf({ file, title: 'known' }))).status).toBe(200);
  });

  it('are refused without a file, of the wrong kind, or too large, in words', async () => {
    const { app, calls } = open('admin');
    const send = (file: string | File) => app.request('/api/v1/documents', formOf({ file }));
    for (const response of [await send('text'), await app.request('/api/v1/documents', formOf({ title: 'x' }))]) {
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ detail: expect.stringContaining('multipart/form-data') });
    }
    const wrong = await send(new File(['MZ'], 'a.exe'));
    expect(wrong.status).toBe(400);
    expect(await wrong.json()).toMatchObject({ detail: 'No. Upload a PDF.' });
    const large = await send(new File([new Uint8Array(200_000)], 'a.pdf'));
    expect(large.status).toBe(413);
    expect(await large.json()).toMatchObject({ detail: expect.stringContaining('upload_max_bytes') });
    expect(calls.map(([what, bytes]) => [what, bytes])).toEqual([['upload', 2]]);
  });

  it('are removed, once', async () => {
    const { app, calls } = open('admin');
    expect((await app.request('/api/v1/documents/d1', { method: 'DELETE' })).status).toBe(204);
    expect((await app.request('/api/v1/documents/d2', { method: 'DELETE' })).status).toBe(404);
    expect(calls).toEqual([['remove', 'd1']]);
  });

  it('give their file back, never as a page that could run', async () => {
    const { app, calls } = open('user');
    const pdf = await app.request('/api/v1/documents/d1/file?version=2');
    expect([pdf.headers.get('content-type'), pdf.headers.get('content-disposition')]).toEqual([
      'application/pdf',
      `inline; filename*=UTF-8''Geb%C3%BChren%20%222%22%20%28neu%29.pdf`,
    ]);
    expect(new Uint8Array(await pdf.arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]));
    const other = await app.request('/api/v1/documents/d3/file');
    expect(other.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(other.headers.get('x-content-type-options')).toBe('nosniff');
    expect(calls).toEqual([
      ['file', 'd1', '2'],
      ['file', 'd3', undefined],
    ]);
  });

  it('say where a quote stands', async () => {
    const { app, calls } = open('user');
    const response = await app.request(
      `/api/v1/documents/d1/marks?page=2&version=1&quote=${encodeURIComponent('The fee, 20 €')}`,
    );
    expect(await response.json()).toMatchObject({ width: 595, boxes: [{ x: 1, y: 2, width: 3, height: 4 }] });
    expect(calls).toEqual([['marks', 'default', 'd1', '1', 2, 'The fee, 20 €']]);
    for (const query of ['page=2', 'page=-1&quote=x', 'page=two&quote=x', `quote=${'x'.repeat(5001)}`])
      expect((await app.request(`/api/v1/documents/d1/marks?${query}`)).status, query.slice(0, 20)).toBe(400);
  });
});

describe('who may', () => {
  const requests: [string, RequestInit, Role][] = [
    ['/api/v1/documents', {}, 'user'],
    ['/api/v1/documents', { method: 'POST' }, 'admin'],
    ['/api/v1/documents/d1', { method: 'DELETE' }, 'admin'],
    ['/api/v1/documents/d1/file', {}, 'user'],
    ['/api/v1/documents/d1/marks?quote=x', {}, 'user'],
  ];
  it.each(requests)('%s %j: at least %s', async (path, init, role) => {
    expect((await open(null).app.request(path, init)).status).toBe(401);
    for (const lower of ['user', 'analyst'] as const)
      expect((await open(lower).app.request(path, init)).status === 403).toBe(role === 'admin');
  });

  it('stands in the OpenAPI document with every route', () => {
    const { paths } = openApiDocument(open('user').app, '0.1.0');
    expect(Object.keys(paths ?? {}).sort()).toEqual([
      '/api/v1/documents',
      '/api/v1/documents/{id}',
      '/api/v1/documents/{id}/file',
      '/api/v1/documents/{id}/marks',
      '/api/v1/documents/{id}/versions/{version}',
    ]);
  });
});
