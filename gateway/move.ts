/** `luna move`: everything of a stopped box into other stores, compared on the way, and back. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openEmbeddedPostgres } from '../connectors/database/embedded/embedded.ts';
import { parsePostgresUrl } from '../connectors/database/postgres/connection.ts';
import { moveTables } from '../connectors/database/postgres/move.ts';
import { openPostgres } from '../connectors/database/postgres/postgres.ts';
import type { MovableFiles } from '../connectors/files/place.ts';
import { openDuckDbRows } from '../connectors/series/duckdb/rows.ts';
import { type MoveMemory, moveSeries, type PieceFacts, type RowStore } from '../connectors/series/move.ts';
import { openQuestDbRows } from '../connectors/series/questdb/rows.ts';
import { ConfigError, InvalidDataError } from '../engine/errors.ts';
import { replaceFile } from './backup/make.ts';
import { type Config, ConfigSchema } from './config.ts';
import type { CommandResult } from './control.ts';
import { lockHome } from './home-lock.ts';
import { createLog } from './log.ts';
import { openFiles } from './stores.ts';

export type MoveOptions = { to?: string; postgres?: string; postgresOwner?: string; files?: string };
const MEMORY = 'move.json';

/**
 * @param config of the box as it is; its home is locked meanwhile
 * @param progress a line now and then
 * @throws ConfigError while the box runs, for addresses that are none, and where nothing would move
 */
export async function moveBox(
  config: Config,
  options: MoveOptions,
  progress: (line: string) => void,
): Promise<CommandResult> {
  const target = targetOf(config, options);
  const changes = (['series', 'database', 'files'] as const).filter((key) => target[key] !== config[key]);
  if (changes.length === 0)
    throw new ConfigError(
      'Nothing would move: these are the stores that the box has.',
      'Name others: --to questdb://…',
    );
  await mkdir(config.home, { recursive: true, mode: 0o700 });
  const unlock = lockHome(config.home);
  try {
    const json: Record<string, unknown> = {};
    if (changes.includes('database')) json.database = await moveDatabase(config, target, progress);
    if (changes.includes('files')) json.files = await moveFiles(config, target, progress);
    if (changes.includes('series')) json.series = await moveStore(config, target, progress);
    const set = changes.map((key) => `LUNA_${key.toUpperCase()}`);
    const text = `Moved and compared: ${changes.join(', ')}. Now set ${set.join(', ')} to the new stores and start the box. The old ones are as they were.`;
    return { text, json };
  } finally {
    unlock();
  }
}

function targetOf(config: Config, { to, postgres, postgresOwner, files }: MoveOptions): Config {
  const named = {
    ...(to === undefined ? {} : { series: to }),
    ...(postgres === undefined ? {} : { database: postgres, database_owner: postgresOwner ?? null }),
    ...(files === undefined ? {} : { files }),
  };
  const parsed = ConfigSchema.safeParse({ ...config, ...named });
  if (parsed.success) return parsed.data;
  const [fault] = parsed.error.issues;
  throw new ConfigError(`${fault?.path.join('.')} ${fault?.message}.`, 'See ./luna move --help.');
}

async function moveStore(from: Config, to: Config, progress: (line: string) => void) {
  const opened = (config: Config): Promise<RowStore> =>
    config.series === 'duckdb'
      ? openDuckDbRows(join(config.home, 'series.duckdb'), config.duckdb_memory)
      : openQuestDbRows(config.series);
  const memory = await openMemory(from.home, `${from.series} to ${to.series}`);
  const source = await opened(from);
  try {
    const target = await opened(to);
    try {
      return await moveSeries(source, target, memory, (done, total, what) => {
        if (done % 200 === 0 || done === total) progress(`series: ${done} of ${total} pieces (${what})`);
      });
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** What earlier tries between the same two stores moved and compared. */
async function openMemory(home: string, way: string): Promise<MoveMemory> {
  const text = await readFile(join(home, MEMORY), 'utf8').catch(() => '{}');
  const known = JSON.parse(text) as { way?: string; done?: Record<string, PieceFacts> };
  const done = known.way === way ? (known.done ?? {}) : {};
  return { done, save: () => replaceFile(home, MEMORY, JSON.stringify({ way, done })) };
}

async function moveDatabase(from: Config, to: Config, progress: (line: string) => void) {
  const log = createLog('warn', 2);
  const opened = async (config: Config) => {
    if (config.database === 'embedded') {
      const db = await openEmbeddedPostgres({ home: config.home, log });
      return { owner: db.cluster.connection, close: () => db.close() };
    }
    if (!config.database_owner)
      throw new ConfigError(
        'The owner of the database is not given.',
        'Set LUNA_DATABASE_OWNER, and --postgres-owner for the target.',
      );
    const owner_url = config.database_owner;
    // Migrates, and refuses a role that is too mighty.
    const db = await openPostgres({ url: config.database, owner_url, log });
    return { owner: parsePostgresUrl(owner_url, 'database_owner'), close: () => db.close() };
  };
  const source = await opened(from);
  try {
    const target = await opened(to);
    try {
      const facts = await moveTables(source.owner, target.owner, (done, total, table) =>
        progress(`database: ${done} of ${total} tables (${table})`),
      );
      return { tables: Object.keys(facts).length, rows: Object.values(facts).reduce((sum, { rows }) => sum + rows, 0) };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function moveFiles(from: Config, to: Config, progress: (line: string) => void): Promise<{ files: number }> {
  const [source, target] = [await openFiles(from), await openFiles(to)];
  const paths = await source.paths();
  const there = new Set(await target.paths());
  for (const [index, path] of paths.entries()) {
    await moveFile(source, target, path, there.has(path));
    if (index % 100 === 99 || index === paths.length - 1) progress(`files: ${index + 1} of ${paths.length}`);
  }
  return { files: paths.length };
}

/** One that is there already is compared too. */
async function moveFile(source: MovableFiles, target: MovableFiles, path: string, there: boolean): Promise<void> {
  const bytes = await source.readPath(path);
  if (!there) await target.writePath(path, bytes);
  if (Buffer.compare(Buffer.from(await target.readPath(path)), Buffer.from(bytes)) !== 0)
    throw new InvalidDataError(`The file ${path} reads back otherwise.`, 'Remove it in the target and move again.');
}
