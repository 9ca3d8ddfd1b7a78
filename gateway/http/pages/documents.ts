/** `/documents`: the list, upload, removal and the viewer with the passage marked. */
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import { HOUR_MS } from '../../../engine/model/time.ts';
import { documentPage } from '../../../web/pages/document.ts';
import type { DocumentRow } from '../../../web/pages/document-row.ts';
import { documentRows, documentsPage } from '../../../web/pages/documents.ts';
import type { Actor } from '../../services.ts';
import { receiveForm } from '../api/uploads.ts';
import type { Env } from '../api.ts';
import type { LiveView } from '../stream.ts';
import { createReadingProgress, isProgress } from './document-rows.ts';
import { fieldsOf, refusable, sentence } from './form.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendError, sendPage, signedIn, uiOf } from './page.ts';

/** What a multipart form adds to the file. */
const FORM_BYTES = 64 * 1024;

type PageApp = ReturnType<typeof createPageApp>;

export function createDocumentPages(deps: PageDeps) {
  const { regulation, config, bus, site } = deps.services;
  const reading = createReadingProgress((listener) => bus.subscribe(listener));
  const rowsFor = async (tenant: string) =>
    reading.rowsOf(tenant, await regulation.documents(tenant), site.tenants().length > 1);
  const app = createPageApp();
  app.get('/documents', signedIn(deps), async (c) => {
    const documents = await rowsFor(readerOf(c).tenant);
    return sendPage(c, documentsPage({ documents, problem: null, takes_days: true }, uiOf(deps, c)));
  });
  const showTooLarge = async (c: Context) => {
    const page = c as Context<Env>;
    const ui = uiOf(deps, page);
    const problem = ui.t('documents.too_large', { size: Math.round(config.upload_max_bytes / 1024 ** 2) });
    const documents = await rowsFor(readerOf(page).tenant);
    return sendPage(page, documentsPage({ documents, problem, takes_days: true }, ui), 400);
  };
  // What is too large is refused before it fills the memory.
  const limited = bodyLimit({ maxSize: config.upload_max_bytes + FORM_BYTES, onError: showTooLarge });
  app.post('/documents', signedIn(deps, 'admin'), limited, csrfChecked(deps), async (c) => {
    const actor = readerOf(c);
    try {
      const { fields, file, discard } = await receiveForm(c, config.home);
      try {
        if (file.size === 0) throw new InvalidDataError('No file was chosen.', 'Choose one first.');
        const { name, path } = file;
        const [valid_from, valid_to] = [filled(fields.valid_from), filled(fields.valid_to)];
        const [title, version] = [filled(fields.title), filled(fields.version)];
        await regulation.upload(actor, { name, path, title, version, valid_from, valid_to });
      } finally {
        await discard();
      }
    } catch (error) {
      if (!(error instanceof InvalidDataError)) throw error;
      const documents = await rowsFor(actor.tenant);
      const problem = [error.message, error.remedy].filter(Boolean).join(' ');
      return sendPage(c, documentsPage({ documents, problem, takes_days: true }, uiOf(deps, c)), 400);
    }
    return c.redirect('/documents', 303);
  });
  addActs(deps, app, rowsFor);
  addViewer(deps, app);
  const live: LiveView = {
    fast: async () => ({}),
    slow: async (actor: Actor, ui) => ({
      documents: documentRows(await rowsFor(actor.tenant), ui),
    }),
    isSlow: (event) => event.type === 'documents' || isProgress(event),
  };
  return { app, live };
}

/** What an admin does with a document that is there. */
function addActs(deps: PageDeps, app: PageApp, rowsFor: (tenant: string) => Promise<DocumentRow[]>): void {
  const { regulation } = deps.services;
  const refuse = async (c: Context<Env>, problem: string) => {
    const documents = await rowsFor(readerOf(c).tenant);
    return sendPage(c, documentsPage({ documents, problem, takes_days: true }, uiOf(deps, c)), 400);
  };
  app.post('/documents/:id/remove', signedIn(deps, 'admin'), csrfChecked(deps), async (c) => {
    await regulation.remove(readerOf(c), c.req.param('id'));
    return c.redirect('/documents', 303);
  });
  app.post('/documents/:id/versions/:version/remove', signedIn(deps, 'admin'), csrfChecked(deps), async (c) => {
    await regulation.removeVersion(readerOf(c), c.req.param('id'), c.req.param('version'));
    return c.redirect('/documents', 303);
  });
  app.post('/documents/:id/share', signedIn(deps, 'admin'), csrfChecked(deps), async (c) => {
    const shared = (await fieldsOf(c)).shared === '1';
    const outcome = await refusable(() => regulation.share(readerOf(c), c.req.param('id'), { shared }));
    return 'refused' in outcome ? refuse(c, sentence(outcome.refused)) : c.redirect('/documents', 303);
  });
  app.post('/documents/:id/days', signedIn(deps, 'admin'), csrfChecked(deps), async (c) => {
    const { version = '', valid_from, valid_to } = await fieldsOf(c);
    const change = { valid_from: filled(valid_from) ?? null, valid_to: filled(valid_to) ?? null };
    const outcome = await refusable(() => regulation.changeVersion(readerOf(c), c.req.param('id'), version, change));
    return 'refused' in outcome ? refuse(c, sentence(outcome.refused)) : c.redirect('/documents', 303);
  });
  app.post('/documents/reindex', signedIn(deps, 'admin'), csrfChecked(deps), async (c) => {
    await regulation.reindex(readerOf(c).tenant);
    return c.redirect('/documents', 303);
  });
}

/** One page of a document with the passage marked. */
function addViewer(deps: PageDeps, app: PageApp): void {
  const { regulation, advice, log } = deps.services;
  app.get('/documents/:id', signedIn(deps), async (c) => {
    const { tenant } = readerOf(c);
    const version = c.req.query('version');
    const known = (await regulation.documents(tenant)).find((document) => document.id === c.req.param('id'));
    const shown = known && [known, ...known.others].find((one) => one.version === version);
    if (!known) return sendError(deps, c, new NotFoundError('There is no such document.'));
    const document = { ...known, ...shown };
    const page = Math.max(1, Math.min(document.pages ?? 1, Math.trunc(Number(c.req.query('page') ?? 1)) || 1));
    const quote = c.req.query('quote') ?? '';
    const marks = await regulation.marks(tenant, document.id, version ?? document.version, page, quote);
    // What was read helps to find what to read next; once an hour and page is enough.
    const hour = Math.floor(deps.services.clock.now() / HOUR_MS);
    const detail = { title: document.title, page, ...(quote === '' ? {} : { quote: quote.slice(0, 1000) }) };
    const view = {
      id: `view:${readerOf(c).person}:${document.id}:${page}:${hour}`.slice(0, 200),
      kind: 'view' as const,
    };
    await advice
      .record(readerOf(c), [{ ...view, object: `document:${document.id}`, detail }])
      .catch((error: unknown) => log.warn({ err: error }, 'a view of a document could not be recorded'));
    return sendPage(
      c,
      documentPage(
        { document: { ...document, version: version ?? document.version }, page, quote, marks },
        uiOf(deps, c),
      ),
    );
  });
}

function filled(value: string | undefined): string | undefined {
  return value?.trim() || undefined;
}
