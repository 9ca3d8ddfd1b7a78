/** `/admin/backups`: what there is, and one now. */
import { Hono } from 'hono';
import { NotAllowedError } from '../../../../engine/errors.ts';
import { backupsPage } from '../../../../web/pages/admin/backups.ts';
import { NOTHING_TOLD, type Told } from '../../../../web/pages/admin/frame.ts';
import type { Env } from '../../api.ts';
import { fieldsOf } from '../form.ts';
import { csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from '../page.ts';

/** A small box has its backup by then; of a larger one the page says that it is being made. */
const WAIT_MS = 4000;

export function createBackupsPage(deps: PageDeps) {
  const { backups, log } = deps.services;
  const app = new Hono<Env>();
  const admin = signedIn(deps, 'admin');
  app.get('/admin/backups', admin, (c) => {
    const told: Told = { ...NOTHING_TOLD, saved: c.req.query('made') !== undefined };
    return sendPage(c, backupsPage({ ...backups.state(readerOf(c)), told }, uiOf(deps, c)));
  });
  app.post('/admin/backups', admin, csrfChecked(deps), async (c) => {
    const new_folder = (await fieldsOf(c)).new_folder === 'yes';
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((done) => {
      timer = setTimeout(() => done('late'), WAIT_MS);
    });
    // Its failure stands on the page, which asks the service for it.
    const made = backups.make(readerOf(c), { new_folder }).then(
      () => 'made' as const,
      (error: unknown) => {
        if (error instanceof NotAllowedError) throw error;
        log.warn({ err: error }, 'the backup asked for was not made');
        return 'failed' as const;
      },
    );
    const outcome = await Promise.race([made, late]).finally(() => clearTimeout(timer));
    return c.redirect(outcome === 'made' ? '/admin/backups?made' : '/admin/backups', 303);
  });
  return app;
}
