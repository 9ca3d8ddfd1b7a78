/** What every implementation of the Journal port promises, with the reader that follows it. */
import { afterEach, describe, expect, it } from 'vitest';
import type { ReadingGroup } from '../../engine/model/reading.ts';
import type { Journal, JournalReader } from '../../engine/ports.ts';

export type JournalUnderTest = {
  journal: Journal;
  reader: JournalReader;
  /** Closes and opens again over the same folder. */
  reopen(): Promise<JournalUnderTest>;
  /** Ends without `close`, as a kill would. */
  kill(): Promise<JournalUnderTest>;
  dispose(): Promise<void>;
};

/** A group that is told apart by `n`. */
export function groupOf(n: number, readings = 1): ReadingGroup {
  return {
    tenant: 'default',
    source: 'mqtt',
    device: 'hall',
    received_ms: 1_780_000_000_000 + n,
    readings: Array.from({ length: readings }, (_, i) => ({
      meter: i === 0 ? 'hall' : `hall-${i}`,
      quantity: 'power_W',
      at_ms: 1_780_000_000_000 + n * 1000 + i,
      value: n + i / 1000,
      quality: 0,
    })),
  };
}

export async function readAll(reader: JournalReader, after_seq = 0): Promise<number[]> {
  const values: number[] = [];
  for (let seq = after_seq; ; ) {
    const groups = await reader.read(seq, 1000);
    if (groups.length === 0) return values;
    for (const group of groups) {
      expect(group.seq).toBeGreaterThan(seq);
      seq = group.seq;
      values.push(group.readings[0]!.value);
    }
  }
}

export function describeJournal(name: string, open: () => Promise<JournalUnderTest>): void {
  describe(`journal: ${name}`, () => {
    let under: JournalUnderTest;
    afterEach(() => under.dispose());

    it('is empty at first', async () => {
      under = await open();
      expect(under.journal.stats()).toMatchObject({ last_seq: 0, quarantined: [] });
      expect(await under.reader.read(0, 1e6)).toEqual([]);
    });

    it('numbers records by one and gives them back as they were', async () => {
      under = await open();
      const group: ReadingGroup = {
        tenant: 'städtische-werke',
        source: 'http',
        device: null,
        received_ms: 1_780_000_000_123.5,
        delivery: 2 ** 47 + 12345,
        readings: [
          { meter: 'Zähler/1', quantity: 'import_interval_kWh', at_ms: 900_000, from_ms: 0, value: -0.1, quality: 128 },
          { meter: 'x'.repeat(300), quantity: 'power_W', at_ms: -5, value: Number.MAX_VALUE, quality: 2048 },
        ],
      };
      expect(await under.journal.append([group, groupOf(2)])).toBe(2);
      expect(await under.journal.append([groupOf(3, 50)])).toBe(3);
      expect(await under.reader.read(0, 1e6)).toEqual([
        { ...group, seq: 1 },
        { ...groupOf(2), seq: 2 },
        { ...groupOf(3, 50), seq: 3 },
      ]);
    });

    it('goes on reading from any number, in pieces smaller than a record too', async () => {
      under = await open();
      await under.journal.append(Array.from({ length: 40 }, (_, n) => groupOf(n + 1, 1 + (n % 7))));
      const firstBytes = async (after: number) => (await under.reader.read(after, 1)).map((group) => group.seq);
      expect(await firstBytes(17)).toEqual([18]);
      expect(await firstBytes(18)).toEqual([19]);
      expect(await firstBytes(3)).toEqual([4]);
      expect(await readAll(under.reader, 30)).toEqual([31, 32, 33, 34, 35, 36, 37, 38, 39, 40]);
      expect(await under.reader.read(40, 1e6)).toEqual([]);
    });

    it('keeps many concurrent appends, each with its own number', async () => {
      under = await open();
      const seqs = await Promise.all(Array.from({ length: 3000 }, (_, n) => under.journal.append([groupOf(n)])));
      expect(seqs).toEqual(Array.from({ length: 3000 }, (_, n) => n + 1));
      expect(await readAll(under.reader)).toEqual(Array.from({ length: 3000 }, (_, n) => n));
    });

    it('survives closing and a kill, and goes on with the next number', async () => {
      under = await open();
      await under.journal.append([groupOf(1)]);
      under = await under.reopen();
      const next = await under.journal.append([groupOf(2)]);
      expect(next).toBe(2);
      under = await under.kill();
      expect(await under.journal.append([groupOf(3)])).toBe(3);
      expect(await readAll(under.reader)).toEqual([1, 2, 3]);
    });

    it('never uses a number twice, even when all records are released', async () => {
      under = await open();
      await under.journal.append([groupOf(1), groupOf(2)]);
      await under.journal.release(2);
      under = await under.reopen();
      expect(under.journal.stats().released_seq).toBeLessThanOrEqual(2);
      expect(await under.journal.append([groupOf(3)])).toBe(3);
    });

    it('numbers above what the store already has when the store knows more', async () => {
      under = await open();
      await under.journal.release(500);
      expect(await under.journal.append([groupOf(1)])).toBe(501);
      expect(await readAll(under.reader, 500)).toEqual([1]);
    });

    it('refuses after closing', async () => {
      under = await open();
      await under.journal.close();
      await expect(under.journal.append([groupOf(1)])).rejects.toMatchObject({ name: 'UnavailableError' });
    });
  });
}
