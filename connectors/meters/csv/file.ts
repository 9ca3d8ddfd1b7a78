/** A file of readings as a whole: what it looks like, and its readings with the lines they stand on. */
import { InvalidDataError } from '../../../engine/errors.ts';
import type { Reading } from '../../../engine/model/reading.ts';
import { decodePush } from '../../../engine/quality/push.ts';
import { createRowConverter, type RowConverter } from './convert.ts';
import { type FileMapping, guessMapping, mappingProblems } from './guess.ts';
import { type FileRow, type FileSource, inspectFile, readRows } from './rows.ts';

export type FilePreview = { columns: string[]; rows: string[][]; mapping: FileMapping; problems: string[] };
/** One line: its readings and what is wrong with it. */
export type FileLine = { line: number; readings: readonly Reading[]; problems: readonly string[] };
/** `read` of the file's bytes are behind these lines. */
export type FileBatch = { lines: FileLine[]; read: number };

const SAMPLE_ROWS = 50;
const PREVIEW_ROWS = 8;
/** Readings, and lines without any, that go into one batch. */
const BATCH = 2000;

/** First rows and a guessed mapping. @throws InvalidDataError for a file that is empty or no text. */
export async function previewFile(source: FileSource): Promise<FilePreview> {
  const kind = await inspectFile(source);
  const rows = readRows(source, kind);
  const head = await takeRows(rows, kind.format === 'csv' ? SAMPLE_ROWS + 1 : PREVIEW_ROWS);
  await rows.return(undefined);
  return kind.format === 'csv' ? previewCsv(head) : previewJson(head);
}

function previewCsv([header, ...head]: FileRow[]): FilePreview {
  const columns = (header?.cells ?? []).map((name) => name.trim());
  const cells = head.map((row) => row.cells ?? []);
  return { columns, rows: cells.slice(0, PREVIEW_ROWS), ...guessMapping(columns, cells) };
}

function previewJson(head: FileRow[]): FilePreview {
  const columns = [...new Set(head.flatMap(({ value }) => (isObject(value) ? Object.keys(value) : [])))];
  const cells = head.map(({ value }) => columns.map((name) => (isObject(value) ? textOf(value[name]) : '')));
  const problems = head.flatMap(({ line, problem }) => (problem ? [`Line ${line}: ${problem}`] : []));
  const named = columns.filter((name) => !['at', 'meter', 'from', 'to'].includes(name));
  const mapping = { at: 'at', meter: columns.includes('meter') ? 'meter' : null };
  return {
    columns,
    rows: cells,
    mapping: { ...mapping, columns: Object.fromEntries(named.map((n) => [n, n])) },
    problems,
  };
}

/**
 * The readings of a file in its order.
 * @param time_zone of times that carry none, where the mapping has none
 * @throws InvalidDataError for a file that is no table, or whose columns cannot be used
 */
export async function* readFile(
  source: FileSource,
  { mapping, time_zone }: { mapping?: FileMapping; time_zone: string | null },
): AsyncGenerator<FileBatch> {
  const kind = await inspectFile(source);
  let read = 0;
  const rows = readRows(source, kind, (bytes) => {
    read = bytes;
  });
  const lines =
    kind.format === 'csv' ? csvLines(rows, kind.preamble_lines, mapping, time_zone) : jsonLines(rows, mapping);
  let batch: FileLine[] = [];
  let weight = 0;
  for await (const line of lines) {
    batch.push(line);
    weight += Math.max(1, line.readings.length);
    if (weight < BATCH) continue;
    yield { lines: batch, read };
    [batch, weight] = [[], 0];
  }
  if (batch.length > 0) yield { lines: batch, read };
}

async function* csvLines(
  rows: AsyncGenerator<FileRow>,
  preamble_lines: number,
  given: FileMapping | undefined,
  time_zone: string | null,
): AsyncGenerator<FileLine> {
  const head = await takeRows(rows, SAMPLE_ROWS + 1);
  const header = head.shift()?.cells ?? [];
  const cells = head.map((row) => row.cells ?? []);
  const guess = given ? null : guessMapping(header, cells);
  const mapping = given ?? guess!.mapping;
  const problems = guess?.problems ?? mappingProblems(mapping, header);
  if (problems.length > 0)
    throw new InvalidDataError(
      `The columns ${shownHeader(header)} (line ${preamble_lines + 1}) cannot be used: ${problems.join(' ')}`,
      'Name them at,meter,<quantity>…, or give a mapping.',
    );
  const convert = createRowConverter(header, mapping, time_zone);
  for (const row of head) yield lineOf(convert, row);
  for await (const row of rows) yield lineOf(convert, row);
}

function lineOf(convert: RowConverter, { line, cells }: FileRow): FileLine {
  return { line, ...convert(cells ?? []) };
}

async function* jsonLines(rows: AsyncGenerator<FileRow>, mapping?: FileMapping): AsyncGenerator<FileLine> {
  const meter = mapping?.meter_id ?? null;
  for await (const { line, value, problem } of rows) {
    // A file has no time of arrival: NaN makes a missing `at` a fault of its line.
    const pushed = problem === undefined ? decodePush(value, { meter, arrival_ms: Number.NaN }) : null;
    yield {
      line,
      readings: pushed?.readings ?? [],
      problems: pushed?.rejected.map((one) => one.problem) ?? [problem ?? ''],
    };
  }
}

const COLUMNS_SHOWN = 40;

function shownHeader(header: readonly string[]): string {
  const shown = header.slice(0, COLUMNS_SHOWN).map((name) => `"${name.trim().slice(0, 80)}"`);
  return `${shown.join(', ')}${header.length > COLUMNS_SHOWN ? ` and ${header.length - COLUMNS_SHOWN} more` : ''}`;
}

async function takeRows(rows: AsyncGenerator<FileRow>, count: number): Promise<FileRow[]> {
  const taken: FileRow[] = [];
  while (taken.length < count) {
    const { value, done } = await rows.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
