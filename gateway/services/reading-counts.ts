/**
 * Keeps the books of readings: what came in, counted here, and what became of it, counted by the series store in step
 * with its cursor. `received = stored + duplicate + rejected + dead + waiting` by source, since the box was set up.
 */
import { join } from 'node:path';
import { openJournalReader } from '../../connectors/journal/reader.ts';
import type { AppliedCounts } from '../../connectors/series/counts.ts';
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
  /** False until the store told once what it has, in a home from before the counting. */
  complete: boolean;
};

export type ReadingCounts = {
  /** `seq` is the journal's number of the last of them. Called in the order of the journal. */
  accepted(source: string, readings: number, seq: number): void;
  rejected(source: string, readings: number): void;
  /** What the store says of everything up to its cursor. */
  applied(counts: AppliedCounts): void;
  book(): ReadingBook;
  /** On disk when it resolves. Afterwards the journal may release what was counted. */
  save(): Promise<void>;
  close(): Promise<void>;
};

type Came = { accepted: number; rejected: number };
type Saved = { seq: number; complete: boolean; came: Record<string, Came>; applied: AppliedCounts };

const READ_BYTES = 4 * 1024 * 1024;
const SAVE_EVERY_MS = 1000;

export type ReadingCountsDeps = Pick<Base, 'log'> & {
  file: CountFile;
  journal_dir: string;
  journal: { stats(): { last_seq: number } };
  /** Journal records that are not in the store yet. */
  lag(): number;
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
  const { file, journal_dir, journal, lag, log } = deps;
  const saved = (await file.read()) as Saved | null;
  const { last_seq } = journal.stats();
  const came = new Map<string, Came>(Object.entries(saved?.came ?? {}));
  let { seq = last_seq, complete = last_seq === 0, applied = {} as AppliedCounts } = saved ?? {};
  let changed = saved === null;
  let saving: Promise<void> = Promise.resolve();

  const of = (source: string) => {
    const known = came.get(source) ?? { accepted: 0, rejected: 0 };
    came.set(source, known);
    return known;
  };
  if (saved && seq < last_seq)
    await eachGroup(journal_dir, seq, last_seq, (source, readings) => {
      of(source).accepted += readings;
      changed = true;
    });
  seq = Math.max(seq, last_seq);
  if (saved && seq > last_seq) log.warn({ seq, last_seq }, 'the journal is shorter than the counts of readings');

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

  const counts: ReadingCounts = {
    accepted(source, readings, at_seq) {
      of(source).accepted += readings;
      seq = Math.max(seq, at_seq);
      changed = true;
    },
    rejected(source, readings) {
      of(source).rejected += readings;
      changed = true;
    },
    applied(now) {
      applied = now;
      changed = true;
      if (complete || lag() > 0) return;
      // Everything the journal has is in the store: from here on both sides count the same.
      for (const [source, { stored, duplicate, dead }] of Object.entries(applied))
        of(source).accepted = stored + duplicate + dead;
      complete = true;
    },
    book: () => bookOf(came, applied, lag(), complete),
    save,
    async close() {
      clearInterval(timer);
      await save().catch((error: unknown) => log.warn({ err: error }, 'the counts of readings were not saved'));
      await file.close();
    },
  };
  return counts;
}

async function eachGroup(
  dir: string,
  after_seq: number,
  last_seq: number,
  visit: (source: string, readings: number) => void,
): Promise<void> {
  const reader = await openJournalReader(dir, { durable_seq: () => last_seq });
  try {
    for (let seq = after_seq; ; ) {
      const groups = await reader.read(seq, READ_BYTES);
      if (groups.length === 0) return;
      for (const { source, readings } of groups) visit(source, readings.length);
      seq = groups.at(-1)!.seq;
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
