/** `/account`: one's own password and second factor. What changes them ends every other session. */

import { type Context, Hono } from 'hono';
import { raw } from 'hono/html';
import { encodeQR } from 'qr';
import { InvalidDataError, NotAllowedError, TooManyTriesError } from '../../../engine/errors.ts';
import { type AccountView, accountPage } from '../../../web/pages/account.ts';
import type { Session } from '../../services.ts';
import type { Env } from '../api.ts';
import { createSessionCookies } from '../session-cookie.ts';
import { fieldsOf, sentence } from './form.ts';
import { csrfChecked, type PageDeps, sendPage, signedIn, uiOf } from './page.ts';
import { createShownOnce } from './shown-once.ts';

/** Shown as a page with what was wrong; `field` stands beside the field of that name. */
type Refusal = { problem: string | null; errors: Record<string, string>; status: 400 | 401 | 429 };

export function createAccountPages(deps: PageDeps) {
  const { access, clock, config } = deps.services;
  const app = new Hono<Env>();
  const cookies = createSessionCookies({ secure: deps.secure ?? false, session_hours: config.session_hours });
  const shownOnce = createShownOnce<string[]>(clock);
  const person = signedIn(deps);

  async function show(c: Context<Env>, session: Session, refusal?: Refusal) {
    const ui = uiOf(deps, c);
    const factor = await access.second_factor.of(session.actor.tenant, session.person_id);
    const { since_ms, recovery_left, is_lost, setup } = factor;
    const picture = setup && raw(encodeQR(setup.uri, 'svg', { border: 2 }));
    const view: AccountView = {
      ...{ login: session.actor.person, needs_code: session.lacks_code, since_ms, recovery_left, is_lost },
      setup: setup && picture ? { seed: setup.seed, picture } : null,
      codes: shownOnce.take(c, c.req.query('codes')),
      saved: c.req.query('saved') !== undefined,
      ...{ problem: refusal?.problem ?? null, errors: refusal?.errors ?? {} },
    };
    return sendPage(c, accountPage(view, ui), refusal?.status ?? 200);
  }

  /** What `work` answers, or the page with the refusal. */
  async function answer(c: Context<Env>, work: (session: Session, fields: Record<string, string>) => Promise<string>) {
    const session = sessionOf(c);
    const fields = await fieldsOf(c);
    try {
      return c.redirect(await work(session, fields), 303);
    } catch (error) {
      const refusal = refusalOf(error, c);
      if (!refusal) throw error;
      return show(c, session, refusal);
    }
  }

  function refusalOf(error: unknown, c: Context<Env>): Refusal | null {
    const { t } = uiOf(deps, c);
    if (error instanceof TooManyTriesError) {
      c.header('retry-after', String(error.retry_after_s));
      return { problem: t('account.wait', { seconds: error.retry_after_s }), errors: {}, status: 429 };
    }
    if (error instanceof WrongCode) return { problem: t('account.code_wrong'), errors: {}, status: 400 };
    if (error instanceof NotAllowedError) return { problem: t('account.wrong_password'), errors: {}, status: 401 };
    if (!(error instanceof InvalidDataError)) return null;
    const own = error.faults.filter(({ where }) => where.startsWith('password'));
    const errors = Object.fromEntries(own.map(({ where, problem }) => [where, problem]));
    return { problem: own.length > 0 ? null : sentence(error), errors, status: 400 };
  }

  function sessionOf(c: Context<Env>): Session {
    const session = c.get('session');
    if (!session) throw new NotAllowedError(uiOf(deps, c).t('account.by_key'));
    return session;
  }

  const confirmed = (c: Context<Env>, { actor }: Session, password = '') =>
    access.confirmPassword(actor.person, password, c.get('client'), cookies.device(c));

  /** After all sessions ended: this browser goes on with a new one. */
  async function goOn(c: Context<Env>, session: Session): Promise<void> {
    const renewed = await access.renew(session);
    c.set('session', renewed.session);
    cookies.keep(c, renewed);
  }

  app.get('/account', person, (c) => show(c, sessionOf(c)));
  app.post('/account/password', person, csrfChecked(deps), (c) =>
    answer(c, async (session, { present, password = '', password_again }) => {
      const { t } = uiOf(deps, c);
      if (password !== password_again)
        throw new InvalidDataError('', undefined, [
          { where: 'password_again', problem: t('setup.fault_password_differs') },
        ]);
      await confirmed(c, session, present);
      await access.changePerson(session.actor, session.person_id, { password });
      await goOn(c, session);
      return '/account?saved';
    }),
  );
  app.post('/account/second-factor/begin', person, csrfChecked(deps), (c) =>
    answer(c, async (session, { present }) => {
      await confirmed(c, session, present);
      await access.second_factor.begin(session.actor, session.person_id);
      return '/account#second-factor';
    }),
  );
  app.post('/account/second-factor/confirm', person, csrfChecked(deps), (c) =>
    answer(c, async (session, { code = '' }) => {
      const codes = await access.second_factor.confirm(session.actor, session.person_id, code).catch((error) => {
        throw error instanceof NotAllowedError ? new WrongCode(error.message) : error;
      });
      await goOn(c, session);
      return `/account?codes=${shownOnce.keep(c, codes)}`;
    }),
  );
  app.post('/account/second-factor/codes', person, csrfChecked(deps), (c) =>
    answer(c, async (session, { present }) => {
      await confirmed(c, session, present);
      const codes = await access.second_factor.renewCodes(session.actor, session.person_id);
      return `/account?codes=${shownOnce.keep(c, codes)}`;
    }),
  );
  app.post('/account/second-factor/remove', person, csrfChecked(deps), (c) =>
    answer(c, async (session, { present }) => {
      await confirmed(c, session, present);
      await access.second_factor.remove(session.actor, session.person_id);
      await goOn(c, session);
      return '/account?saved';
    }),
  );
  return app;
}

class WrongCode extends Error {}
