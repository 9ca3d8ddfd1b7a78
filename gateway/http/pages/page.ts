/** What every page route shares: who reads (Ui), sign-in, CSRF, pages for errors. */
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { compress } from 'hono/compress';
import { getCookie } from 'hono/cookie';
import { NotAllowedError } from '../../../engine/errors.ts';
import type { Role } from '../../../engine/model/site.ts';
import { errorPage } from '../../../web/pages/error.ts';
import { createUi, type Html, type Language, type Theme, type Ui } from '../../../web/ui.ts';
import type { Actor, Services } from '../../services.ts';
import { describeError, type Env, hasRole } from '../api.ts';
import type { Assets } from '../assets.ts';
import { requireCsrf } from '../csrf.ts';

/** What pages are made from. */
export type PageDeps = {
  services: Services;
  assets: Assets;
  /** Whether cookies travel over TLS only. */
  secure?: boolean;
};

export const LANGUAGE_COOKIE = 'luna_language';
export const THEME_COOKIE = 'luna_theme';

/** The reader of a request: language, appearance, site and formats. */
export function uiOf({ services, assets }: PageDeps, c: Context<Env>): Ui {
  const actor = c.get('actor');
  const session = c.get('session');
  const url = new URL(c.req.url);
  return createUi({
    language: languageOf(c, actor),
    theme: themeOf(getCookie(c, THEME_COOKIE)),
    path: url.pathname + url.search,
    site: siteOf(services, actor),
    actor: actor ? { person: actor.person, name: session?.name ?? actor.person, role: actor.role } : null,
    csrf: session?.csrf ?? '',
    now_ms: services.clock.now(),
    clock: clockOf(services),
    asset: assets.url,
  });
}

/** Null while the clock is trusted. */
function clockOf({ watch }: Pick<Services, 'watch'>) {
  const report = watch?.report();
  return !report || report.trusted ? null : { ...report, since_ms: report.since_ms ?? report.believed_ms };
}

/** A stranger is shown whose box it is where it is one organisation's alone. */
function siteOf({ site }: Pick<Services, 'site'>, actor: Actor | null): ReturnType<Services['site']['get']> {
  if (actor) return site.get(actor.tenant);
  const tenants = site.tenants();
  return tenants.length === 1 ? site.get(tenants[0]!) : null;
}

function languageOf(c: Context<Env>, actor: Actor | null): Language {
  const chosen = getCookie(c, LANGUAGE_COOKIE);
  if (chosen === 'en' || chosen === 'de') return chosen;
  if (actor) return actor.language;
  return /^\s*de\b/i.test(c.req.header('accept-language') ?? '') ? 'de' : 'en';
}

function themeOf(text: string | undefined): Theme {
  return text === 'light' || text === 'dark' ? text : 'system';
}

/** An app for pages: compressed. Mount several; each brings its own. */
export function createPageApp(): Hono<Env> {
  const app = new Hono<Env>();
  app.use(compress());
  return app;
}

/** Sends a page. */
export async function sendPage(
  c: Context<Env>,
  page: Html,
  status: 200 | 400 | 401 | 403 | 404 | 413 | 429 | 500 | 501 | 503 = 200,
) {
  return c.html(await page, status);
}

/** Sends a part of a page, for htmx. */
export async function sendPart(c: Context<Env>, part: Html) {
  return c.html(await part, 200);
}

/** Lets in who is signed in; others are led to the sign-in page and come back afterwards. */
export function signedIn(deps: PageDeps, role: Role = 'user'): MiddlewareHandler<Env> {
  return async (c, next) => {
    const actor = c.get('actor');
    if (!actor) {
      const url = new URL(c.req.url);
      const target = `/sign-in?next=${encodeURIComponent(url.pathname + url.search)}`;
      if (c.req.header('hx-request')) return c.body(null, 204, { 'hx-redirect': target });
      return c.redirect(target, 303);
    }
    if (hasRole(actor, role)) return next();
    const { t } = uiOf(deps, c);
    return sendError(deps, c, new NotAllowedError(t('error.needs_role', { role: t(`people.role_${role}`) })));
  };
}

/** Refuses a form that does not carry the session's CSRF token (field `_csrf` or header `X-CSRF-Token`). */
export function csrfChecked(deps: PageDeps): MiddlewareHandler<Env> {
  return async (c, next) => {
    const session = c.get('session');
    if (!session || c.req.method === 'GET' || c.req.method === 'HEAD') return next();
    try {
      await requireCsrf(c, session.csrf);
    } catch (error) {
      return sendError(deps, c, error);
    }
    return next();
  };
}

/** The actor behind `signedIn`. */
export function readerOf(c: Context<Env>): Actor {
  const actor = c.get('actor');
  if (!actor) throw new NotAllowedError('Nobody is signed in.', 'Sign in first.');
  return actor;
}

const STATUSES = [400, 401, 403, 404, 413, 429, 500, 501, 503] as const;

/** A page that says what happened, what was kept and what to do. */
export function sendError(deps: PageDeps, c: Context<Env>, error: unknown) {
  const { status, detail, retry_after_s } = describeError(error);
  if (retry_after_s !== undefined) c.header('retry-after', String(retry_after_s));
  // Others of hono's refusals (415) are faults of the request as well.
  const known = STATUSES.find((one) => one === status) ?? (status < 500 ? 400 : 500);
  const ui = uiOf(deps, c);
  return sendPage(c, errorPage({ status: known, detail, request_id: c.get('request_id') ?? null }, ui), known);
}
