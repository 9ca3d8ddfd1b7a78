/** `/admin/audit`: the audit log, newest first, page by page. */
import { Hono } from 'hono';
import { auditPage } from '../../../../web/pages/admin/audit.ts';
import type { Env } from '../../api.ts';
import { type PageDeps, readerOf, sendPage, signedIn, uiOf } from '../page.ts';

const PAGE_ENTRIES = 50;

export function createAuditPage(deps: PageDeps) {
  const app = new Hono<Env>();
  app.get('/admin/audit', signedIn(deps, 'admin'), async (c) => {
    const asked = Number(c.req.query('before'));
    const before = Number.isSafeInteger(asked) && asked > 0 ? asked : undefined;
    const options = before === undefined ? {} : { before };
    const { tenant } = readerOf(c);
    const found = await deps.services.audit.list(tenant, { limit: PAGE_ENTRIES + 1, ...options });
    const entries = found.slice(0, PAGE_ENTRIES);
    const older = found.length > PAGE_ENTRIES ? entries.at(-1)!.id : null;
    return sendPage(
      c,
      auditPage(
        { entries, older, is_first: before === undefined, chain: await deps.services.audit_chain.state(tenant) },
        uiOf(deps, c),
      ),
    );
  });
  return app;
}
