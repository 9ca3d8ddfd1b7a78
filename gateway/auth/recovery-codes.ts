/** Codes to write down, for when the phone is gone: 80 random bits in the alphabet of Crockford's Base32. */
import { randomBytes } from 'node:crypto';

/** 22 letters and 10 digits; i, l, o and u are left out, which people confuse. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const LENGTH = 16;

/** E.g. `7k3f-m2qp-x0dw-a4nr`. */
export function newRecoveryCode(): string {
  const letters = Array.from(randomBytes(LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]);
  return letters.join('').replace(/(.{4})(?=.)/g, '$1-');
}

/** What was typed as it is stored; null where it is no recovery code (a one-time code has six digits). */
export function recoveryCodeOf(typed: string): string | null {
  const bare = typed.toLowerCase().replaceAll(/[\s-]/g, '').replaceAll('o', '0').replaceAll(/[il]/g, '1');
  return bare.length === LENGTH && [...bare].every((letter) => ALPHABET.includes(letter)) ? bare : null;
}
