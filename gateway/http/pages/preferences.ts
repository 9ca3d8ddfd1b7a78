/** Language and appearance, kept in cookies of the browser; open to people who have not signed in. */
import { setCookie } from 'hono/cookie';
import { createPageApp, LANGUAGE_COOKIE, THEME_COOKIE } from './page.ts';

const YEAR_S = 365 * 24 * 3600;
const OPTIONS = { path: '/', maxAge: YEAR_S, sameSite: 'Lax', httpOnly: true } as const;

/** `POST /preferences` with `language` or `theme`, then back to `return`. */
export function createPreferencesPage() {
  const app = createPageApp();
  app.post('/preferences', async (c) => {
    const form = await c.req.parseBody();
    if (form.language === 'en' || form.language === 'de') setCookie(c, LANGUAGE_COOKIE, form.language, OPTIONS);
    if (form.theme === 'system' || form.theme === 'light' || form.theme === 'dark')
      setCookie(c, THEME_COOKIE, form.theme, OPTIONS);
    return c.redirect(ownPath(form.return), 303);
  });
  return app;
}

/** Only a path of ours: neither another host (`//evil`, `/\evil`) nor a scheme. */
export function ownPath(target: unknown): string {
  return typeof target === 'string' && /^\/(?![/\\])/.test(target) && !/[\r\n\\]/.test(target) ? target : '/';
}
