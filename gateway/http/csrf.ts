/** The proof that an unsafe request comes from a page of the session: header `x-csrf-token` or form field `_csrf`. */
import type { Context } from 'hono';
import { NotAllowedError } from '../../engine/errors.ts';
import { sameText } from '../auth/secrets.ts';
import type { Env } from './api.ts';
import { peekFormToken } from './form-token.ts';

const TYPED = /^application\/x-www-form-urlencoded\b/i;
const WITH_FILES = /^multipart\/form-data\b/i;

/**
 * Rejects NotAllowedError where the proof is missing or wrong. A form with a file has it before the file, which is not
 * taken otherwise and not held in memory: the body can be read as a stream afterwards.
 * @param admit called before the body of a form is read for its field, to refuse it by its length
 */
export async function requireCsrf(c: Context<Env>, csrf: string, admit: () => void = () => {}): Promise<void> {
  const header = c.req.header('x-csrf-token');
  if (header !== undefined) {
    if (sameText(header, csrf)) return;
    throw STALE();
  }
  const type = c.req.header('content-type') ?? '';
  if (!TYPED.test(type) && !WITH_FILES.test(type)) throw STALE();
  admit();
  const field = WITH_FILES.test(type) ? await peekedField(c) : (await c.req.parseBody())._csrf;
  if (typeof field !== 'string' || !sameText(field, csrf)) throw STALE();
}

async function peekedField(c: Context<Env>): Promise<string | null> {
  const peeked = await peekFormToken(c);
  if (peeked.token === null && peeked.late)
    throw new NotAllowedError(
      'The form lacks the CSRF token before its file (field _csrf, or header x-csrf-token).',
      'Send the field _csrf first, the file last.',
    );
  return peeked.token;
}

const STALE = () =>
  new NotAllowedError(
    'The page is out of date, or the request lacks the CSRF token (header x-csrf-token or field _csrf).',
    'Reload the page and try again.',
  );
