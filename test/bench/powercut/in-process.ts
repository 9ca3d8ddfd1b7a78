/**
 * Power cuts of the journal alone, in process and without a C compiler: its disk operations are recorded as they pass,
 * the disk that a cut leaves is made from them, and the journal is opened on it. A store stands beside it that has
 * durably what it drained, so that segments are released and removed meanwhile.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { diskFiles, type JournalFiles } from '../../../connectors/journal/files.ts';
import { type FileJournal, openJournal } from '../../../connectors/journal/journal.ts';
import { durableSeq, openJournalReader } from '../../../connectors/journal/reader.ts';
import type { Random } from '../../../engine/random.ts';
import { cutPower, type DiskImage, type DiskOperation } from './disk-model.ts';

/**
 * Disk operations of files below `root`, noted in order.
 * @param sync_ms what a sync takes, so that whoever does not wait for it is seen
 */
export function recordingFiles(root: string, operations: DiskOperation[], sync_ms = 0): JournalFiles {
  const nameOf = (path: string) => relative(root, path) || '.';
  const files = new Map<number, number>();
  let made = 0;
  let syncs = 0;
  const synced = async (begin: DiskOperation, end: DiskOperation) => {
    operations.push(begin);
    if (sync_ms > 0) await new Promise((done) => setTimeout(done, sync_ms));
    operations.push(end);
  };
  return {
    async create(path) {
      const fd = await diskFiles.create(path);
      files.set(fd, ++made);
      operations.push({ op: 'create', file: made, path: nameOf(path) });
      return fd;
    },
    async write(fd, bytes, position) {
      operations.push({ op: 'write', file: files.get(fd)!, offset: position, bytes: Buffer.from(bytes) });
      await diskFiles.write(fd, bytes, position);
    },
    sync(fd) {
      const [file, sync] = [files.get(fd)!, ++syncs];
      return synced({ op: 'begin sync', file, sync }, { op: 'end sync', file, sync });
    },
    async truncate(fd, length) {
      operations.push({ op: 'truncate', file: files.get(fd)!, length });
      await diskFiles.truncate(fd, length);
    },
    close: diskFiles.close,
    syncFolder(dir) {
      const [path, sync] = [nameOf(dir), ++syncs];
      return synced({ op: 'begin sync folder', path, sync }, { op: 'end sync folder', path, sync });
    },
    async remove(path) {
      await diskFiles.remove(path);
      operations.push({ op: 'remove', path: nameOf(path) });
    },
    async rename(from, to) {
      await diskFiles.rename(from, to);
      operations.push({ op: 'rename', from: nameOf(from), to: nameOf(to) });
    },
    async link(from, to) {
      await diskFiles.link(from, to);
      operations.push({ op: 'link', from: nameOf(from), to: nameOf(to) });
    },
    async cut(path, length) {
      const [file, sync] = [++made, ++syncs];
      operations.push({ op: 'open', file, path: nameOf(path) }, { op: 'truncate', file, length });
      operations.push({ op: 'begin sync', file, sync });
      await diskFiles.cut(path, length);
      operations.push({ op: 'end sync', file, sync });
    },
  };
}

export type Outcome = { cuts: number; acknowledged: number; lost: number; duplicated: number; quarantined: number };
/** What the store beside the journal has: numbers of readings and up to which record. */
type Store = { numbers: Set<number>; cursor: number };

const SENDERS = 4;

/** @param root an empty folder, which the lives use */
export async function cutJournalPower(root: string, cuts: number, random: Random): Promise<Outcome> {
  const outcome: Outcome = { cuts, acknowledged: 0, lost: 0, duplicated: 0, quarantined: 0 };
  const owed = new Set<number>();
  const dir = join(root, 'journal');
  let image: DiskImage = new Map();
  let store: Store = { numbers: new Set(), cursor: 0 };
  let next = 1;
  for (let cut = 0; cut <= cuts; cut++) {
    await rm(root, { recursive: true, force: true });
    await writeImage(root, image);
    // The folder is made outside the recorded operations.
    const operations: DiskOperation[] = image.has('journal') ? [] : [{ op: 'make folder', path: 'journal' }];
    const states: { at: number; store: Store }[] = [{ at: -1, store: copyOf(store) }];
    const journal = await openJournal({
      ...{ dir, max_bytes: 2 ** 24, segment_bytes: 8 * 1024 },
      files: recordingFiles(root, operations),
    });
    outcome.quarantined += journal.stats().quarantined.length;
    outcome.duplicated += await drain(journal, dir, store);
    for (const n of owed) if (!store.numbers.has(n)) outcome.lost += owed.delete(n) ? 1 : 0;
    if (cut === cuts) {
      await journal.close();
      break;
    }
    const enough = 20 + random() * 300;
    const send = async () => {
      while (operations.length < enough) {
        const numbers = Array.from({ length: 1 + Math.floor(random() ** 3 * 40) }, () => next++);
        await journal.append([groupOf(numbers)]);
        for (const number of numbers) operations.push({ op: 'acknowledge', number });
      }
    };
    const draining = async () => {
      while (operations.length < enough) {
        await new Promise((done) => setTimeout(done, 2));
        outcome.duplicated += await drain(journal, dir, store);
        states.push({ at: operations.length, store: copyOf(store) });
        await journal.release(store.cursor);
      }
    };
    await Promise.all([...Array.from({ length: SENDERS }, send), draining()]);
    const until = Math.floor(operations.length * (1 - random() ** 2));
    await journal.close();
    const happened = operations.slice(0, until);
    for (const one of happened)
      if (one.op === 'acknowledge') {
        owed.add(one.number);
        outcome.acknowledged++;
      }
    store = states.findLast(({ at }) => at <= until)!.store;
    image = cutPower(image, happened, random);
  }
  return outcome;
}

const copyOf = ({ numbers, cursor }: Store): Store => ({ numbers: new Set(numbers), cursor });

/** Takes what the journal has into the store. @returns how many readings it gave that the store had */
async function drain(journal: FileJournal, dir: string, store: Store): Promise<number> {
  const reader = await openJournalReader(dir, { durable_seq: durableSeq(journal.durable) });
  let twice = 0;
  for (;;) {
    const groups = await reader.read(store.cursor, 64 * 1024);
    for (const { seq, readings } of groups) {
      for (const { value } of readings) {
        if (store.numbers.has(value)) twice++;
        store.numbers.add(value);
      }
      store.cursor = seq;
    }
    if (groups.length === 0) break;
  }
  await reader.close();
  return twice;
}

function groupOf(numbers: readonly number[]) {
  const readings = numbers.map((n) => ({
    meter: `meter ${n % 3}`,
    quantity: 'power_W',
    at_ms: n,
    value: n,
    quality: 0,
  }));
  return { tenant: 'default', source: 'mqtt', device: 'hall', received_ms: 1.8e12, readings };
}

/** Lays an image out as files below `dir`. */
export async function writeImage(dir: string, image: DiskImage): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const [path, bytes] of image) {
    if (bytes === null) {
      await mkdir(join(dir, path), { recursive: true });
      continue;
    }
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), bytes);
  }
}
