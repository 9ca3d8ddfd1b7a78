import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openJournal } from '../../../connectors/journal/journal.ts';
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import type { JournalledGroup, ReadingGroup } from '../../../engine/model/reading.ts';
import { type CountFile, openCountFile } from '../../../gateway/services/count-file.ts';
import { openReadingCounts, type ReadingCounts } from '../../../gateway/services/reading-counts.ts';
import { silent } from '../../setup/database.ts';

const T0 = Date.parse('2026-03-01T00:00:00Z');
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'luna-counts-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the file of counts', () => {
  const path = () => join(dir, 'counts');

  it('gives what was saved last, and the one before when that is torn or spoiled', async () => {
    let file = await openCountFile(path());
    expect(await file.read()).toBeNull();
    for (let n = 1; n <= 5; n++) await file.save({ n, text: 'ä'.repeat(n) });
    await file.close();
    file = await openCountFile(path());
    expect(await file.read()).toEqual({ n: 5, text: 'äääää' });
    await file.close();
    const bytes = readFileSync(path());
    const at = bytes.indexOf('"n":5');
    bytes[at + 4] = 0x37;
    writeFileSync(path(), bytes);
    file = await openCountFile(path());
    expect(await file.read()).toEqual({ n: 4, text: 'ääää' });
    await file.save({ n: 6 });
    expect(await file.read()).toEqual({ n: 6 });
    await file.close();
    truncateSync(path(), 10);
    file = await openCountFile(path());
    expect(await file.read()).toBeNull();
    await file.close();
  });

  it('needs no new room on the disk once it is made', async () => {
    const file = await openCountFile(path());
    const size = readFileSync(path()).length;
    for (let n = 0; n < 9; n++) await file.save({ text: 'x'.repeat(n * 7000) });
    expect(readFileSync(path()).length).toBe(size);
    await expect(file.save({ text: 'x'.repeat(70_000) })).rejects.toThrow(/too many/);
    await file.close();
  });
});

/** What happens to a box, in small numbers so that everything meets everything. */
type Step =
  | { do: 'send'; source: string; readings: { at: number; value: number }[]; rejected: number; unanswered: boolean }
  | { do: 'drain'; records: number; poison: boolean }
  | { do: 'save' }
  | { do: 'restart'; killed: boolean };

const source = fc.constantFrom('mqtt', 'http', 'import', 'modbus-tcp');
const reading = fc.record({ at: fc.nat(6), value: fc.nat(1) });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('send' as const),
    source,
    readings: fc.array(reading, { maxLength: 5 }),
    rejected: fc.nat(3),
    unanswered: fc.boolean(),
  }),
  fc.record({ do: fc.constant('drain' as const), records: fc.nat(3), poison: fc.boolean() }),
  fc.record({ do: fc.constant('save' as const) }),
  fc.record({ do: fc.constant('restart' as const), killed: fc.boolean() }),
);

describe('the books of readings', () => {
  it('come out even at every moment, over restarts and kills, with duplicates, rejects and groups put aside', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
        const box = await openSmallBox(join(dir, String(run++)));
        try {
          for (const one of steps) {
            await box.step(one);
            const { total, missing, sources, complete } = box.books().book();
            const { received, stored, duplicate, rejected, dead, waiting } = total;
            expect(missing, JSON.stringify(one)).toBe(0);
            if (!complete) continue;
            expect(received).toBe(stored + duplicate + rejected + dead + waiting);
            for (const book of Object.values(sources))
              expect(book.received).toBe(book.stored + book.duplicate + book.rejected + book.dead + book.waiting);
          }
          await box.step({ do: 'drain', records: 100, poison: false });
          await box.step({ do: 'save' });
          expect(box.books().book().complete).toBe(true);
          const { total } = box.books().book();
          // Against what the test itself counted: nothing is made even by leaving it out.
          expect(total).toMatchObject({ ...box.sent(), waiting: 0 });
          expect(total.stored).toBe(await box.storedReadings());
        } finally {
          await box.end();
        }
      }),
      { numRuns: 25, seed: 7 },
    );
  }, 60_000);
});

/** Journal, store and books as the box has them, driven by hand so that a kill can come between any two of its steps. */
async function openSmallBox(home: string) {
  const journal_dir = join(home, 'journal');
  let journal = await openJournal({ dir: journal_dir, max_bytes: 1e8, segment_bytes: 1e6 });
  const store = await openDuckDbSeries({ file: join(home, 'series.duckdb'), memory: '128MB' });
  let file: CountFile;
  let opened = 0;
  let books = await open();
  let queue: JournalledGroup[] = [];
  let applied = 0;
  const counted = { accepted: 0, rejected: 0, unsaved_rejected: 0 };

  async function open(): Promise<ReadingCounts> {
    file = await openCountFile(join(home, 'counts'));
    return openReadingCounts({
      file,
      journal_dir,
      journal,
      lag: () => journal.stats().last_seq - applied,
      log: silent,
      // Now and then what the last life had not written down is counted behind the start.
      ...(opened++ % 2 === 1 ? { open_within_ms: 0 } : {}),
    });
  }
  async function send({ source: from, readings, rejected, unanswered }: Extract<Step, { do: 'send' }>) {
    if (readings.length > 0) {
      const group: ReadingGroup = {
        ...{ tenant: 'a', source: from, device: null, received_ms: T0 },
        readings: readings.map(({ at, value }) => ({
          ...{ meter: 'm', quantity: 'power_W', at_ms: T0 + at, value, quality: 0 },
        })),
      };
      const seq = await journal.append([group]);
      queue.push({ seq, ...group });
      counted.accepted += readings.length;
      if (unanswered) return restart(true);
      books.accepted(from, readings.length, seq);
    }
    books.rejected(from, rejected);
    counted.unsaved_rejected += rejected;
  }
  async function drain({ records, poison }: Extract<Step, { do: 'drain' }>) {
    const batch = queue.slice(0, records);
    const last = batch.at(-1);
    if (!last) return;
    if (poison && batch.length === 1) await store.readings.skip(last);
    else await store.readings.append(batch);
    queue = queue.slice(batch.length);
    applied = last.seq;
    books.applied(await store.readings.counts());
  }
  async function save() {
    await books.save();
    counted.rejected += counted.unsaved_rejected;
    counted.unsaved_rejected = 0;
  }
  async function restart(killed: boolean) {
    // What was rejected since the last saving may be forgotten by a kill, on both sides of the sum.
    if (killed) counted.unsaved_rejected = 0;
    else await save();
    // Whatever the old life would still write must not reach the new one.
    await file.close();
    await journal.close();
    journal = await openJournal({ dir: journal_dir, max_bytes: 1e8, segment_bytes: 1e6 });
    books = await open();
    books.applied(await store.readings.counts());
  }
  return {
    books: () => books,
    sent: () => ({
      received: counted.accepted + counted.rejected + counted.unsaved_rejected,
      rejected: counted.rejected + counted.unsaved_rejected,
    }),
    async storedReadings() {
      const range = { meter: 'm', quantity: 'power_W', from_ms: T0, to_ms: T0 + 100 };
      const rows = (await store.readings.read('a', range)).at_ms.length;
      return rows + (await store.readings.changes('a', range)).length;
    },
    async step(one: Step) {
      if (one.do === 'send') await send(one);
      else if (one.do === 'drain') await drain(one);
      else if (one.do === 'save') await save();
      else await restart(one.killed);
    },
    async end() {
      await books.close();
      await journal.close();
      await store.close();
    },
  };
}
