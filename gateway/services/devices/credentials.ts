/** Devices' user names and secrets: 256 random bits, kept as SHA-256, compared in constant time. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export type Credential = { tenant: string; device: string; sha256: Buffer };

/** User names are unique in the whole box: the tenant stands before the id, but for `default`. */
export function usernameOf(tenant: string, device: string): string {
  return tenant === 'default' ? device : `${tenant}.${device}`;
}

export function newSecret(): { password: string; sha256: Buffer } {
  const password = randomBytes(32).toString('base64url');
  return { password, sha256: digest(password) };
}

function digest(password: string): Buffer {
  return createHash('sha256').update(password, 'utf8').digest();
}

const NOBODY = randomBytes(32);

/** Takes as long for an unknown user name as for a known one. */
export function matches(credential: Credential | undefined, password: string): boolean {
  return timingSafeEqual(digest(password), credential?.sha256 ?? NOBODY) && credential !== undefined;
}
