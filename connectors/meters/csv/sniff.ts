/** What kind of file it is: encoding, format, separator and the line of the header, from its first bytes. */
import { parse } from 'csv-parse/sync';

export type FileKind = {
  format: 'csv' | 'json-lines' | 'json';
  encoding: 'utf-8' | 'utf-16le' | 'windows-1252';
  delimiter: string;
  /** Lines before the header (1-based line of the header is this + 1). */
  preamble_lines: number;
};

const DELIMITERS = [';', '\t', ',', '|'];
const TIME_WORDS =
  /^(at|time|timestamp|date|datum|zeit|uhrzeit|von|bis|from|to|utc|local|period|start|end|beginn|ende)/i;
/** Metadata lines that exports put before the header. */
const PREAMBLE_MAX = 20;

/** @param head the first bytes of the file, 64 KiB suffice. */
export function sniffFile(head: Uint8Array): FileKind {
  const encoding = encodingOf(head);
  const text = new TextDecoder(encoding).decode(head);
  const first = text.trimStart()[0];
  const kind = { encoding, delimiter: ',', preamble_lines: 0 };
  if (first === '{') return { ...kind, format: /^\s*\{\s*"readings"\s*:/.test(text) ? 'json' : 'json-lines' };
  if (first === '[') return { ...kind, format: 'json' };
  const lines = text.split(/\r\n|\n|\r/).slice(0, PREAMBLE_MAX + 1);
  const header = Math.max(0, lines.findIndex(isHeader));
  return { format: 'csv', encoding, delimiter: delimiterOf(lines[header] ?? ''), preamble_lines: header };
}

function encodingOf(head: Uint8Array): FileKind['encoding'] {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  // The last character may be cut in the middle.
  const whole = head.subarray(0, Math.max(0, head.length - 4));
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(whole.length > 0 ? whole : head, { stream: true });
    return 'utf-8';
  } catch {
    return 'windows-1252';
  }
}

function isHeader(line: string): boolean {
  const cells = cellsOf(line, delimiterOf(line));
  return cells.length > 1 && cells.some((cell) => TIME_WORDS.test(cell.trim()));
}

function delimiterOf(line: string): string {
  const counts = DELIMITERS.map((delimiter) => cellsOf(line, delimiter).length);
  return DELIMITERS[counts.indexOf(Math.max(...counts))]!;
}

/** @returns the cells of one line. */
export function cellsOf(line: string, delimiter: string): string[] {
  const rows = parse(line, { delimiter, relax_quotes: true, bom: true, relax_column_count: true }) as string[][];
  return rows[0] ?? [];
}
