/** `/admin/hosts`: what the box may ask on private networks. */
import { type Context, Hono } from 'hono';
import { NotAllowedError } from '../../../../engine/errors.ts';
import { EMPTY_FORM, type FormState } from '../../../../web/components/controls.ts';
import { NOTHING_TOLD, type Told } from '../../../../web/pages/admin/frame.ts';
import { hostsPage } from '../../../../web/pages/admin/hosts.ts';
import type { Actor } from '../../../services.ts';
import type { Env } from '../../api.ts';
import { faultsByField, fieldsOf, refusable } from '../form.ts';
import { csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from '../page.ts';

export function createHostsPages(deps: PageDeps) {
  const { allowedHosts } = deps.services;
  const app = new Hono<Env>();
  const admin = signedIn(deps, 'admin');

  const known = (actor: Actor) => {
    try {
      return { ...allowedHosts.list(actor), refused: null };
    } catch (error) {
      if (!(error instanceof NotAllowedError)) throw error;
      return { configured: [], allowed: [], refused: `${error.message} ${error.remedy}` };
    }
  };
  const show = (c: Context<Env>, add: FormState, told: Told, status: 200 | 400 = 200) =>
    sendPage(c, hostsPage({ ...known(readerOf(c)), add, told }, uiOf(deps, c)), status);

  app.get('/admin/hosts', admin, (c) =>
    show(c, EMPTY_FORM, { ...NOTHING_TOLD, saved: c.req.query('saved') !== undefined }),
  );
  app.post('/admin/hosts', admin, csrfChecked(deps), async (c) => {
    const values = await fieldsOf(c);
    const outcome = await refusable(() => allowedHosts.allow(readerOf(c), values.host ?? ''));
    if ('refused' in outcome) {
      const { errors, problem } = faultsByField(outcome.refused, ['host']);
      return show(c, { values, errors }, { saved: false, problem }, 400);
    }
    return c.redirect('/admin/hosts?saved', 303);
  });
  app.post('/admin/hosts/:host/remove', admin, csrfChecked(deps), async (c) => {
    await allowedHosts.remove(readerOf(c), c.req.param('host'));
    return c.redirect('/admin/hosts?saved', 303);
  });
  return app;
}
