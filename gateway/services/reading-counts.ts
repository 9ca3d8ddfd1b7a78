/**
 * Keeps the books of readings: what came in, counted here, and what became of it, counted by the series store in step
 * with its cursor. `received = stored + duplicate + rejected + dead + waiting` by source, since the box was set up.
 */
import { join } from 'node:path';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { openHeadReader, type RecordHead } from '../../connectors/journal/reader.ts';
import type { AppliedCounts } from '../../connectors/series/counts.ts';
import { ERASURE } from '../../engine/model/erasure.ts';
import type { Base } from '../services.ts';
import { type CountFile, openCountFile } from './count-file.ts';

export type SourceBook = {
  /** Answered: acknowledged, or rejected with a reason. What was refused for want of room is not among them. */
  received: number;
  stored: number;
  duplicate: number;
  rejected: number;
  /** Put aside because the series store refuses them. */
  dead: number;
  /** In the journal and not in the store yet. */
  waiting: number;
};
export type ReadingBook = {
  total: SourceBook;
  sources: Readonly<Record<string, SourceBook>>;
  /** Acknowledged readings that nothing above accounts for: 0, unless a disk or a person took something away. */
  missing: number;
  /** False until the store told once what it has, in a home from before the counting, and while a long journal is
   * counted that the last life had not written down. */
  complete: boolean;
};

export type ReadingCounts = {
  /** `seq` is the journal's number of the last of them. Called in the order of the journal. */
  accepted(source: string, readings: number, seq: number): void;
  rejected(source: string, readings: number): void;
  /** What the store says of everything up to its cursor. */
  applied(counts: AppliedCounts): void;
  book(): ReadingBook;
  /** On disk when it resolves, with all that the journal held at the opening. Afterwards the journal may release what was
   * counted. */
  save(): Promise<void>;
  close(): Promise<void>;
};

type Came = { accepted: number; rejected: number };
type Saved = { seq: number; complete: boolean; came: Record<string, Came>; applied: AppliedCounts };

/** A few milliseconds of counting at a time. */
const READ_BYTES = 256 * 1024;
const SAVE_EVERY_MS = 1000;
/** A journal that takes longer to count is counted behind the start. */
const OPEN_WITHIN_MS = 300;

export type ReadingCountsDeps = Pick<Base, 'log'> & {
  file: CountFile;
  journal_dir: string;
  journal: { stats(): { last_seq: number } };
  /** Journal records that are not in the store yet. */
  lag(): number;
  /** Longest wait for the counting at the opening; 300 where left out. */
  open_within_ms?: number;
};

/** Opens the books of the box. */
export async function openBooks({
  config,
  log,
  journal,
  series,
}: Pick<Base, 'config' | 'log' | 'journal'> & { series: { drain: { lag(): number } } }): Promise<ReadingCounts> {
  const file = await openCountFile(join(config.home, 'counts'));
  return openReadingCounts({ file, log, journal, journal_dir: join(config.home, 'journal'), lag: series.drain.lag });
}

/** Takes up the books where they were left, with what the journal took since. */
export async function openReadingCounts(deps: ReadingCountsDeps): Promise<ReadingCounts> {
  const { file, journal, lag, log } = deps;
  const saved = (await file.read()) as Saved | null;
  const { last_seq } = journal.stats();
  const came = new Map<string, Came>(Object.entries(saved?.came ?? {}));
  let { seq = last_seq, complete = last_seq === 0, applied = {} as AppliedCounts } = saved ?? {};
  let changed = saved === null;
  let saving: Promise<void> = Promise.resolve();
  let closing = false;
  /** What came since the opening, until all from before it is counted; null afterwards. */
  let fresh: { came: Map<string, Came>; seq: number } | null = { came: new Map(), seq: last_seq };
  if (saved && seq > last_seq) log.warn({ seq, last_seq }, 'the journal is shorter than the counts of readings');

  async function catchUp(): Promise<void> {
    if (saved && seq < last_seq)
      await eachHead(deps.journal_dir, seq, last_seq, (head) => {
        of(came, head.source).accepted += head.readings;
        seq = head.seq;
        changed = true;
        return !closing;
      });
    if (closing || !fresh) return;
    for (const [source, { accepted, rejected }] of fresh.came) {
      const book = of(came, source);
      book.accepted += accepted;
      book.rejected += rejected;
    }
    seq = Math.max(seq, fresh.seq);
    fresh = null;
  }
  const caughtUp = catchUp();
  caughtUp.catch((error: unknown) => log.error({ err: error }, 'the journal could not be counted'));

  const save = () => {
    saving = saving
      .catch(() => {})
      .then(async () => {
        if (!changed) return;
        changed = false;
        await file.save({ seq, complete, came: Object.fromEntries(came), applied } satisfies Saved).catch((error) => {
          changed = true;
          throw error;
        });
      });
    return saving;
  };
  const timer = setInterval(
    () => void save().catch((error: unknown) => log.warn({ err: error }, 'the counts of readings were not saved')),
    SAVE_EVERY_MS,
  );
  timer.unref();
  await Promise.race([caughtUp, sleep(deps.open_within_ms ?? OPEN_WITHIN_MS, undefined, { ref: false })]);

  return {
    accepted(source, readings, at_seq) {
      const now = fresh ?? { came, seq };
      of(now.came, source).accepted += readings;
      now.seq = Math.max(now.seq, at_seq);
      if (!fresh) seq = now.seq;
      changed = true;
    },
    rejected(source, readings) {
      of(fresh?.came ?? came, source).rejected += readings;
      changed = true;
    },
    applied(now) {
      applied = now;
      changed = true;
      if (complete || lag() > 0 || fresh) return;
      // Everything the journal has is in the store: from here on both sides count the same.
      for (const [source, { stored, duplicate, dead }] of Object.entries(applied))
        of(came, source).accepted = stored + duplicate + dead;
      complete = true;
    },
    book: () => bookOf(fresh ? joined(came, fresh.came) : came, applied, lag(), complete && fresh === null),
    async save() {
      await caughtUp;
      await save();
    },
    async close() {
      closing = true;
      clearInterval(timer);
      await caughtUp.catch(() => {});
      await save().catch((error: unknown) => log.warn({ err: error }, 'the counts of readings were not saved'));
      await file.close();
    },
  };
}

function of(came: Map<string, Came>, source: string): Came {
  const known = came.get(source) ?? { accepted: 0, rejected: 0 };
  came.set(source, known);
  return known;
}

function joined(a: ReadonlyMap<string, Came>, b: ReadonlyMap<string, Came>): Map<string, Came> {
  const sum = new Map<string, Came>();
  for (const came of [a, b])
    for (const [source, { accepted, rejected }] of came) {
      const book = of(sum, source);
      book.accepted += accepted;
      book.rejected += rejected;
    }
  return sum;
}

/** Whose the records after `after_seq` are, until `visit` says that it is enough. */
async function eachHead(
  dir: string,
  after_seq: number,
  last_seq: number,
  visit: (head: RecordHead) => boolean,
): Promise<void> {
  const reader = await openHeadReader(dir, { durable_seq: () => last_seq });
  try {
    for (let seq = after_seq; ; ) {
      const heads = await reader.read(seq, READ_BYTES);
      if (heads.length === 0 || !heads.every(visit)) return;
      seq = heads.at(-1)!.seq;
      await turn();
    }
  } finally {
    await reader.close();
  }
}

function bookOf(came: ReadonlyMap<string, Came>, applied: AppliedCounts, lag: number, complete: boolean): ReadingBook {
  const sources: Record<string, SourceBook> = {};
  const total: SourceBook = { received: 0, stored: 0, duplicate: 0, rejected: 0, dead: 0, waiting: 0 };
  let missing = 0;
  for (const source of new Set([...came.keys(), ...Object.keys(applied)])) {
    if (source === ERASURE) continue;
    const { accepted, rejected } = came.get(source) ?? { accepted: 0, rejected: 0 };
    const { stored, duplicate, dead } = applied[source] ?? { stored: 0, duplicate: 0, dead: 0 };
    const open = accepted - stored - duplicate - dead;
    // While records wait, what is open is on its way; afterwards it should be nothing.
    const waiting = lag > 0 ? Math.max(0, open) : 0;
    missing += open - waiting;
    sources[source] = { received: accepted + rejected, stored, duplicate, rejected, dead, waiting };
    for (const key of Object.keys(total) as (keyof SourceBook)[]) total[key] += sources[source][key];
  }
  return { total, sources, missing: complete ? missing : 0, complete };
}
