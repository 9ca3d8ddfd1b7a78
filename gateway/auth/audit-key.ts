/**
 * The key with which the box signs the newest entry of its audit log: Ed25519 (RFC 8032), its seed in
 * LUNA_HOME/audit-key, mode 600. Whoever changes the database without that file cannot sign what they made of it.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { join } from 'node:path';
import { keptSecret } from './secrets.ts';

/** DER of a PKCS #8 Ed25519 key up to its 32 bytes of seed (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

export type AuditHead = { tenant: string; id: number; hash: string; at: string; key_id: string; signature: string };

/** What an admin says of entries that were signed by keys that this box no longer has. */
export type KeyAcceptance = {
  tenant: string;
  /** Ids of those keys. */
  former_keys: readonly string[];
  /** The last entry that they signed, and its hash. */
  through: number;
  sealed: string;
};

export type AuditKey = {
  /** First 12 hex digits of the SHA-256 of the public key. */
  readonly key_id: string;
  /** PEM, for whoever verifies elsewhere. */
  readonly public_key: string;
  /** @param at ISO 8601 */
  sign(head: Pick<AuditHead, 'tenant' | 'id' | 'hash' | 'at'>): AuditHead;
  /** Whether this key signed exactly that. */
  isOurs(head: AuditHead): boolean;
  /** Signature over an acceptance, base64url: who has only the database cannot make one. */
  accept(acceptance: KeyAcceptance): string;
  hasAccepted(acceptance: KeyAcceptance, signature: string): boolean;
};

/** What verifying needs of a key. */
export type AuditTrust = Pick<AuditKey, 'key_id' | 'isOurs' | 'hasAccepted'>;

export function auditKeyFile(home: string): string {
  return join(home, 'audit-key');
}

/** Made on first use. */
export async function openAuditKey(home: string): Promise<AuditKey> {
  const seed = Buffer.from(await keptSecret(auditKeyFile(home)), 'base64url');
  return createAuditKey(createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' }));
}

export function createAuditKey(key: KeyObject): AuditKey {
  const public_key = createPublicKey(key);
  const der = public_key.export({ format: 'der', type: 'spki' });
  const key_id = createHash('sha256').update(der).digest('hex').slice(0, 12);
  /** Signatures take a tenth of a millisecond each to check, and logs have thousands. */
  const known = new Set<string>();
  return {
    key_id,
    public_key: public_key.export({ format: 'pem', type: 'spki' }).toString(),
    sign(head) {
      const bytes = signedBytes({ ...head, key_id });
      return { ...head, key_id, signature: sign(null, bytes, key).toString('base64url') };
    },
    isOurs(head) {
      if (head.key_id !== key_id) return false;
      const what = JSON.stringify(head);
      if (known.has(what)) return true;
      const ours = verify(null, signedBytes(head), public_key, Buffer.from(head.signature, 'base64url'));
      if (ours) known.add(what);
      return ours;
    },
    accept: (acceptance) => sign(null, acceptedBytes(acceptance, key_id), key).toString('base64url'),
    hasAccepted: (acceptance, signature) =>
      verify(null, acceptedBytes(acceptance, key_id), public_key, Buffer.from(signature, 'base64url')),
  };
}

/** A JSON array without spaces, as docs/guides/audit.md tells. */
function signedBytes({ tenant, id, hash, at, key_id }: Omit<AuditHead, 'signature'>): Buffer {
  return Buffer.from(JSON.stringify(['luna audit head', tenant, id, hash, at, key_id]));
}

function acceptedBytes({ tenant, former_keys, through, sealed }: KeyAcceptance, key_id: string): Buffer {
  return Buffer.from(JSON.stringify(['luna audit keys accepted', tenant, former_keys, through, sealed, key_id]));
}
