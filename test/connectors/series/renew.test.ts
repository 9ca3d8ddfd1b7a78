/** The DuckDB file is opened anew between what is asked of it, and nobody notices but the memory. */
import { expect, it } from 'vitest';
import type { DuckDb, Writer } from '../../../connectors/series/duckdb/connection.ts';
import { createRenewed } from '../../../connectors/series/duckdb/renew.ts';
import { UnavailableError } from '../../../engine/errors.ts';

const column = (rows: number) => [{ type: 'double' as const, values: new Float64Array(rows) }];
const fill = (db: DuckDb, rows: number) => db.write((writer) => writer.append('reading', column(rows)));

/** Databases that say which of them answered, each to be closed once and asked nothing after that. */
function createRow() {
  const closed: number[] = [];
  let opened = 0;
  let answer = Promise.resolve();
  const open = async (): Promise<DuckDb> => {
    const number = ++opened;
    const open = () => expect(closed).not.toContain(number);
    const writer = { run: async () => {}, numbers: async () => [], append: async () => open() } as unknown as Writer;
    return {
      async numbers() {
        open();
        await answer;
        open();
        return [Float64Array.of(number)];
      },
      rows: async () => [],
      async write(work) {
        open();
        return work(writer);
      },
      still: async (work) => work(writer),
      close() {
        open();
        closed.push(number);
      },
    };
  };
  return { open, closed, hold: (until: Promise<void>) => (answer = until) };
}
const which = async (db: DuckDb) => (await db.numbers(''))[0]![0];

it('opens the file anew after so many rows', async () => {
  const row = createRow();
  const db = createRenewed(await row.open(), row.open, 100);
  await fill(db, 60);
  expect(await which(db)).toBe(1);
  await fill(db, 60);
  expect(await which(db)).toBe(2);
  await fill(db, 60);
  expect(await which(db)).toBe(2);
  db.close();
  expect(row.closed).toEqual([1, 2]);
});

it('waits until no question is under way, and holds up none for that', async () => {
  const row = createRow();
  const db = createRenewed(await row.open(), row.open, 100);
  let answered = () => {};
  row.hold(new Promise<void>((done) => (answered = done)));
  const long = which(db);
  await fill(db, 200);
  await db.rows('');
  expect(row.closed).toEqual([]);
  answered();
  expect(await long).toBe(1);
  expect(await which(db)).toBe(2);
  expect(row.closed).toEqual([1]);
});

it('says so when the file does not open again', async () => {
  const row = createRow();
  const db = createRenewed(await row.open(), () => Promise.reject(new Error('no space')), 100);
  await fill(db, 200);
  await expect(which(db)).rejects.toThrow(UnavailableError);
  await expect(fill(db, 1)).rejects.toThrow(/could not be opened anew/);
  db.close();
  expect(row.closed).toEqual([1]);
});

it('leaves nothing open when it is closed while the file opens', async () => {
  const row = createRow();
  const db = createRenewed(await row.open(), row.open, 100);
  await fill(db, 200);
  db.close();
  await expect.poll(() => row.closed).toEqual([1, 2]);
});
