import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diskFiles, type JournalFiles } from '../../../connectors/journal/files.ts';
import { type JournalOptions, openJournal } from '../../../connectors/journal/journal.ts';
import { durableSeq, openJournalReader } from '../../../connectors/journal/reader.ts';
import { verifySegments } from '../../../connectors/journal/verify.ts';
import { describeJournal, groupOf, type JournalUnderTest, readAll } from '../../contracts/journal.ts';

const MIB = 1024 * 1024;
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'luna-journal-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const open = (options: Partial<JournalOptions> = {}) =>
  openJournal({ dir, max_bytes: 64 * MIB, segment_bytes: 4 * MIB, ...options });

async function underTest(): Promise<JournalUnderTest> {
  const journal = await open();
  const reader = await openJournalReader(dir, { durable_seq: durableSeq(journal.durable) });
  return {
    journal,
    reader,
    async reopen() {
      await journal.close();
      await reader.close();
      return underTest();
    },
    async kill() {
      await reader.close();
      return underTest();
    },
    async dispose() {
      await reader.close();
      await journal.close();
    },
  };
}
describeJournal('segment files', underTest);

const journalFiles = async () => (await readdir(dir)).filter((name) => name.endsWith('.journal')).sort();
async function valuesOnDisk(onCorrupt?: (segment: string) => void): Promise<number[]> {
  const reader = await openJournalReader(dir, { onCorrupt });
  const values = await readAll(reader);
  await reader.close();
  return values;
}

/** Fills a journal with one record a segment file: 1, 2, … */
async function segmentsOf(...values: number[][]): Promise<void> {
  for (const of of values) {
    const journal = await open();
    await journal.append(of.map((n) => groupOf(n)));
    await journal.close();
  }
}

describe('journal after damage', () => {
  it('keeps every whole record when the last segment is cut at any byte, and numbers on above the lost', async () => {
    await segmentsOf([1, 2, 3]);
    const [name] = await journalFiles();
    const whole = await readFile(join(dir, name!));
    const record_bytes = (whole.length - 16) / 3;
    for (let length = 0; length <= whole.length; length++) {
      await rm(dir, { recursive: true, force: true });
      const fresh = await open();
      await fresh.close();
      await writeFile(join(dir, name!), whole.subarray(0, length));
      const journal = await open();
      const seq = await journal.append([groupOf(99)]);
      await journal.close();
      const kept = Math.max(0, Math.floor((length - 16) / record_bytes));
      expect(await valuesOnDisk()).toEqual([...[1, 2, 3].slice(0, kept), 99]);
      expect(seq).toBeGreaterThan(kept);
      expect(journal.stats().quarantined).toEqual([]);
    }
  });

  it('loses at most one record to any flipped byte of an older segment, and sets the damaged file aside', async () => {
    await segmentsOf([1, 2, 3], [4]);
    const [name] = await journalFiles();
    const whole = await readFile(join(dir, name!));
    const rest = new Map<string, Buffer>();
    for (const file of await readdir(dir)) rest.set(file, await readFile(join(dir, file)));
    for (let at = 0; at < whole.length; at++) {
      await rm(dir, { recursive: true, force: true });
      await (await open()).close();
      for (const [file, bytes] of rest) await writeFile(join(dir, file), bytes);
      const flipped = Buffer.from(whole);
      flipped[at] = flipped[at]! ^ 0x40;
      await writeFile(join(dir, name!), flipped);
      // A reader that runs while the damage happens steps over it too.
      const told = new Set<string>();
      const running = await valuesOnDisk((segment) => told.add(segment));
      const journal = await open();
      await journal.close();
      const after = await valuesOnDisk();
      const damaged = at < 16 ? null : Math.floor((at - 16) / ((whole.length - 16) / 3)) + 1;
      const expected = [1, 2, 3, 4].filter((n) => n !== damaged);
      expect({ at, running, after }).toEqual({ at, running: expected, after: expected });
      expect({ at, told: [...told] }).toEqual({ at, told: [name] });
      expect(journal.stats().quarantined).toEqual([`${name}.quarantined`]);
      expect((await readFile(join(dir, `${name}.quarantined`))).equals(flipped)).toBe(true);
    }
  });

  it('takes old segments at their word at open, finds their damage afterwards, and sets it aside once', async () => {
    await segmentsOf([1, 2, 3], [4], [5, 6]);
    const names = await journalFiles();
    const whole = await readFile(join(dir, names[0]!));
    for (let at = 0; at < whole.length; at += 29) {
      const flipped = Buffer.from(whole);
      flipped[at] = flipped[at]! ^ 0x11;
      await writeFile(join(dir, names[0]!), flipped);
      for (const aside of await readdir(dir)) if (aside.endsWith('.quarantined')) await rm(join(dir, aside));
      for (let start = 0; start < 2; start++) {
        const journal = await open({ check_bytes: 0 });
        expect(journal.unchecked).toEqual(names.slice(0, 2));
        const told: string[] = [];
        await verifySegments(dir, journal.unchecked, { onCorrupt: (n) => told.push(n), pause: async () => true });
        expect({ at, told }).toEqual({ at, told: [names[0]] });
        await journal.setAside!(told[0]!);
        expect(journal.stats().quarantined).toEqual([`${names[0]}.quarantined`]);
        expect((await readFile(join(dir, `${names[0]}.quarantined`))).equals(flipped)).toBe(true);
        await journal.close();
      }
      const damaged = at < 16 ? null : Math.floor((at - 16) / ((whole.length - 16) / 3)) + 1;
      const kept = [1, 2, 3, 4, 5, 6].filter((n) => n !== damaged);
      expect(await valuesOnDisk()).toEqual(kept);
    }
  });

  it('keeps the newest ten of what was set aside, and gives no number out again', async () => {
    const names = Array.from({ length: 13 }, (_, i) => `${String(100 + i).padStart(16, '0')}.journal.quarantined`);
    for (const name of names) await writeFile(join(dir, name), 'damaged');
    const journal = await open();
    expect(journal.stats().quarantined).toEqual(names.slice(3));
    expect(await journal.append([groupOf(1)])).toBeGreaterThanOrEqual(112);
    await journal.close();
    expect((await readdir(dir)).filter((name) => name.endsWith('.quarantined')).sort()).toEqual(names.slice(3));
  });

  it('salvages the middle of the last segment as well, and does not hide it on the next start', async () => {
    await segmentsOf([1, 2, 3]);
    const [name] = await journalFiles();
    const bytes = await readFile(join(dir, name!));
    bytes[20] = bytes[20]! ^ 0xff;
    await writeFile(join(dir, name!), bytes);
    for (let start = 0; start < 2; start++) {
      const journal = await open();
      expect(journal.stats().quarantined).toHaveLength(1);
      await journal.close();
      expect(await valuesOnDisk()).toEqual([2, 3]);
    }
  });

  it('does not give out again the numbers of records that were lost after the store had them', async () => {
    await segmentsOf([1, 2, 3]);
    const [name] = await journalFiles();
    const bytes = await readFile(join(dir, name!));
    bytes.fill(0x55, 16);
    await writeFile(join(dir, name!), bytes);
    await rm(join(dir, 'released.json'), { force: true });
    const journal = await open();
    expect(await journal.append([groupOf(9)])).toBeGreaterThan(3);
    await journal.close();
  });
});

describe('journal and its disk', () => {
  it('resolves an append only after the sync of its bytes', async () => {
    let synced_bytes = 0;
    let written_bytes = 0;
    let hold: PromiseWithResolvers<void> | null = null;
    const files: JournalFiles = {
      ...diskFiles,
      async write(fd, bytes, position) {
        await diskFiles.write(fd, bytes, position);
        written_bytes += bytes.length;
      },
      async sync(fd) {
        const covers = written_bytes;
        await hold?.promise;
        await diskFiles.sync(fd);
        synced_bytes = covers;
      },
    };
    const journal = await open({ files });
    await journal.append([groupOf(0)]);
    const reader = await openJournalReader(dir, { durable_seq: durableSeq(journal.durable) });
    hold = Promise.withResolvers<void>();
    let acknowledged = 0;
    const appends = Array.from({ length: 100 }, async (_, n) => {
      await journal.append([groupOf(n + 1)]);
      expect(synced_bytes).toBe(written_bytes);
      acknowledged++;
    });
    await new Promise((done) => setTimeout(done, 50));
    expect(written_bytes).toBeGreaterThan(synced_bytes);
    expect(acknowledged).toBe(0);
    expect(await readAll(reader)).toEqual([0]);
    hold.resolve();
    await Promise.all(appends);
    expect(acknowledged).toBe(100);
    expect(await readAll(reader)).toHaveLength(101);
    await reader.close();
    await journal.close();
  });

  it('refuses on a full disk, trims what was written in part, and goes on when there is room', async () => {
    let room = true;
    const files: JournalFiles = {
      ...diskFiles,
      async write(fd, bytes, position) {
        if (room) return diskFiles.write(fd, bytes, position);
        await diskFiles.write(fd, bytes.subarray(0, bytes.length >> 1), position);
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      },
    };
    const journal = await open({ files });
    await journal.append([groupOf(1), groupOf(2)]);
    room = false;
    const refused = await Promise.allSettled([journal.append([groupOf(3)]), journal.append([groupOf(4)])]);
    expect(refused.map((r) => r.status)).toEqual(['rejected', 'rejected']);
    await expect(journal.append([groupOf(5)])).rejects.toThrow(/disk is full/);
    expect(journal.stats().last_seq).toBe(2);
    room = true;
    await journal.append([groupOf(6)]);
    await journal.close();
    expect(await valuesOnDisk()).toEqual([1, 2, 6]);
    const again = await open();
    expect(again.stats().quarantined).toEqual([]);
    await again.close();
  });

  it('writes nothing more into a file whose sync failed', async () => {
    let broken = false;
    const files: JournalFiles = {
      ...diskFiles,
      sync: (fd) =>
        broken ? Promise.reject(Object.assign(new Error('I/O error'), { code: 'EIO' })) : diskFiles.sync(fd),
    };
    const journal = await open({ files });
    await journal.append([groupOf(1)]);
    broken = true;
    await expect(journal.append([groupOf(2)])).rejects.toMatchObject({ name: 'UnavailableError' });
    broken = false;
    await journal.append([groupOf(3)]);
    await journal.close();
    expect(await journalFiles()).toHaveLength(2);
    expect(await valuesOnDisk()).toEqual([1, 3]);
  });

  it('refuses at its bound and takes readings again after a release', async () => {
    const journal = await open({ max_bytes: 400_000, segment_bytes: 4 * MIB });
    let seq = 0;
    const fill = async () => {
      for (;;) seq = await journal.append([groupOf(seq, 200)]);
    };
    await expect(fill()).rejects.toThrow(/bound/);
    expect(journal.stats().bytes).toBeLessThan(420_000);
    const before = journal.stats().segments;
    expect(before).toBeGreaterThan(3);
    await journal.release(seq);
    expect(journal.stats().segments).toBeLessThan(before);
    expect(await journal.append([groupOf(1)])).toBe(seq + 1);
    expect(await journalFiles()).toHaveLength(journal.stats().segments);
    await journal.close();
  });

  it('drops drained segments on a full disk too', async () => {
    let room = true;
    const files: JournalFiles = {
      ...diskFiles,
      create: (path) =>
        room ? diskFiles.create(path) : Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })),
    };
    const journal = await open({ files, max_bytes: 400_000 });
    let seq = 0;
    for (let n = 0; n < 60; n++) seq = await journal.append([groupOf(n, 100)]);
    const before = journal.stats().segments;
    room = false;
    await journal.release(seq);
    expect(journal.stats().segments).toBeLessThan(before);
    room = true;
    await journal.close();
  });

  it('refuses one record that is too large, and nothing else', async () => {
    const journal = await open();
    await expect(journal.append([groupOf(1, 600_000)])).rejects.toMatchObject({ name: 'InvalidDataError' });
    await journal.append([groupOf(2)]);
    await journal.close();
    expect(await valuesOnDisk()).toEqual([2]);
  });

  it('shows the newest records at open, so that memory can be filled again', async () => {
    await segmentsOf([1, 2], [3]);
    const seen: number[] = [];
    const journal = await open({ onReplay: (group) => seen.push(group.readings[0]!.value) });
    expect(seen).toEqual([1, 2, 3]);
    await journal.close();
  });
});
