/** Opens the DuckDB file, setting aside what is damaged. */
import { existsSync, renameSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { UnavailableError } from '../../../engine/errors.ts';
import { connect, type DuckDb, type Room } from './connection.ts';
import type { DuckDbOptions } from './duckdb.ts';
import { createNameSync, cutBadEntry } from './log-file.ts';
import { createRenewed } from './renew.ts';
import { SCHEMA } from './schema.ts';

/** What DuckDB says of a file that will never open again; anything else (lock, space, rights) may pass. */
const DAMAGED =
  /not a valid DuckDB database|checksum|corrupt|serialization error|failed to deserialize|replaying WAL|internal error|out of range|storage version|magic bytes/i;
const NEWER = /newer version|storage version number/i;

/** What DuckDB holds of the file between its questions; beyond that the operating system keeps what is read often. */
const KEPT_MEGABYTES = 48;

/** A checkpoint stops writers; a small log keeps it short and the next start quick. */
const CHECKPOINT = '32MB';

export async function openFile(options: DuckDbOptions): Promise<{ db: DuckDb; recovery: string | null }> {
  const { db, recovery } = await openOrRecover(options);
  return { db: createRenewed(db, () => openOnce(options), options.renew_rows), recovery };
}

async function openOrRecover(options: DuckDbOptions): Promise<{ db: DuckDb; recovery: string | null }> {
  const { file } = options;
  try {
    return { db: await openOnce(options), recovery: null };
  } catch (error) {
    const text = (error as Error).message;
    if (NEWER.test(text) || !DAMAGED.test(text) || !existsSync(file)) throw unavailable(file, error);
    return recover(options, text.split('\n')[0]!);
  }
}

/**
 * First without what the write-ahead log holds from its bad entry on, then without the log (the file then stands at its
 * last checkpoint), then with a new file.
 */
async function recover(options: DuckDbOptions, cause: string) {
  const { file, now = Date.now } = options;
  const stamp = new Date(now()).toISOString().replaceAll(':', '-');
  const wal = `${file}.wal`;
  if (existsSync(wal)) {
    const cut = await cutBadEntry(wal, `${wal}.damaged-${stamp}`, cause);
    if (cut)
      try {
        return { db: await openOnce(options), recovery: cut.torn ? null : lostWal(wal, stamp, cause) };
      } catch {
        // There is more that is damaged.
      }
    renameSync(wal, `${wal}.damaged-${stamp}`);
    try {
      return { db: await openOnce(options), recovery: lostWal(wal, stamp, cause) };
    } catch {
      // The file itself is damaged too.
    }
  }
  const aside = `${file}.damaged-${stamp}`;
  renameSync(file, aside);
  try {
    return { db: await openOnce(options), recovery: lostFile(file, aside, cause) };
  } catch (error) {
    throw unavailable(file, error);
  }
}

function lostWal(wal: string, stamp: string, cause: string): string {
  return (
    `The newest writes to the series store could not be read back (${cause}) and were set aside as ${wal}.damaged-${stamp}. ` +
    'Readings that the journal still holds are applied again. Lost may be readings, slots, repairs, prices and forecasts ' +
    'that were written after the last checkpoint and that the journal has released.'
  );
}

function lostFile(file: string, aside: string, cause: string): string {
  return (
    `The series store ${file} was damaged (${cause}). It was set aside as ${aside} and a new one was started. ` +
    'Readings that the journal still holds are applied again. Older readings, slots, repairs, prices and forecasts are ' +
    'lost unless you restore a backup of the file.'
  );
}

async function openOnce({ file, memory, kept, checkpoint = CHECKPOINT }: DuckDbOptions): Promise<DuckDb> {
  const instance = await DuckDBInstance.create(file, {
    memory_limit: memory,
    threads: '2',
    checkpoint_threshold: checkpoint,
    enable_external_access: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  try {
    const db = withNames(await connect(instance, roomOf(memory, kept)), createNameSync(file));
    await db.write(async (writer) => {
      for (const statement of SCHEMA) await writer.run(statement);
    });
    await db.write(async (writer) => {
      await writer.run("set allowed_configs = ['memory_limit']");
      await writer.run('set lock_configuration = true');
    });
    return db;
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}

/** @param memory what a large piece of work may take, such as `1GB` */
function roomOf(memory: string, kept = `${KEPT_MEGABYTES}MB`): Room {
  const [, number = '', unit = ''] = /^([\d.]+)\s*([kmgt]i?)?b?$/i.exec(memory.trim()) ?? [];
  const megabytes = Number(number) * (MEGABYTES[unit[0]?.toLowerCase() ?? ''] ?? Number.NaN);
  return { most: memory, kept: megabytes < KEPT_MEGABYTES ? memory : kept };
}

const MEGABYTES: Record<string, number> = { '': 1e-6, k: 1e-3, m: 1, g: 1e3, t: 1e6 };

/** What was written counts only once the names of the files are on disk too. */
function withNames(db: DuckDb, syncNames: () => Promise<void>): DuckDb {
  return {
    ...db,
    async write(work, size) {
      const outcome = await db.write(work, size);
      await syncNames();
      return outcome;
    },
  };
}

function unavailable(file: string, cause: unknown): UnavailableError {
  if (cause instanceof UnavailableError) return cause;
  const text = (cause as Error).message;
  const remedy = /lock/i.test(text)
    ? 'Another process has it open: is the box running twice?'
    : NEWER.test(text)
      ? 'It was written by a newer version of the box: start that version.'
      : 'Look at the rights and the free space of its folder.';
  return new UnavailableError(`The series store ${file} cannot be opened: ${text.split('\n')[0]}`, remedy, { cause });
}
