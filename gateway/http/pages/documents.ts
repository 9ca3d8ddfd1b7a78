/** `/documents`: the list, upload, removal and the viewer with the passage marked. */
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import { documentPage } from '../../../web/pages/document.ts';
import { documentRows, documentsPage } from '../../../web/pages/documents.ts';
import type { Actor } from '../../services.ts';
import type { LiveView } from '../stream.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendError, sendPage, signedIn, uiOf } from './page.ts';

export function createDocumentPages(deps: PageDeps) {
  const { regulation, config } = deps.services;
  const app = createPageApp();
  app.get('/documents', signedIn(deps), async (c) => {
    const documents = await regulation.documents(readerOf(c).tenant);
    return sendPage(c, documentsPage({ documents, problem: null }, uiOf(deps, c)));
  });
  app.post('/documents', signedIn(deps, 'admin'), csrfChecked(deps), async (c) => {
    const actor = readerOf(c);
    const form = await c.req.parseBody();
    try {
      if (!(form.file instanceof File) || form.file.size === 0)
        throw new InvalidDataError('No file was chosen.', 'Choose one first.');
      if (form.file.size > config.upload_max_bytes)
        throw new InvalidDataError(
          `The file is larger than ${Math.round(config.upload_max_bytes / 1e6)} MB.`,
          'Split it, or raise upload_max_bytes.',
        );
      const bytes = new Uint8Array(await form.file.arrayBuffer());
      await regulation.upload(actor, {
        name: form.file.name,
        bytes,
        title: filled(form.title),
        version: filled(form.version),
      });
    } catch (error) {
      if (!(error instanceof InvalidDataError)) throw error;
      const documents = await regulation.documents(actor.tenant);
      const problem = [error.message, error.remedy].filter(Boolean).join(' ');
      return sendPage(c, documentsPage({ documents, problem }, uiOf(deps, c)), 400);
    }
    return c.redirect('/documents', 303);
  });
  app.post('/documents/:id/remove', signedIn(deps, 'admin'), csrfChecked(deps), async (c) => {
    await regulation.remove(readerOf(c), c.req.param('id'));
    return c.redirect('/documents', 303);
  });
  app.get('/documents/:id', signedIn(deps), async (c) => {
    const { tenant } = readerOf(c);
    const known = (await regulation.documents(tenant)).filter((document) => document.id === c.req.param('id'));
    const version = c.req.query('version');
    const document = known.find((one) => one.version === version) ?? known[0];
    if (!document) return sendError(deps, c, new NotFoundError('There is no such document.'));
    const page = Math.max(1, Math.min(document.pages ?? 1, Math.trunc(Number(c.req.query('page') ?? 1)) || 1));
    const quote = c.req.query('quote') ?? '';
    const marks = await regulation.marks(tenant, document.id, version ?? document.version, page, quote);
    return sendPage(
      c,
      documentPage(
        { document: { ...document, version: version ?? document.version }, page, quote, marks },
        uiOf(deps, c),
      ),
    );
  });
  const live: LiveView = {
    fast: async () => ({}),
    slow: async (actor: Actor, ui) => ({ documents: documentRows(await regulation.documents(actor.tenant), ui) }),
    isSlow: (event) => event.type === 'documents',
  };
  return { app, live };
}

function filled(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}
