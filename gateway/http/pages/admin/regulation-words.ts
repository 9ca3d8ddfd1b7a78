/** The glossary and the golden sets: what an admin tells the box about words and about right answers. */
import type { Context, Hono } from 'hono';
import type { FormState } from '../../../../web/components/controls.ts';
import type { Told } from '../../../../web/pages/admin/frame.ts';
import type { Env } from '../../api.ts';
import { fieldsOf, refusable, sentence } from '../form.ts';
import { csrfChecked, type PageDeps, readerOf, signedIn, uiOf } from '../page.ts';
import { parseGoldenSet } from './regulation-rows.ts';

const PATH = '/admin/regulation';
type Pages = {
  show(c: Context<Env>, add: FormState, told: Told, status: 200 | 400): Promise<Response>;
  refuse(c: Context<Env>, values: Record<string, string>, problem: string): Promise<Response>;
};

/** Adds their routes to the page. */
export function mountWords(app: Hono<Env>, deps: PageDeps, { show, refuse }: Pages): void {
  const { retrieval } = deps.services;
  const admin = signedIn(deps, 'admin');
  app.post(`${PATH}/glossary`, admin, csrfChecked(deps), async (c) => {
    const values = await fieldsOf(c);
    const lay = (values.lay ?? '').trim();
    const legal = (values.legal ?? '').split(';').flatMap((one) => one.trim() || []);
    const language = values.language === 'en' ? 'en' : 'de';
    if (lay === '' || legal.length === 0) return refuse(c, values, uiOf(deps, c).t('glossary.none_given'));
    await retrieval.saveGlossaryEntry(readerOf(c), { lay, legal, language });
    return c.redirect(`${PATH}?saved#glossary`, 303);
  });
  const removeEntry = async (c: Context<Env>, language: string | undefined, lay: string) => {
    await retrieval.removeGlossaryEntry(readerOf(c), language === 'en' ? 'en' : 'de', lay);
    return c.redirect(`${PATH}?saved#glossary`, 303);
  };
  app.post(`${PATH}/glossary/remove`, admin, csrfChecked(deps), async (c) => {
    const [language, ...words] = ((await fieldsOf(c)).remove ?? '').split(' ');
    return removeEntry(c, language, words.join(' '));
  });
  app.post(`${PATH}/glossary/:language/:lay/remove`, admin, csrfChecked(deps), (c) =>
    removeEntry(c, c.req.param('language'), c.req.param('lay')),
  );
  app.post(`${PATH}/golden`, admin, csrfChecked(deps), async (c) => {
    const [values, ui] = [await fieldsOf(c), uiOf(deps, c)];
    const name = (values.name ?? '').trim();
    const read = parseGoldenSet(values.golden ?? '');
    if ('bad_line' in read) {
      const errors = { golden: ui.t('golden.bad_line', { n: read.bad_line }) };
      return show(c, { values, errors }, { saved: false, problem: errors.golden }, 400);
    }
    if (name === '' || read.questions.length === 0) return refuse(c, values, ui.t('golden.none_given'));
    const outcome = await refusable(() => retrieval.saveGoldenSet(readerOf(c), name, read.questions));
    return 'refused' in outcome
      ? refuse(c, values, sentence(outcome.refused))
      : c.redirect(`${PATH}?saved#golden`, 303);
  });
  app.post(`${PATH}/golden/:name/remove`, admin, csrfChecked(deps), async (c) => {
    await retrieval.removeGoldenSet(readerOf(c), c.req.param('name'));
    return c.redirect(`${PATH}?saved#golden`, 303);
  });
}
