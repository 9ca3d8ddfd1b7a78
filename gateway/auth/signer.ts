/** Signs with a secret of this box (LUNA_HOME/token-secret, mode 600): JWTs for programs, marks of known devices. */
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { jwtVerify, SignJWT } from 'jose';
import { keptSecret, sameText } from './secrets.ts';

const ISSUER = 'luna';
const ALGORITHM = 'HS256';
export const TOKEN_S = 3600;

/** `version` is the subject's `tokens_from`: a new one voids what was issued before. */
export type TokenClaims = { tenant: string; kind: 'person' | 'key'; id: string; version: number };

export type Signer = {
  sign(claims: TokenClaims, now_ms: number): Promise<{ token: string; expires_ms: number }>;
  /** null for what is not ours, changed or expired. */
  verify(token: string, now_ms: number): Promise<TokenClaims | null>;
  /** A mark that says: somebody signed in as `login` in this browser. */
  deviceMark(login: string): Promise<string>;
  isDeviceMark(mark: string, login: string): Promise<boolean>;
  /** The token that the forms of a session carry; nothing in the database tells it. */
  csrfOf(token_sha256: string): Promise<string>;
};

export function createSigner(home: string): Signer {
  let secret: Promise<Uint8Array> | null = null;
  const key = () => {
    secret ??= keptSecret(join(home, 'token-secret')).then((text) => Buffer.from(text, 'base64url'));
    secret.catch(() => {
      secret = null;
    });
    return secret;
  };
  const marked = async (text: string) =>
    createHmac('sha256', await key())
      .update(text)
      .digest('base64url');
  const deviceMark = (login: string) => marked(`device ${login}`);
  return {
    async sign({ tenant, kind, id, version }, now_ms) {
      const issued_s = Math.floor(now_ms / 1000);
      const token = await new SignJWT({ tenant, kind, version })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
        .setIssuer(ISSUER)
        .setSubject(id)
        .setIssuedAt(issued_s)
        .setExpirationTime(issued_s + TOKEN_S)
        .sign(await key());
      return { token, expires_ms: (issued_s + TOKEN_S) * 1000 };
    },
    async verify(token, now_ms) {
      try {
        const { payload } = await jwtVerify(token, await key(), {
          algorithms: [ALGORITHM],
          issuer: ISSUER,
          currentDate: new Date(now_ms),
        });
        const { tenant, kind, version, sub } = payload;
        if (typeof tenant !== 'string' || typeof sub !== 'string' || typeof version !== 'number') return null;
        return kind === 'person' || kind === 'key' ? { tenant, kind, id: sub, version } : null;
      } catch {
        return null;
      }
    },
    deviceMark,
    csrfOf: (token_sha256) => marked(`csrf ${token_sha256}`),
    isDeviceMark: async (mark, login) => sameText(mark, await deviceMark(login)),
  };
}
