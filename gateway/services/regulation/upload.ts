/** What may be uploaded, told by its bytes, and under which title it is kept. */
import { open } from 'node:fs/promises';
import { InvalidDataError } from '../../../engine/errors.ts';
import type { ReadInput } from '../../workers/read-document.ts';

const LONGEST_TITLE = 300;
const LONGEST_VERSION = 64;
/** Readers look for the header here, because some writers put bytes before it. */
const PDF_HEADER_WITHIN = 1024;
const FORMATS: Record<string, ReadInput['format']> = {
  md: 'markdown',
  markdown: 'markdown',
  txt: 'text',
  text: 'text',
  html: 'html',
  htm: 'html',
  xhtml: 'html',
};
/** What Word writes: a zip, and before 2007 or behind a password an OLE file. */
const ZIP = [0x50, 0x4b, 0x03, 0x04];
const OLE = [0xd0, 0xcf, 0x11, 0xe0];

/** What `checkSize` and `formatOf` look at, before the whole is read. */
export async function beginningOf(source: { bytes: Uint8Array } | { path: string }): Promise<Beginning> {
  if ('bytes' in source) return { head: source.bytes, size: source.bytes.length };
  const file = await open(source.path, 'r');
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(PDF_HEADER_WITHIN), 0, PDF_HEADER_WITHIN, 0);
    return { head: buffer.subarray(0, bytesRead), size };
  } finally {
    await file.close();
  }
}
type Beginning = { head: Uint8Array; size: number };

/** @throws InvalidDataError for what is none of the kinds that can be read. */
export function formatOf(name: string, bytes: Uint8Array): ReadInput['format'] {
  if (isPdfHeader(bytes)) return 'pdf';
  const ending = /\.([^.\\/]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
  if (ending === 'docx' && ZIP.every((byte, i) => bytes[i] === byte)) return 'docx';
  if (OLE.every((byte, i) => bytes[i] === byte))
    throw new InvalidDataError(
      `${name} is an old Word file or one behind a password.`,
      'Save it without a password as .docx or PDF and upload that.',
    );
  const format = FORMATS[ending];
  if (format) return format;
  throw new InvalidDataError(
    ending === 'pdf' || ending === 'docx'
      ? `${name} is no ${ending.toUpperCase()}: it does not begin like one.`
      : `${name} is of no kind that can be read.`,
    'Upload a PDF, a Word file (.docx), HTML, Markdown (.md) or plain text (.txt).',
  );
}

function isPdfHeader(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, PDF_HEADER_WITHIN)).includes('%PDF-');
}

/** The longest laws have some megabytes of text; more is no document, and taking it apart would cost its multiple. */
const LARGEST_TEXT_BYTES = 12_000_000;

/** @throws InvalidDataError */
export function checkSize(name: string, { head, size }: Beginning, limit: number): void {
  const isPdf = isPdfHeader(head);
  const most = isPdf ? limit : Math.min(limit, LARGEST_TEXT_BYTES);
  if (size === 0) throw new InvalidDataError(`${name} is empty.`, 'Upload a file with text in it.');
  if (size > most)
    throw new InvalidDataError(
      `${name} has ${Math.ceil(size / 1e6)} MB; at most ${Math.floor(most / 1e6)} MB are taken.`,
      isPdf ? 'Split it, or raise upload_max_bytes in the configuration.' : 'Split it by chapters, or upload a PDF.',
    );
}

/** The title as given, else from the file's name. */
export function titleOf(title: string | undefined, file_name: string): string {
  const given = cleaned(title ?? '');
  const made = cleaned(file_name.replace(/\.[^.]{1,8}$/, '').replace(/_+/g, ' '));
  return (given || made || 'Document').slice(0, LONGEST_TITLE).trim();
}

/** @throws InvalidDataError */
export function versionOfUpload(version: string | undefined): string | null {
  const given = cleaned(version ?? '');
  if (given.length > LONGEST_VERSION)
    throw new InvalidDataError(
      `The version has more than ${LONGEST_VERSION} characters.`,
      'Give a shorter one, e.g. 2026-01.',
    );
  return given || null;
}

/** @throws InvalidDataError for what is no day, and for days the wrong way round */
export function daysOf({ valid_from, valid_to }: { valid_from?: string | null; valid_to?: string | null }): {
  valid_from: string | null;
  valid_to: string | null;
} {
  const days = { valid_from: dayOf(valid_from), valid_to: dayOf(valid_to) };
  if (days.valid_from !== null && days.valid_to !== null && days.valid_to < days.valid_from)
    throw new InvalidDataError(
      `The last day in force (${days.valid_to}) is before the first (${days.valid_from}).`,
      'Swap them, or leave one of them out.',
    );
  return days;
}

function dayOf(text: string | null | undefined): string | null {
  const day = text?.trim() ?? '';
  if (day === '') return null;
  const at_ms = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(at_ms) || new Date(at_ms).toISOString().slice(0, 10) !== day)
    throw new InvalidDataError(`"${day}" is no day.`, 'Write it as 2026-01-31.');
  return day;
}

export function fileNameOf(name: string): string {
  return cleaned(name.replace(/^.*[\\/]/, '')).slice(-200) || 'document';
}

function cleaned(text: string): string {
  return text
    .toWellFormed()
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
