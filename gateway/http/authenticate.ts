/** Who asks: an API key or JWT in `Authorization: Bearer`, else the session cookie, whose unsafe requests need proof of origin. */
import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import { NotAllowedError, TooLargeError } from '../../engine/errors.ts';
import type { AccessService } from '../services.ts';
import type { Env } from './api.ts';
import { parseTrustedProxies } from './client-address.ts';
import { requireCsrf } from './csrf.ts';
import { createSessionCookies } from './session-cookie.ts';

const SIGN_IN = new Set(['/sign-in', '/sign-in/code']);
/** What is open to somebody whose role demands a second factor until it is set up. */
const BEFORE_CODE = /^\/(account(\/.*)?|sign-out|preferences|healthz|readyz)$/;
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
/** On top of the largest upload, for the other fields of a form. */
const FORM_SPARE_BYTES = 1024 * 1024;

export type AuthenticateDeps = {
  access: Pick<AccessService, 'session' | 'bearer'>;
  /** Whether cookies travel over TLS only. */
  secure: boolean;
  config: { trusted_proxies: readonly string[]; public_url: string | null; upload_max_bytes: number };
};

/**
 * Sets `client`, `actor` and `session`. Refuses nobody for being unknown (routes and pages do), but refuses
 * cookie-authenticated unsafe requests from foreign pages or without the session's CSRF token
 * (header `x-csrf-token` or form field `_csrf`): throws NotAllowedError.
 */
export function createAuthenticate({ access, secure, config }: AuthenticateDeps): MiddlewareHandler<Env> {
  const cookies = createSessionCookies({ secure, session_hours: 0 });
  const addresses = parseTrustedProxies(config.trusted_proxies);
  return async (c, next) => {
    const socket = socketOf(c);
    c.set('client', addresses.of(socket, c.req.header('x-forwarded-for')));
    // The key is in the address; the header that evcc sends along is for its own cloud, and no business of ours.
    if (c.req.path.startsWith('/evcc/')) return next();
    const authorization = c.req.header('authorization') ?? '';
    const bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (bearer !== undefined) {
      c.set('actor', await access.bearer(bearer));
      c.set('actor_now', () => access.bearer(bearer));
    }
    const unsafe = !SAFE.has(c.req.method);
    // Without a session too: a foreign page must not sign somebody in either.
    if (unsafe && authorization === '' && isForeign(c, config.public_url, addresses.isTrusted(socket))) throw FOREIGN();
    const token = cookies.token(c);
    // Who signs in anew has no use for the former session, whose token their page does not know.
    const signsIn = unsafe && SIGN_IN.has(c.req.path);
    if (authorization !== '' || token === null || signsIn) return next();
    const session = await access.session(token);
    if (!session) return next();
    if (unsafe) await requireCsrf(c, session.csrf, () => admitForm(c, config.upload_max_bytes));
    c.set('session', session);
    // Nobody yet for every route and page but those that lead on.
    if (session.lacks_code && !BEFORE_CODE.test(c.req.path))
      return unsafe || isApi(c) ? refuseCode() : c.redirect('/account', 303);
    c.set('actor', session.actor);
    c.set('actor_now', async () => {
      const now = await access.session(token);
      return now && !now.lacks_code ? now.actor : null;
    });
    return next();
  };
}

function isApi(c: Context<Env>): boolean {
  return c.req.path.startsWith('/api/') || c.req.header('hx-request') !== undefined;
}

function refuseCode(): never {
  throw new NotAllowedError('Your role needs a second factor.', 'Open /account in the browser and set it up first.');
}

function socketOf(c: Context<Env>): string | undefined {
  // Absent where a test asks the app without a socket.
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>;
  return incoming?.socket?.remoteAddress;
}

/** Browsers say where a request comes from; programs say nothing and bring no cookies. */
function isForeign(c: Context<Env>, public_url: string | null, trusted: boolean): boolean {
  const site = c.req.header('sec-fetch-site');
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const origin = c.req.header('origin');
  if (origin === undefined) return false;
  if (!URL.canParse(origin)) return true;
  const hosts = [c.req.header('host'), trusted ? c.req.header('x-forwarded-host') : undefined];
  if (public_url !== null) hosts.push(new URL(public_url).host);
  return !hosts.includes(new URL(origin).host);
}

/** The field stands inside the body, which must not be read at any length for its sake. */
function admitForm(c: Context<Env>, upload_max_bytes: number): void {
  const length = Number(c.req.header('content-length') ?? Number.NaN);
  if (!(length <= upload_max_bytes + FORM_SPARE_BYTES))
    throw new TooLargeError(
      `The form is larger than ${Math.round(upload_max_bytes / 1e6)} MB.`,
      'Send less, or raise upload_max_bytes in the configuration.',
    );
}

const FOREIGN = () =>
  new NotAllowedError('This request came from another site.', 'Open the page on the box itself and try again.');
