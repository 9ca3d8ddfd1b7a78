/** `GET /api`: the readable page of the API. Open to everybody, like the document itself. */
import { type ApiDocument, apiReferencePage } from '../../../web/pages/api-reference.ts';
import { createPageApp, type PageDeps, sendPage, uiOf } from './page.ts';

export function createApiReferencePages(deps: PageDeps, document: object) {
  const app = createPageApp();
  app.get('/api', (c) => sendPage(c, apiReferencePage(document as ApiDocument, uiOf(deps, c))));
  return app;
}
