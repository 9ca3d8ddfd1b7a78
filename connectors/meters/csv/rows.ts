/** Reads files of readings piece by piece, whatever their size: CSV, JSON lines, JSON. */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { InvalidDataError } from '../../../engine/errors.ts';
import { type FileKind, sniffFile } from './sniff.ts';

export type FileSource = { bytes: Uint8Array } | { path: string };
/** A line of the file; `cells` of CSV, `value` of parsed JSON, or the reason why there is neither. */
export type FileRow = { line: number; cells?: string[]; value?: unknown; problem?: string };

const HEAD_BYTES = 64 * 1024;
const LINE_MAX_CHARACTERS = 1024 * 1024;
/** A JSON array has to be parsed as a whole. */
const JSON_MAX_BYTES = 64 * 1024 * 1024;

/** @returns what kind of file it is. @throws InvalidDataError for an empty one. */
export async function inspectFile(source: FileSource): Promise<FileKind> {
  const head = 'bytes' in source ? source.bytes.subarray(0, HEAD_BYTES) : await headOf(source.path);
  if (new TextDecoder('windows-1252').decode(head).trim() === '')
    throw new InvalidDataError('The file is empty.', 'Choose a CSV or JSON-lines file with readings.');
  if (head.subarray(0, 1024).some((byte) => byte === 0) && !(head[0] === 0xff && head[1] === 0xfe))
    throw new InvalidDataError('The file is no text.', 'Export the readings as CSV; spreadsheets can do that.');
  return sniffFile(head);
}

async function headOf(path: string): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const { bytesRead, buffer } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } catch (cause) {
    throw new InvalidDataError(`The file ${path} cannot be read (${(cause as Error).message}).`, 'Check its path.');
  } finally {
    await file?.close();
  }
}

/** The rows of a file in order; the first row of CSV is its header. `onBytes` hears how far reading has come. */
export function readRows(
  source: FileSource,
  kind: FileKind,
  onBytes?: (read: number) => void,
): AsyncGenerator<FileRow> {
  if (kind.format === 'csv') return csvRows(source, kind, onBytes);
  return kind.format === 'json' ? jsonRows(source, kind) : jsonLines(source, kind, onBytes);
}

async function* textOf(source: FileSource, kind: FileKind, onBytes?: (read: number) => void): AsyncGenerator<string> {
  const decoder = new TextDecoder(kind.encoding);
  const pieces =
    'bytes' in source ? slices(source.bytes) : createReadStream(source.path, { highWaterMark: 256 * 1024 });
  let read = 0;
  for await (const piece of pieces as AsyncIterable<Uint8Array>) {
    read += piece.length;
    onBytes?.(read);
    yield decoder.decode(piece, { stream: true });
  }
  yield decoder.decode();
}

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 256 * 1024) yield bytes.subarray(at, at + 256 * 1024);
}

async function* csvRows(source: FileSource, kind: FileKind, onBytes?: (read: number) => void): AsyncGenerator<FileRow> {
  const parser = parse({
    delimiter: kind.delimiter,
    from_line: kind.preamble_lines + 1,
    info: true,
    bom: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: LINE_MAX_CHARACTERS,
  });
  const input = Readable.from(textOf(source, kind, onBytes));
  input.on('error', (error) => parser.destroy(error));
  input.pipe(parser);
  try {
    for await (const { info, record } of parser as AsyncIterable<{ info: { lines: number }; record: string[] }>)
      if (record.some((cell) => cell.trim() !== '')) yield { line: info.lines, cells: record };
  } catch (cause) {
    throw new InvalidDataError(`The file cannot be read as CSV: ${(cause as Error).message}`, 'Check the named line.');
  } finally {
    input.destroy();
  }
}

async function* jsonLines(
  source: FileSource,
  kind: FileKind,
  onBytes?: (read: number) => void,
): AsyncGenerator<FileRow> {
  let rest = '';
  let line = 0;
  for await (const text of textOf(source, kind, onBytes)) {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    if (rest.length > LINE_MAX_CHARACTERS)
      throw new InvalidDataError(
        `Line ${line + lines.length + 1} has more than a million characters.`,
        'Is it JSON lines?',
      );
    for (const one of lines) {
      line++;
      if (one.trim() !== '') yield parsedLine(one, line);
    }
  }
  if (rest.trim() !== '') yield parsedLine(rest, line + 1);
}

function parsedLine(text: string, line: number): FileRow {
  try {
    return { line, value: JSON.parse(text) };
  } catch (error) {
    return { line, problem: `It is no JSON: ${(error as Error).message}` };
  }
}

async function* jsonRows(source: FileSource, kind: FileKind): AsyncGenerator<FileRow> {
  let text = '';
  for await (const piece of textOf(source, kind)) {
    text += piece;
    if (text.length > JSON_MAX_BYTES)
      throw new InvalidDataError(
        'The JSON file is too large to be read whole.',
        'Write one object a line (JSON lines).',
      );
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new InvalidDataError(`The file is no JSON: ${(cause as Error).message}`, 'Mend it and load it again.');
  }
  const list = Array.isArray(body) ? body : (body as { readings?: unknown[] }).readings;
  for (const [i, value] of (list ?? []).entries()) yield { line: i + 1, value };
}
