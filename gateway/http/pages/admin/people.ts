/** `/admin/people`: add, change, disable and remove people. */
import { type Context, Hono } from 'hono';
import type { Role } from '../../../../engine/model/site.ts';
import { EMPTY_FORM, type FormState } from '../../../../web/components/controls.ts';
import { NOTHING_TOLD, type Told } from '../../../../web/pages/admin/frame.ts';
import { peoplePage } from '../../../../web/pages/admin/people.ts';
import type { Env } from '../../api.ts';
import { createSessionCookies } from '../../session-cookie.ts';
import { faultsByField, fieldsOf, refusable, sentence } from '../form.ts';
import { csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from '../page.ts';

const FIELDS = ['login', 'name', 'role', 'password'];

export function createPeoplePages(deps: PageDeps) {
  const { access, config } = deps.services;
  const cookies = createSessionCookies({ secure: deps.secure ?? false, session_hours: config.session_hours });
  const app = new Hono<Env>();
  const admin = signedIn(deps, 'admin');

  const show = async (c: Context<Env>, add: FormState, told: Told, status: 200 | 400 = 200) => {
    const actor = readerOf(c);
    const you = c.get('session')?.person_id;
    const people = (await access.listPeople(actor.tenant)).map((person) => ({ ...person, is_you: person.id === you }));
    const demanded = await access.second_factor.roles(actor.tenant);
    return sendPage(c, peoplePage({ people, demanded, add, told }, uiOf(deps, c)), status);
  };
  /** Back to the list, or why not. */
  const answer = async (c: Context<Env>, work: () => Promise<void>) => {
    const outcome = await refusable(work);
    if ('refused' in outcome) return show(c, EMPTY_FORM, { saved: false, problem: sentence(outcome.refused) }, 400);
    return c.redirect('/admin/people?saved', 303);
  };

  /** Whose own sessions a change ended goes on in this browser with a new one. */
  const goOn = async (c: Context<Env>, id: string, ended: boolean) => {
    const session = c.get('session');
    if (ended && session?.person_id === id) cookies.keep(c, await access.renew(session));
  };

  app.get('/admin/people', admin, (c) =>
    show(c, EMPTY_FORM, { ...NOTHING_TOLD, saved: c.req.query('saved') !== undefined }),
  );
  app.post('/admin/people', admin, csrfChecked(deps), async (c) => {
    const values = await fieldsOf(c);
    const { t } = uiOf(deps, c);
    const errors: Record<string, string> = {};
    for (const name of ['login', 'name', 'password']) if (!values[name]?.trim()) errors[name] = t('setup.fault_needed');
    if (Object.keys(errors).length > 0) return show(c, { values, errors }, NOTHING_TOLD, 400);
    const outcome = await refusable(() =>
      access.addPerson(readerOf(c), {
        login: values.login!,
        name: values.name!,
        role: roleOf(values.role),
        password: values.password!,
        language: values.language === 'de' ? 'de' : 'en',
      }),
    );
    if ('done' in outcome) return c.redirect('/admin/people?saved', 303);
    const faults = faultsByField(outcome.refused, FIELDS);
    return show(c, { values, errors: faults.errors }, { saved: false, problem: faults.problem }, 400);
  });
  app.post('/admin/people/second-factor', admin, csrfChecked(deps), async (c) => {
    const fields = await fieldsOf(c);
    const roles = (['admin', 'analyst', 'user'] as const).filter((role) => fields[role] !== undefined);
    await access.second_factor.demand(readerOf(c), roles);
    return c.redirect('/admin/people?saved', 303);
  });
  app.post('/admin/people/:id', admin, csrfChecked(deps), async (c) => {
    const { name, role, language, password, disabled } = await fieldsOf(c);
    const id = c.req.param('id');
    return answer(c, async () => {
      await access.changePerson(readerOf(c), id, {
        ...(name === undefined ? {} : { name }),
        ...(role === undefined ? {} : { role: roleOf(role) }),
        ...(language === 'en' || language === 'de' ? { language } : {}),
        ...(password ? { password } : {}),
        disabled: disabled !== undefined,
      });
      await goOn(c, id, Boolean(password) || (role !== undefined && roleOf(role) !== readerOf(c).role));
    });
  });
  app.post('/admin/people/:id/second-factor/remove', admin, csrfChecked(deps), async (c) => {
    const id = c.req.param('id');
    return answer(c, async () => {
      await access.second_factor.remove(readerOf(c), id);
      await goOn(c, id, true);
    });
  });
  app.post('/admin/people/:id/remove', admin, csrfChecked(deps), (c) =>
    answer(c, () => access.removePerson(readerOf(c), c.req.param('id'))),
  );
  return app;
}

/** Anything else is the least of them. */
export function roleOf(text: string | undefined): Role {
  return text === 'admin' || text === 'analyst' ? text : 'user';
}
