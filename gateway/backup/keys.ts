/**
 * The keys of the box in a backup: sealed with a passphrase that stands nowhere in it. scrypt (RFC 7914) makes two keys
 * of it, one for AES-256-GCM (NIST SP 800-38D) and one for the HMAC of what the backup says of itself.
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { InvalidDataError } from '../../engine/errors.ts';
import { misplaced } from './faults.ts';

const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const CIPHER = 'aes-256-gcm';
const SHORTEST = 12;
const LARGEST_BYTES = 64 * 1024;

const BundleSchema = z.strictObject({
  kdf: z.literal('scrypt-32768-8-1'),
  salt: z.base64url(),
  nonce: z.base64url(),
  sealed: z.base64url(),
});
/** Names (relative to the home, with `/`) and contents. */
export type KeyFiles = Record<string, Buffer>;
export type PassphraseKeys = { salt: Buffer; cipher: Buffer; mac: Buffer };

const derive = promisify((passphrase: string, salt: Buffer, done: (error: Error | null, key: Buffer) => void) =>
  scrypt(passphrase.normalize('NFKC'), salt, 64, COST, done),
);

export async function deriveKeys(passphrase: string, salt = randomBytes(16)): Promise<PassphraseKeys> {
  const key = await derive(passphrase, salt);
  return { salt, cipher: key.subarray(0, 32), mac: key.subarray(32) };
}

/** @throws ConfigError for a file that is missing or too short to be one. */
export async function readPassphrase(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw misplaced(
      'passphrase',
      `The passphrase file ${file} cannot be read: ${cause.message}`,
      'See backup_passphrase_file.',
    );
  });
  const passphrase = text.trim();
  if (passphrase.length < SHORTEST)
    throw misplaced(
      'passphrase',
      `The passphrase in ${file} is too short.`,
      `Give at least ${SHORTEST} characters, on one line.`,
    );
  return passphrase;
}

/** @param context authenticated with it, so that the bundle of another backup does not open in its place */
export function sealKeys(files: KeyFiles, keys: PassphraseKeys, context: string): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv(CIPHER, keys.cipher, nonce, { authTagLength: 16 }).setAAD(Buffer.from(context));
  const plain = JSON.stringify(Object.entries(files).map(([name, bytes]) => [name, bytes.toString('base64')]));
  const sealed = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  const bundle = { kdf: 'scrypt-32768-8-1', salt: keys.salt, nonce, sealed };
  const texts = Object.entries(bundle).map(([name, v]) => [name, typeof v === 'string' ? v : v.toString('base64url')]);
  return Buffer.from(JSON.stringify(Object.fromEntries(texts)));
}

/** The keys that open a bundle, from its salt. @throws InvalidDataError for what is no bundle. */
export async function keysOf(bundle: Buffer, passphrase: string): Promise<PassphraseKeys> {
  return deriveKeys(passphrase, Buffer.from(parse(bundle).salt, 'base64url'));
}

/** @throws InvalidDataError for a wrong passphrase, another backup's bundle, or a damaged one. */
export function openKeys(bundle: Buffer, keys: PassphraseKeys, context: string): KeyFiles {
  const { nonce, sealed } = parse(bundle);
  const bytes = Buffer.from(sealed, 'base64url');
  try {
    const decipher = createDecipheriv(CIPHER, keys.cipher, Buffer.from(nonce, 'base64url'), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-16));
    const text = decipher.update(bytes.subarray(0, -16), undefined, 'utf8') + decipher.final('utf8');
    const pairs = JSON.parse(text) as [string, string][];
    return Object.fromEntries(pairs.map(([name, content]) => [name, Buffer.from(content, 'base64')]));
  } catch {
    throw new InvalidDataError(
      'The passphrase does not open the keys of this backup.',
      'Give the one it was made with.',
    );
  }
}

function parse(bundle: Buffer): z.infer<typeof BundleSchema> {
  try {
    return BundleSchema.parse(JSON.parse(bundle.toString('utf8')));
  } catch {
    throw new InvalidDataError('keys/keys.sealed is damaged.', 'Take another backup.');
  }
}

/** Not keys: what other parts of the backup hold, or what a start makes anew. */
const NO_KEYS =
  /^(luna\.(yaml|lock|sock)|series\.duckdb.*|audit-heads\.jsonl|box-id|counts|clock\.json|backup-state\.json|.*\.tmp)$/;

/** The small files of the home itself (keys, certificates' keys in tls/), and luna.yaml, which may hold tokens. Larger ones are named. */
export async function readKeyFiles(home: string): Promise<{ files: KeyFiles; left_out: string[] }> {
  const files: KeyFiles = {};
  const left_out: string[] = [];
  for (const folder of ['', 'tls', 'keys']) {
    const entries = await readdir(join(home, folder), { withFileTypes: true }).catch(() => []);
    for (const { name } of entries.filter((entry) => entry.isFile() && !NO_KEYS.test(entry.name))) {
      const path = join(home, folder, name);
      const as = folder ? `${folder}/${name}` : name;
      if ((await stat(path)).size <= LARGEST_BYTES) files[as] = await readFile(path);
      else left_out.push(as);
    }
  }
  const yaml = await readFile(join(home, 'luna.yaml')).catch(() => null);
  if (yaml) files['luna.yaml'] = yaml;
  return { files, left_out };
}
