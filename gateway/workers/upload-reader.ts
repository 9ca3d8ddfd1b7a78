/** Reads what people upload as tables, each in a process of its own: files of readings, price tables, device lists. */
import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { FileBatch, FilePreview } from '../../connectors/meters/csv/file.ts';
import type { FileMapping } from '../../connectors/meters/csv/guess.ts';
import type { FileSource } from '../../connectors/meters/csv/rows.ts';
import type { CsvContext } from '../../connectors/prices/csv.ts';
import { UnavailableError } from '../../engine/errors.ts';
import type { PriceSeries } from '../../engine/model/price.ts';
import type { FileDevice } from '../services/devices/device-file-schema.ts';
import { createBounded } from './bounded.ts';
import type { UploadInput, UploadItem } from './read-upload.ts';

/** @throws InvalidDataError for what is malformed or too much, UnavailableError when `signal` ended it. */
export type UploadReader = {
  readings(source: FileSource, how: { mapping?: FileMapping; time_zone: string | null }): AsyncGenerator<FileBatch>;
  preview(source: FileSource): Promise<FilePreview>;
  prices(csv: string, context: CsvContext): Promise<PriceSeries>;
  devices(yaml: string): Promise<FileDevice[]>;
  close(): Promise<void>;
};

/** Until the next 2,000 lines, and for a whole file. */
const STALL_MS = 9000;
const TIMEOUT_MS = 3_600_000;
const MEMORY_MB = 75;
/** A load may take an hour; previews and small tables do not wait for it. */
const LOADS_AT_ONCE = 2;

/** @param folder where bytes wait for the process that reads them */
export function createUploadReader({ folder }: { folder: string }): UploadReader {
  const bounds = {
    ...{ task: 'read-upload', memory_MB: MEMORY_MB, stall_ms: STALL_MS, timeout_ms: TIMEOUT_MS },
    remedy: 'Is it the right file? Split a larger one, and write readings as CSV or one JSON object a line.',
  };
  const loads = createBounded<UploadInput, UploadItem>({ ...bounds, at_once: LOADS_AT_ONCE });
  const short = createBounded<UploadInput, UploadItem>(bounds);

  /** The process reads files only: bytes are written down first. */
  async function* reading(
    by: typeof loads,
    source: FileSource,
    input: (path: string) => UploadInput,
  ): AsyncGenerator<UploadItem> {
    const own = 'path' in source ? null : await putDown(folder, source.bytes);
    const path = 'path' in source ? resolve(source.path) : own!;
    try {
      yield* by.run(input(path), { readable: [path] });
    } finally {
      if (own) await rm(own, { force: true });
    }
  }
  async function only<Item extends UploadItem>(items: AsyncGenerator<UploadItem>): Promise<Item> {
    // To the end, after which the process can be used again.
    let only: Item | undefined;
    for await (const item of items) only = item as Item;
    if (only === undefined) throw new Error('the process that reads ended without a result');
    return only;
  }
  return {
    readings: (source, how) =>
      reading(loads, source, (path) => ({ kind: 'readings', path, ...how })) as AsyncGenerator<FileBatch>,
    preview: (source) => only<FilePreview>(reading(short, source, (path) => ({ kind: 'preview', path }))),
    prices: (csv, context) => only<PriceSeries>(short.run({ kind: 'prices', csv, context })),
    devices: (yaml) => only<FileDevice[]>(short.run({ kind: 'devices', yaml })),
    close: () => Promise.all([loads.close(), short.close()]).then(() => {}),
  };
}

/** @returns the path of a file of its own, which the caller removes. @throws UnavailableError where the disk takes nothing */
export async function putDown(folder: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, randomUUID());
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(path, bytes, { mode: 0o600 });
    return path;
  } catch (cause) {
    await rm(path, { force: true });
    const { code } = cause as NodeJS.ErrnoException;
    throw new UnavailableError(`The file could not be put down to be read (${code}).`, 'Is the disk full?', { cause });
  }
}
