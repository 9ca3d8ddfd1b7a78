/** Records that the backup has not copied stay, though the series store has them; and what a copy of them is. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { copyJournal, readPiece } from '../../../connectors/journal/copy.ts';
import { openJournal } from '../../../connectors/journal/journal.ts';
import { openJournalReader } from '../../../connectors/journal/reader.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'luna-hold-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const SEGMENT = 1024 * 1024;
const NAME = 'x'.repeat(60_000);
/** About 60 kB, so that a segment holds some 17. */
const group = (n: number) => ({
  ...{ tenant: 'acme', source: NAME, device: null, received_ms: n },
  readings: [{ meter: 'm', quantity: 'power_W', at_ms: n, value: n, quality: 0 }],
});

async function pieces(after_seq: number, durable_seq: number) {
  const found = [];
  for await (const piece of copyJournal(dir, after_seq, durable_seq)) found.push(piece);
  return found;
}

it('holds back records until they are copied, unless the bound is near', async () => {
  const journal = await openJournal({ dir, max_bytes: 8 * SEGMENT, segment_bytes: SEGMENT, held_seq: 20 });
  for (let n = 1; n <= 60; n++) await journal.append([group(n)]);
  await journal.release(60);
  const held = await pieces(20, 60);
  expect(held.reduce((sum, { records }) => sum + records, 0)).toBe(40);
  journal.hold?.(60);
  await journal.release(60);
  await expect
    .poll(async () => (await readdir(dir)).filter((name) => name.endsWith('.journal')).length)
    .toBeLessThan(3);
  await expect(pieces(20, 60)).rejects.toThrow(/no longer holds the records after 20/);
  // Readings come first: half full, the journal gives up what the backup has not copied.
  for (let n = 61; n <= 160; n++) {
    await journal.append([group(n)]);
    await journal.release(n);
  }
  expect(journal.stats().bytes).toBeLessThan(6 * SEGMENT);
  await journal.close();
});

it('copies exactly the records asked for, as segments that a journal opens', async () => {
  const journal = await openJournal({ dir, max_bytes: 64 * SEGMENT, segment_bytes: SEGMENT });
  for (let n = 1; n <= 40; n++) await journal.append([group(n)]);
  const found = await pieces(7, 33);
  expect([found[0]?.first_seq, found.at(-1)?.last_seq]).toEqual([8, 33]);
  for (const { bytes, first_seq, last_seq, records } of found)
    expect(readPiece(bytes)).toEqual({ first_seq, last_seq, records });
  expect(readPiece(found[0]!.bytes.subarray(0, -1))).toBeNull();
  await journal.close();
  const copy = await mkdtemp(join(tmpdir(), 'luna-hold-'));
  try {
    for (const { name, bytes } of found) await writeFile(join(copy, name), bytes);
    const opened = await openJournal({ dir: copy, max_bytes: 64 * SEGMENT, segment_bytes: SEGMENT });
    expect(opened.stats().quarantined).toEqual([]);
    await opened.close();
    const reader = await openJournalReader(copy);
    const groups = await reader.read(0, 1e9);
    expect(groups.map(({ seq, received_ms }) => [seq, received_ms])).toEqual(
      Array.from({ length: 26 }, (_, n) => [n + 8, n + 8]),
    );
    await reader.close();
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
});
