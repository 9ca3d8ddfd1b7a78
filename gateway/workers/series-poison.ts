/**
 * Finds the one group that the series store refuses among many that it would take, so that it cannot block those behind
 * it for ever. A store that is away, full or refuses everything is no reason to put a single reading aside.
 */
import type { JournalledGroup } from '../../engine/model/reading.ts';

/** `wait`: the store is at fault. `smaller`: offer less at once. `again`: once more, to a store opened anew.
 * `bury`: put the group aside. */
export type Verdict = 'wait' | 'smaller' | 'again' | 'bury';
export type PoisonSearch = {
  /** What to offer of a batch now. */
  take(groups: readonly JournalledGroup[]): readonly JournalledGroup[];
  applied(): void;
  /** `groups` were refused. @param answers whether the store answers otherwise */
  refused(groups: readonly JournalledGroup[], error: unknown, answers: boolean): Verdict;
  buried(): void;
};

/** How often a single group is offered before it is put aside. */
const TRIES = 3;
/** After so many in a row without one that was taken, it is the store that is ill. */
const IN_A_ROW = 20;
const UNBOUNDED = 2 ** 20;
/** What says that the store has no room, no memory or no connection, and nothing about the readings. */
const OUTAGE =
  /no space|disk.{0,20}full|enospc|edquot|quota|out of memory|memory_limit|could not (allocate|write|fsync|open)|failed to allocate|time.?out|timed out|econn|epipe|enotfound|socket|connection|does not answer:|read.?only|eio\b|i\/o error|io error|suspended|is closed/i;

export function createPoisonSearch(): PoisonSearch {
  let limit = UNBOUNDED;
  let tries = 0;
  let in_a_row = 0;
  return {
    take: (groups) => (groups.length > limit ? groups.slice(0, limit) : groups),
    applied() {
      tries = 0;
      in_a_row = 0;
      limit = Math.min(UNBOUNDED, limit * 2);
    },
    refused(groups, error, answers) {
      if (!answers || OUTAGE.test(wordsOf(error)) || in_a_row >= IN_A_ROW) return 'wait';
      if (groups.length > 1) {
        limit = Math.floor(groups.length / 2);
        tries = 0;
        return 'smaller';
      }
      tries++;
      return tries < TRIES ? 'again' : 'bury';
    },
    buried() {
      tries = 0;
      in_a_row++;
    },
  };
}

function wordsOf(error: unknown): string {
  const { message, cause } = error as Error;
  const { code = '' } = error as NodeJS.ErrnoException;
  return `${message} ${code} ${cause ? wordsOf(cause) : ''}`;
}
