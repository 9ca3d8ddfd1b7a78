/** The cookies of a sign-in: who somebody is, and that somebody signed in in this browser before. */
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { Env } from './api.ts';

const TOKEN = /^[\w-]{43}$/;
/** How long a browser counts as one in which somebody signed in before. */
const DEVICE_S = 365 * 24 * 3600;

/** Over TLS the prefix makes browsers refuse what another host of the domain, or plain HTTP, would put there. */
export function cookieNames(secure: boolean): { session: string; device: string } {
  const prefix = secure ? '__Host-' : '';
  return { session: `${prefix}luna_session`, device: `${prefix}luna_device` };
}

export type SessionCookies = ReturnType<typeof createSessionCookies>;

/** @param secure whether cookies travel over TLS only. */
export function createSessionCookies({ secure, session_hours }: { secure: boolean; session_hours: number }) {
  const names = cookieNames(secure);
  const flags = { path: '/', httpOnly: true, sameSite: 'Lax', secure } as const;
  return {
    keep(c: Context<Env>, { token, device }: { token: string; device?: string }): void {
      setCookie(c, names.session, token, { ...flags, maxAge: session_hours * 3600 });
      if (device) setCookie(c, names.device, device, { ...flags, maxAge: DEVICE_S });
    },
    drop: (c: Context<Env>): void => {
      deleteCookie(c, names.session, flags);
    },
    /** The token of the cookie; null where there is none that could be one. */
    token(c: Context<Env>): string | null {
      const token = getCookie(c, names.session);
      return token !== undefined && TOKEN.test(token) ? token : null;
    },
    device: (c: Context<Env>): string | undefined => getCookie(c, names.device),
  };
}
