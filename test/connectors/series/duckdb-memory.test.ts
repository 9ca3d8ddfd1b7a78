/** DuckDB keeps little memory, gets more for a piece of work that needs it, and gives it back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, expect, it } from 'vitest';
import { connect, type DuckDb } from '../../../connectors/series/duckdb/connection.ts';
import { UnavailableError } from '../../../engine/errors.ts';

const dir = mkdtempSync(join(tmpdir(), 'luna-memory-'));
let db: DuckDb | null = null;
afterEach(() => {
  db?.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Larger than what is kept: a list of all numbers cannot be written out to disk. */
const LARGE = 'select length(list(range))::double from range(2_000_000)';
const limitOf = async () => {
  const [row] = await db!.rows("select value from duckdb_settings() where name = 'memory_limit'");
  return row!.value;
};

it('a question that needs more than is kept gets it, and the limit is low again; a write for which it was asked too', async () => {
  const instance = await DuckDBInstance.create(join(dir, 'a.duckdb'), { memory_limit: '300MB', threads: '2' });
  db = await connect(instance, { kept: '16MB', most: '300MB' });
  await db.write((writer) => writer.run('create table t (n bigint)'));
  expect(await limitOf()).toMatch(/^15/);
  expect((await db.numbers(LARGE))[0]![0]).toBe(2_000_000);
  expect(await limitOf()).toMatch(/^15/);
  const large = await db.write((writer) => writer.numbers(LARGE), 'large');
  expect(large[0]![0]).toBe(2_000_000);
  expect(await limitOf()).toMatch(/^15/);
  // A transaction that ran out of memory leaves DuckDB in doubt: it must be opened anew.
  await expect(db.write((writer) => writer.numbers(LARGE))).rejects.toThrow(UnavailableError);
  await expect(db.numbers('select 1')).rejects.toThrow(/out of memory/i);
});
