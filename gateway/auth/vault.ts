/**
 * Secrets that the box must be able to read again (passwords of mail servers and devices, TOTP seeds) are stored
 * encrypted, with a key that lies in a file of its own outside the database: who has only the database has nothing.
 * AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce; the context is authenticated, so that a sealed text copied
 * into another tenant's row does not open there.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { InvalidDataError } from '../../engine/errors.ts';
import { keptSecret } from './secrets.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PREFIX = 'sealed1.';

export type Vault = {
  /** @param context what the secret belongs to, e.g. `acme/notify/smtp`; the same is needed to open it. */
  seal(text: string, context: string): string;
  /** @throws InvalidDataError for what was sealed with another key or context, or changed. */
  open(sealed: string, context: string): string;
  /** First 12 hex digits of the key's SHA-256: tells keys apart and gives nothing away. */
  readonly key_id: string;
};

/** LUNA_HOME/secret-key, mode 600, made on first use. Without it what it sealed is lost; the backup holds it wrapped. */
export function vaultKeyFile(home: string): string {
  return join(home, 'secret-key');
}

export async function openVault(home: string): Promise<Vault> {
  return createVault(Buffer.from(await keptSecret(vaultKeyFile(home)), 'base64url'));
}

/** Whether a text looks like one of ours. */
export function isSealed(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** @param key 32 bytes */
export function createVault(key: Buffer): Vault {
  return {
    key_id: createHash('sha256').update(key).digest('hex').slice(0, 12),
    seal(text, context) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(context));
      const bytes = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
      return PREFIX + bytes.toString('base64url');
    },
    open(sealed, context) {
      const bytes = Buffer.from(isSealed(sealed) ? sealed.slice(PREFIX.length) : '', 'base64url');
      try {
        const nonce = bytes.subarray(0, NONCE_BYTES);
        const cipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(context));
        cipher.setAuthTag(bytes.subarray(-TAG_BYTES));
        return cipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + cipher.final('utf8');
      } catch {
        throw new InvalidDataError(
          'A stored secret cannot be decrypted with the key file of this box.',
          'Enter it again, or put back the key file from the backup.',
        );
      }
    },
  };
}
