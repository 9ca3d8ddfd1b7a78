/** Certificates for HTTPS and MQTT over TLS: the owner's files, or one the box makes itself and keeps. */
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { ConfigError } from '../engine/errors.ts';
import type { Config } from './config.ts';

export type Certificate = { cert: string; key: string };

const VALID_DAYS = 825;
const RENEW_BEFORE_MS = 30 * 86_400_000;
const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** @returns null where `tls` is off. Throws ConfigError when a file cannot be read. */
export async function loadCertificate(config: Config, now_ms: number): Promise<Certificate | null> {
  if (config.tls === 'off') return null;
  if (config.tls === 'files')
    return { cert: readPem(config.tls_cert, 'tls_cert'), key: readPem(config.tls_key, 'tls_key') };
  return selfMade(join(config.home, 'tls'), now_ms);
}

const WARN_BEFORE_MS = 14 * 86_400_000;

/** When a certificate ends. */
export function endOf({ cert }: Certificate): number {
  return Date.parse(new X509Certificate(cert).validTo);
}

/** One sentence. @throws Error that says so when it has ended or soon will. */
export function certificateState(certificate: Certificate, now_ms: number): string {
  const end_ms = endOf(certificate);
  const day = new Date(end_ms).toISOString().slice(0, 10);
  if (end_ms <= now_ms) throw new Error(`The certificate ended on ${day}: browsers and meters refuse the box.`);
  if (end_ms - now_ms < WARN_BEFORE_MS) throw new Error(`The certificate ends on ${day}.`);
  return `The certificate is valid until ${day}.`;
}

function readPem(path: string | null, key: string): string {
  try {
    return readFileSync(path ?? '', 'utf8');
  } catch (error) {
    throw new ConfigError(`${key}: ${path} cannot be read.`, 'Give a path that the box may read.', { cause: error });
  }
}

async function selfMade(dir: string, now_ms: number): Promise<Certificate> {
  const [certFile, keyFile, untilFile] = ['cert.pem', 'key.pem', 'valid-until'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  if (existsSync(untilFile) && Number(readFileSync(untilFile, 'utf8')) - RENEW_BEFORE_MS > now_ms)
    return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  const until_ms = now_ms + VALID_DAYS * 86_400_000;
  const made = await generate([{ name: 'commonName', value: 'Luna iEMS' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(now_ms - 86_400_000),
    notAfterDate: new Date(until_ms),
    extensions: [{ name: 'subjectAltName', altNames: ownNames() }],
  });
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    rmSync(untilFile, { force: true });
    writeFileSync(certFile, made.cert);
    writeFileSync(keyFile, made.private, { mode: 0o600 });
    // Last: without it the next start makes another.
    writeFileSync(untilFile, String(until_ms));
  } catch (error) {
    // A full disk is no reason not to serve.
    if (!FULL.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    rmSync(untilFile, { force: true });
  }
  return { cert: made.cert, key: made.private };
}

/** The names and addresses under which the LAN reaches this box. */
function ownNames(): ({ type: 2; value: string } | { type: 7; ip: string })[] {
  const names = ['localhost', hostname(), `${hostname()}.local`].map((value) => ({ type: 2 as const, value }));
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .map((entry) => ({ type: 7 as const, ip: entry.address }));
  return [...names, ...addresses];
}
