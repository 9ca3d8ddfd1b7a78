/** The proof that an unsafe request comes from a page of the session: header `x-csrf-token` or form field `_csrf`. */
import type { Context } from 'hono';
import { NotAllowedError } from '../../engine/errors.ts';
import { sameText } from '../auth/secrets.ts';
import type { Env } from './api.ts';

const FORM = /^(application\/x-www-form-urlencoded|multipart\/form-data)\b/i;

/**
 * Rejects NotAllowedError where the proof is missing or wrong.
 * @param admit called before the body of a form is read for its field, to refuse it by its length
 */
export async function requireCsrf(c: Context<Env>, csrf: string, admit: () => void = () => {}): Promise<void> {
  const header = c.req.header('x-csrf-token');
  if (header !== undefined) {
    if (sameText(header, csrf)) return;
    throw STALE();
  }
  if (!FORM.test(c.req.header('content-type') ?? '')) throw STALE();
  admit();
  const field = (await c.req.parseBody())._csrf;
  if (typeof field !== 'string' || !sameText(field, csrf)) throw STALE();
}

const STALE = () =>
  new NotAllowedError(
    'The page is out of date, or the request lacks the CSRF token (header x-csrf-token or field _csrf).',
    'Reload the page and try again.',
  );
