/** What goes wrong on the way to a mail server, web address or broker, in words for people and without secrets. */
import { InvalidDataError, NotAllowedError, UnavailableError } from '../../engine/errors.ts';

/** Opens a TCP connection. The box hands in one that lets out only to addresses that are allowed. */
export type Connect = (host: string, port: number, signal: AbortSignal) => Promise<import('node:net').Socket>;

const AGAIN = 'The box tries again by itself.';
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it ended the connection',
  EPIPE: 'it ended the connection',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'its name cannot be looked up now',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ETIMEDOUT: 'it took too long',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself; give that certificate as the one to trust',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by itself; give that certificate as the one to trust',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate is signed by nobody the box knows; give that certificate as the one to trust',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its certificate is signed by nobody the box knows; give that certificate as the one to trust',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

/** OpenSSL's words, where a library passes on these alone. */
const CERTIFICATE_WORDS: readonly (readonly [RegExp, string])[] = [
  [/self-signed certificate/i, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  [/unable to (verify|get)/i, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  [/altnames|does not match certificate/i, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  [/certificate has expired/i, 'CERT_HAS_EXPIRED'],
];

/** What all three channels make of a failed connection; `where` names the other side. */
export function connectionFault(where: string, error: unknown, signal: AbortSignal): Error {
  for (let one = error; one instanceof Error; one = one.cause)
    if (one instanceof NotAllowedError || one instanceof InvalidDataError)
      return one instanceof InvalidDataError ? one : new InvalidDataError(one.message, one.remedy);
  const reason = signal.aborted ? 'it took too long' : reasonOf(error);
  return new UnavailableError(`${where} does not take the message: ${reason}.`, AGAIN, { cause: error });
}

function reasonOf(error: unknown): string {
  let words = 'it does not answer';
  for (let one = error; one instanceof Error; one = one.cause) {
    const { code, errors } = one as Error & { code?: string; errors?: readonly unknown[] };
    const { message } = one;
    const known = REASONS[code ?? ''] ?? REASONS[CERTIFICATE_WORDS.find(([words]) => words.test(message))?.[1] ?? ''];
    if (known) return known;
    // Node tries all addresses of a name and keeps the faults of each.
    if (errors?.[0] instanceof Error) return reasonOf(errors[0]);
    words = beginning(message.replace(/\.$/, '')) || words;
  }
  return words;
}

/** The first line of what the other side said, cut to a length that a page can show. */
export function beginning(text: string, most = 200): string {
  const line =
    text
      .split(/[\r\n]/)
      .find((each) => each.trim() !== '')
      ?.trim() ?? '';
  return line.length > most ? `${line.slice(0, most)}…` : line;
}

/** Shorter ones are words that stand anywhere. */
const LEAST_SECRET = 4;

/** What the other side said, without what it was told in confidence: some say back what they got. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets
    .flatMap((secret) => [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    ])
    .filter((form) => form.length >= LEAST_SECRET)
    .sort((a, b) => b.length - a.length)
    .reduce((rest, form) => rest.replaceAll(form, '…'), text);
}
