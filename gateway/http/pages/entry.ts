/** Sign-in, sign-out and set-up: the pages of somebody whom the box does not know yet. */
import type { Context } from 'hono';
import { PRICE_AREAS } from '../../../connectors/prices/areas.ts';
import { InvalidDataError, NotAllowedError, TooManyTriesError } from '../../../engine/errors.ts';
import { badTokenPage, setupPage } from '../../../web/pages/setup.ts';
import { type SignInView, signInPage } from '../../../web/pages/sign-in.ts';
import { codePage } from '../../../web/pages/sign-in-code.ts';
import { SecondFactorLostError } from '../../auth/second-factor.ts';
import { sameText } from '../../auth/secrets.ts';
import { CodeNeededError } from '../../auth/sign-in.ts';
import type { Actor, SignedIn } from '../../services.ts';
import type { Env } from '../api.ts';
import { createSessionCookies } from '../session-cookie.ts';
import { createPageApp, csrfChecked, type PageDeps, sendPage, uiOf } from './page.ts';
import { ownPath } from './preferences.ts';
import { type FormValues, readSiteForm, textValues } from './site-form.ts';

const TENANT = 'default';
const MIN_PASSWORD = 10;

export function createEntryPages(deps: PageDeps, options: { secure: boolean }) {
  const { access, site, demo, config } = deps.services;
  const app = createPageApp();

  const cookies = createSessionCookies({ secure: options.secure, session_hours: config.session_hours });

  /** A new session, whatever cookie the browser had before; the one it had ends. */
  const keepSession = async (c: Context<Env>, signedIn: SignedIn) => {
    const former = cookies.token(c);
    if (former !== null) await access.signOut(former);
    cookies.keep(c, signedIn);
  };
  const showSignIn = async (c: Context<Env>, view: Partial<SignInView>, status: 200 | 401 | 429 = 200) => {
    const not_set_up = await access.needsSetup(TENANT);
    return sendPage(c, signInPage({ login: '', next: '/', problem: null, not_set_up, ...view }, uiOf(deps, c)), status);
  };
  const showCode = (
    c: Context<Env>,
    view: { ticket: string; next: string },
    problem: SignInView['problem'],
    status: 200 | 401 | 429,
  ) => sendPage(c, codePage({ ...view, problem }, uiOf(deps, c)), status);
  const showSetup = (
    c: Context<Env>,
    token: string | null,
    values: FormValues,
    errors: FormValues,
    problem: string | null = null,
  ) => {
    const areas = PRICE_AREAS.map(({ area, name }) => ({ area, name }));
    const status = problem || Object.keys(errors).length > 0 ? 400 : 200;
    return sendPage(
      c,
      setupPage({ token, has_site: site.get(TENANT) !== null, values, errors, areas, problem }, uiOf(deps, c)),
      status,
    );
  };

  app.get('/sign-in', async (c) => {
    if (c.get('actor')) return c.redirect('/', 303);
    return showSignIn(c, { next: ownPath(c.req.query('next')) });
  });
  app.post('/sign-in', async (c) => {
    const { login = '', password = '', next } = textOf(await c.req.parseBody());
    const target = ownPath(next);
    try {
      await keepSession(c, await access.signIn(login, password, c.get('client'), cookies.device(c)));
      return c.redirect(target, 303);
    } catch (error) {
      if (error instanceof CodeNeededError) return showCode(c, { ticket: error.ticket, next: target }, null, 200);
      if (!(error instanceof NotAllowedError)) throw error;
      const { problem, status } = refusalOf(c, error);
      return showSignIn(c, { login, next: target, problem }, status);
    }
  });
  app.post('/sign-in/code', async (c) => {
    const { ticket = '', code = '', next } = textOf(await c.req.parseBody());
    const target = ownPath(next);
    try {
      await keepSession(c, await access.signInWithCode(ticket, code, c.get('client'), cookies.device(c)));
      return c.redirect(target, 303);
    } catch (error) {
      if (!(error instanceof NotAllowedError)) throw error;
      const { problem, status } = refusalOf(c, error);
      return showCode(c, { ticket, next: target }, problem, status);
    }
  });
  app.post('/sign-out', csrfChecked(deps), async (c) => {
    const session = c.get('session');
    if (session) await access.signOut(session.token_sha256);
    cookies.drop(c);
    return c.redirect('/sign-in', 303);
  });

  app.get('/setup', async (c) => {
    const token = c.req.query('token');
    if (await isSetupToken(token)) return showSetup(c, token ?? null, {}, {});
    const actor = c.get('actor');
    if (actor?.role === 'admin') return site.get(actor.tenant) ? c.redirect('/', 303) : showSetup(c, null, {}, {});
    return sendPage(c, badTokenPage(uiOf(deps, c)), 403);
  });
  app.post('/setup', csrfChecked(deps), async (c) => {
    const ui = uiOf(deps, c);
    const body = textOf(await c.req.parseBody());
    const values = textValues(body);
    const first = await isSetupToken(values.token);
    const known = c.get('actor');
    if (!first && known?.role !== 'admin') return sendPage(c, badTokenPage(ui), 403);
    const wantsDemo = values.start === 'demo';
    const { settings, errors: siteErrors } = readSiteForm(values, 'main', ui);
    const hasSite = first && site.get(TENANT) !== null;
    const errors = {
      ...(wantsDemo || hasSite ? {} : siteErrors),
      ...(first ? accountErrors(body, (key) => ui.t(key)) : {}),
    };
    const token = first ? values.token! : null;
    if (Object.keys(errors).length > 0) return showSetup(c, token, values, errors);
    try {
      const actor = first ? await firstAdmin(c, values.login!, body.password!) : known!;
      if (wantsDemo) await demo.start(actor);
      else if (!hasSite) await site.save(actor, settings);
    } catch (error) {
      // The first admin exists by now and goes on signed in, with an empty site form.
      if (error instanceof InvalidDataError && !first)
        return showSetup(c, token, values, {}, [error.message, error.remedy].filter(Boolean).join(' '));
      throw error;
    }
    return c.redirect('/', 303);
  });
  return app;

  async function isSetupToken(given: string | undefined): Promise<boolean> {
    const token = await access.setupToken();
    return given !== undefined && token !== null && sameText(given, token);
  }

  async function firstAdmin(c: Context<Env>, login: string, password: string): Promise<Actor> {
    const language = uiOf(deps, c).language;
    const people = await access.listPeople(TENANT);
    // Somebody who pressed the button twice, or whose site had a fault, is there already.
    if (!people.some((person) => person.login === login))
      await access.addPerson(
        { tenant: TENANT, person: 'set-up', role: 'admin', language },
        { login, name: login, role: 'admin', password, language },
      );
    const signedIn = await access.signIn(login, password, c.get('client'));
    await keepSession(c, signedIn);
    return signedIn.session.actor;
  }
}

type AccountFault = 'setup.fault_needed' | 'setup.fault_password_short' | 'setup.fault_password_differs';

function accountErrors(body: FormValues, t: (key: AccountFault) => string): FormValues {
  const errors: FormValues = {};
  if (!body.login?.trim()) errors.login = t('setup.fault_needed');
  if ((body.password ?? '').length < MIN_PASSWORD) errors.password = t('setup.fault_password_short');
  else if (body.password !== body.password_again) errors.password_again = t('setup.fault_password_differs');
  return errors;
}

/** Passwords keep their spaces, so this does not trim. */
function textOf(body: Record<string, unknown>): FormValues {
  return Object.fromEntries(
    Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** What the page says to a refusal; one for too many tries tells when to come back. */
function refusalOf(
  c: Context<Env>,
  error: NotAllowedError,
): { problem: NonNullable<SignInView['problem']>; status: 401 | 429 } {
  if (error instanceof SecondFactorLostError) return { problem: { kind: 'lost' }, status: 401 };
  if (!(error instanceof TooManyTriesError)) return { problem: { kind: 'wrong' }, status: 401 };
  c.header('retry-after', String(error.retry_after_s));
  return { problem: { kind: 'wait', seconds: error.retry_after_s }, status: 429 };
}
