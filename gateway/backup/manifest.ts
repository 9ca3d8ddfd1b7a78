/**
 * What a backup says of itself: `manifest.json` of the backup, `state.json` of the log that follows it. Both are two
 * lines: the content, and the SHA-256 of that line (with a passphrase also its HMAC), so that no byte can change unseen.
 */
import { createHash, createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { InvalidDataError } from '../../engine/errors.ts';
import { sameText } from '../auth/secrets.ts';

/** Of the layout of folders and files. A higher one belongs to a newer Luna. */
export const FORMAT = 1;

const count = z.number().int().min(0);
const EntrySchema = z.strictObject({ path: z.string(), bytes: count, sha256: z.string().regex(/^[0-9a-f]{64}$/) });
const FactsSchema = z.record(z.string(), z.strictObject({ rows: count, hash: z.string() }));

export const ManifestSchema = z.strictObject({
  format: z.number().int(),
  /** Also the folder's name. */
  id: z.string(),
  /** Tells boxes apart: the random id in the home's `box-id`, which a restored box keeps. */
  box: z.string(),
  luna: z.string(),
  made_ms: z.number(),
  took_ms: z.number(),
  database: z
    .strictObject({
      server: z.string(),
      timeline: count,
      segment_bytes: count,
      migrations: z.array(z.string()),
      restore_point: z.string(),
      wal: z.strictObject({ first: z.string(), last: z.string() }),
      tables: FactsSchema,
    })
    .nullable(),
  series: z.strictObject({ version: z.string(), cursor: count, tables: FactsSchema }).nullable(),
  journal: z.strictObject({ after_seq: count, last_seq: count, records: count }),
  files: count,
  /** Names of the key files in the sealed bundle; null: there was no passphrase. */
  keys: z.array(z.string()).nullable(),
  /** Files of the home that are too large to be keys, and lie nowhere in the backup. */
  left_out: z.array(z.string()),
  entries: z.array(EntrySchema),
});
export type Manifest = z.infer<typeof ManifestSchema>;

const RoundSchema = z.strictObject({
  at_ms: z.number(),
  restore_point: z.string().nullable(),
  journal_seq: count,
  /** How many of `entries` there were after it. */
  entries: count,
  /** What waits for a trusted clock (held.ts). */
  waiting: z.array(z.string()).optional(),
  /** Uploaded files that were copied before and are no longer there: they must not come back. */
  gone: z.array(z.string()).optional(),
});
export const LogSchema = z.strictObject({
  format: z.number().int(),
  backup: z.string(),
  box: z.string(),
  rounds: z.array(RoundSchema),
  entries: z.array(EntrySchema.extend({ records: count, last_seq: count })),
});
export type Log = z.infer<typeof LogSchema>;
export type Round = z.infer<typeof RoundSchema>;

/** @param key of the HMAC, derived from the passphrase; null without one */
export function sealText(content: object, key: Buffer | null): string {
  const line = JSON.stringify(content);
  return `${line}\n${footer(line, key && createHmac('sha256', key).update(line).digest('hex'))}\n`;
}

function footer(line: string, hmac: string | null): string {
  const sha256 = createHash('sha256').update(`${line}\n${hmac}`).digest('hex');
  return JSON.stringify({ sha256, hmac });
}

/** @throws InvalidDataError that names the file. The HMAC is checked where `key` is given. */
export async function readSealed<Schema extends z.ZodType>(
  path: string,
  name: string,
  schema: Schema,
  key: Buffer | null,
): Promise<z.infer<Schema>> {
  const text = await readFile(path, 'latin1').catch((cause: NodeJS.ErrnoException) => {
    throw new InvalidDataError(
      cause.code === 'ENOENT' ? `${name} is missing.` : `${name} cannot be read: ${cause.message}`,
      'This is no whole backup; take another one.',
    );
  });
  const lines = text.split('\n');
  const [line = '', foot = ''] = lines.map((part) => Buffer.from(part, 'latin1').toString('utf8'));
  const changed = () =>
    new InvalidDataError(`${name} was changed or is damaged: its checksum does not fit.`, 'Take another backup.');
  if (lines.length !== 3 || lines[2] !== '' || Buffer.from(line).toString('latin1') !== lines[0]) throw changed();
  const hmac = /,"hmac":"([0-9a-f]{64})"\}$/.exec(foot)?.[1] ?? null;
  if (foot !== footer(line, hmac)) throw changed();
  if (key && !(hmac && sameText(hmac, createHmac('sha256', key).update(line).digest('hex'))))
    throw new InvalidDataError(`${name} was not written with this passphrase.`, 'Is it the backup of another box?');
  const content: unknown = JSON.parse(line);
  const { format } = content as { format?: unknown };
  if (typeof format === 'number' && format > FORMAT)
    throw new InvalidDataError(
      `${name} was written by a newer Luna (format ${format}).`,
      'Install that version first.',
    );
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new InvalidDataError(`${name} is not understood: ${z.prettifyError(parsed.error)}`, 'Take another backup.');
}

/** Folders of a backup; nothing else is ever written at a restore. */
const TOP = /^(base|wal|series|journal|files|config|keys|clock-quarantine)\//;

/** Why a path of a manifest must not be followed, or null. */
export function pathFault(path: string): string | null {
  if (!TOP.test(path)) return `${JSON.stringify(path)} lies in no folder of a backup`;
  const parts = path.split('/');
  if (path.length > 1024 || /[\\\0:]/.test(path)) return `${JSON.stringify(path)} is no path of a backup`;
  if (parts.some((part) => part === '' || part === '.' || part === '..'))
    return `${JSON.stringify(path)} reaches outside its folder`;
  return null;
}
