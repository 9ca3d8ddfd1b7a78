/** `/admin/keys`: API keys, each shown once. */
import { type Context, Hono } from 'hono';
import { EMPTY_FORM, type FormState } from '../../../../web/components/controls.ts';
import { NOTHING_TOLD, type Told } from '../../../../web/pages/admin/frame.ts';
import { keysPage } from '../../../../web/pages/admin/keys.ts';
import type { Env } from '../../api.ts';
import { faultsByField, fieldsOf, refusable } from '../form.ts';
import { csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from '../page.ts';
import { createShownOnce } from '../shown-once.ts';
import { baseUrl } from './addresses.ts';
import { roleOf } from './people.ts';

export function createKeysPages(deps: PageDeps) {
  const { access, clock } = deps.services;
  const app = new Hono<Env>();
  const admin = signedIn(deps, 'admin');
  const secrets = createShownOnce<{ name: string; key: string }>(clock);

  const show = async (c: Context<Env>, add: FormState, told: Told, status: 200 | 400 = 200) => {
    const keys = await access.listKeys(readerOf(c).tenant);
    const made = secrets.take(c, c.req.query('made'));
    const shown = made === null || made === 'gone' ? made : { ...made, base_url: baseUrl(deps, c) };
    return sendPage(c, keysPage({ keys, shown, add, told }, uiOf(deps, c)), status);
  };

  app.get('/admin/keys', admin, (c) =>
    show(c, EMPTY_FORM, { ...NOTHING_TOLD, saved: c.req.query('saved') !== undefined }),
  );
  app.post('/admin/keys', admin, csrfChecked(deps), async (c) => {
    const values = await fieldsOf(c);
    const name = values.name?.trim() ?? '';
    if (name === '')
      return show(c, { values, errors: { name: uiOf(deps, c).t('setup.fault_needed') } }, NOTHING_TOLD, 400);
    const outcome = await refusable(() => access.createKey(readerOf(c), name, roleOf(values.role)));
    if ('refused' in outcome) {
      const { errors, problem } = faultsByField(outcome.refused, ['name', 'role']);
      return show(c, { values, errors }, { saved: false, problem }, 400);
    }
    return c.redirect(`/admin/keys?made=${secrets.keep(c, { name, key: outcome.done.key })}`, 303);
  });
  app.post('/admin/keys/:id/revoke', admin, csrfChecked(deps), async (c) => {
    await access.revokeKey(readerOf(c), c.req.param('id'));
    return c.redirect('/admin/keys?saved', 303);
  });
  return app;
}
