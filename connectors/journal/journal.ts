/**
 * The write-ahead log of readings: segment files in one folder, group commit. All appends that wait go into one write
 * and one fdatasync; while that runs the next group gathers. Format: record.ts; files: writer.ts; open: recover.ts.
 */
import { UnavailableError } from '../../engine/errors.ts';
import type { Journal } from '../../engine/ports.ts';
import { diskFiles, type JournalFiles, makeFolder } from './files.ts';
import { createRecordBuffer, type RecordBuffer } from './record.ts';
import { type Recovered, recoverJournal, setAside, type Visit, writeReleased } from './recover.ts';
import { createSegmentWriter, type SegmentWriter } from './writer.ts';

export type JournalOptions = {
  dir: string;
  /** Bound of all segments together; at it appends are refused, so that senders keep their readings. */
  max_bytes: number;
  segment_bytes: number;
  /** Sees the newest intact records at open (about `replay_bytes` of them), oldest first. */
  onReplay?: Visit;
  /** 16 MiB where not given. */
  replay_bytes?: number;
  /** Newest bytes that are checked before this opens; older segments are in `unchecked`. 16 MiB where not given. */
  check_bytes?: number;
  /** After each group commit, before its appends resolve. */
  onCommit?: (commit: Commit) => void;
  /** See `hold`; null where left out. */
  held_seq?: number | null;
  files?: JournalFiles;
};
export type Commit = { seq: number; appends: number; bytes: number; seconds: number };

/** `durable` holds the last fsynced sequence number as one BigInt64, for `durableSeq` of the reader in its thread. */
export type FileJournal = Journal & {
  readonly durable: SharedArrayBuffer;
  /** No number above it was ever given out before this opening; records up to it may be lost to damage. */
  readonly given_seq: number;
  /** Names of segments that were taken at their name and length, oldest first: for `verifySegments`. */
  readonly unchecked: readonly string[];
};

const OPENING_BYTES = 16 * 1024 * 1024;

/** Opens the journal in `dir`, mending what a kill or a failing disk left. One process per folder.
 * The drain calls `release` with the store's cursor before anything is appended: a store that knows more than the
 * journal (its folder was lost) would otherwise take new records for applied ones. */
export async function openJournal(options: JournalOptions): Promise<FileJournal> {
  const files = options.files ?? diskFiles;
  await makeFolder(files, options.dir);
  const { replay_bytes = OPENING_BYTES, check_bytes = OPENING_BYTES } = options;
  const recovered = await recoverJournal(options.dir, files, { replay_bytes, check_bytes }, options.onReplay);
  const writer = createSegmentWriter(options.dir, files, recovered, options);
  return createJournal(options, files, recovered, writer);
}

type Waiting = { seq: number; resolve: (seq: number) => void; reject: (error: Error) => void };
/** What gathers for one commit. */
type Batch = { records: RecordBuffer; waiting: Waiting[]; first_seq: number };

const emptyBatch = (): Batch => ({ records: createRecordBuffer(), waiting: [], first_seq: 0 });

function createJournal(
  options: JournalOptions,
  files: JournalFiles,
  recovered: Recovered,
  writer: SegmentWriter,
): FileJournal {
  const durable = new SharedArrayBuffer(8);
  const durableCell = new BigInt64Array(durable);
  let { next_seq, released_seq } = recovered;
  let last_seq = recovered.segments.at(-1)?.last_seq ?? released_seq;
  let gathering = emptyBatch();
  let writing = emptyBatch();
  let committing: Promise<void> | null = null;
  let releasing: Promise<void> = Promise.resolve();
  let held_seq = options.held_seq ?? null;
  const aside = createAside(options.dir, files, recovered.quarantined);
  let closing = false;
  Atomics.store(durableCell, 0, BigInt(last_seq));

  async function commitAll(): Promise<void> {
    // One turn of the event loop, so that everything its sockets brought goes into the same commit.
    await new Promise(setImmediate);
    while (gathering.waiting.length > 0) {
      [gathering, writing] = [writing, gathering];
      const error = await commit(writing).catch(refusal);
      settle(writing, error ?? null);
    }
    committing = null;
  }
  async function commit({ records, waiting, first_seq }: Batch): Promise<undefined> {
    const begun = performance.now();
    const seq = waiting.at(-1)!.seq;
    await writer.write(records.bytes(), first_seq, seq);
    last_seq = seq;
    Atomics.store(durableCell, 0, BigInt(seq));
    const seconds = (performance.now() - begun) / 1000;
    options.onCommit?.({ seq, appends: waiting.length, bytes: records.length(), seconds });
  }

  function drop(): Promise<void> {
    releasing = releasing.catch(() => {}).then(() => writer.drop(released_seq, next_seq, held_seq));
    return releasing;
  }

  return {
    durable,
    given_seq: recovered.next_seq - 1,
    unchecked: recovered.unchecked.map(({ name }) => name),
    append(groups) {
      if (closing) return Promise.reject(new UnavailableError('The journal is closed.', 'The box is stopping.'));
      if (groups.length === 0) return Promise.resolve(last_seq);
      const bytes = writer.bytes() + gathering.records.length() + writing.records.length();
      if (bytes >= options.max_bytes) return Promise.reject(fullError(options.max_bytes));
      try {
        gathering.first_seq ||= next_seq;
        for (const group of groups) {
          gathering.records.add(next_seq, group);
          next_seq++;
        }
      } catch (error) {
        return Promise.reject(error);
      }
      const { waiting } = gathering;
      const seq = next_seq - 1;
      const promise = new Promise<number>((resolve, reject) => waiting.push({ seq, resolve, reject }));
      committing ??= commitAll();
      return promise;
    },
    release(seq) {
      if (seq <= released_seq) return Promise.resolve();
      released_seq = seq;
      if (seq >= next_seq) next_seq = seq + 1;
      return drop();
    },
    hold(seq) {
      held_seq = seq;
      void drop().catch(() => {});
    },
    setAside(segment) {
      releasing = releasing.catch(() => {}).then(() => aside.add(segment));
      return releasing;
    },
    stats: () => ({
      last_seq,
      released_seq,
      bytes: writer.bytes(),
      segments: writer.segments(),
      quarantined: aside.names(),
    }),
    async close() {
      closing = true;
      await committing;
      await releasing.catch(() => {});
      await writer.retire();
      // A full disk is no reason to fail here: the names of the segments keep the numbers too.
      await writeReleased(options.dir, files, { released_seq, next_seq, closed: writer.closed() }).catch(() => {});
    },
  };
}

/** Segments that are set aside, each once. */
function createAside(dir: string, files: JournalFiles, found: readonly string[]) {
  let names = found;
  const seen = new Set<string>();
  return {
    names: () => names,
    async add(segment: string): Promise<void> {
      if (seen.has(segment)) return;
      names = await setAside(dir, files, segment, names);
      seen.add(segment);
    },
  };
}

function settle(batch: Batch, error: Error | null): void {
  const { waiting } = batch;
  batch.waiting = [];
  batch.first_seq = 0;
  batch.records.clear();
  for (const { seq, resolve, reject } of waiting) {
    if (error) reject(error);
    else resolve(seq);
  }
}

function refusal(cause: unknown): UnavailableError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new UnavailableError('The disk is full; readings are refused until there is room.', 'Free disk space.', {
      cause,
    });
  return new UnavailableError(
    `The journal cannot write (${message}); readings are refused until it can.`,
    'Look at the disk.',
    { cause },
  );
}

function fullError(max_bytes: number): UnavailableError {
  const bound = `${Math.round(max_bytes / 1024 ** 2)} MiB`;
  return new UnavailableError(
    `The journal has reached its bound of ${bound}, because the series store does not take readings off it.`,
    'Bring the series store back, or raise journal_max_bytes.',
  );
}
