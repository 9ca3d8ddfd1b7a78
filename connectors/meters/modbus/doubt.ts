/**
 * Some gateways give the late answer of one request to the next, under the number of the next. Only its length can tell
 * them apart. So after anything went wrong on a line an answer is believed only if no unanswered request had its length;
 * where the wanted one has, a short request of another length goes first. Pure but for `now`.
 */
export type Doubt = {
  /** A request of `count` registers was not answered as it should: a fault of the line. */
  add(count: number): void;
  /** Answers of `count` registers could be taken for one another, though nothing failed. */
  suspect(count: number): void;
  /** A request of `count` registers was answered with `count` registers. */
  settle(count: number): void;
  /** Registers to ask for first, or null: an answer to `count` can be believed. */
  before(count: number): number | null;
  /**
   * Whether an answer with the bytes of the one before, but from another place, is to be asked for again. A gateway that
   * repeats itself gives such; so do meters at rest and empty blocks, for which nobody should pay each time.
   */
  mayBeRepeated(words: Buffer): boolean;
  /** The bytes came again after they were doubted: for a while, and until the next fault, they are no news. */
  clear(words: Buffer): void;
};

const MOST_REGISTERS = 125;
/** No gateway holds back more answers than this. The lengths must not run out: there would be nothing left to tell by. */
const MOST_SUSPECTS = 32;
const MOST_CLEARED = 64;
/** So long without a fault a line is healthy, and so long cleared bytes are believed. */
const CALM_MS = 60_000;

/** @param now milliseconds of a clock that only runs forward */
export function createDoubt(now: () => number): Doubt {
  /** In the order in which they were asked for last. */
  const suspects = new Set<number>();
  /** When bytes were cleared, oldest first. */
  const cleared = new Map<string, number>();
  let fault_ms = Number.NEGATIVE_INFINITY;

  function suspect(count: number): void {
    suspects.delete(count);
    suspects.add(count);
    for (const oldest of suspects) if (suspects.size > MOST_SUSPECTS) suspects.delete(oldest);
  }

  return {
    suspect,
    add(count) {
      fault_ms = now();
      cleared.clear();
      suspect(count);
    },
    mayBeRepeated(words) {
      const isHealthy = now() - fault_ms >= CALM_MS;
      if (isHealthy && words.every((byte) => byte === 0)) return false;
      return now() - (cleared.get(words.toString('latin1')) ?? Number.NEGATIVE_INFINITY) >= CALM_MS;
    },
    clear(words) {
      const key = words.toString('latin1');
      cleared.delete(key);
      cleared.set(key, now());
      for (const oldest of cleared.keys()) if (cleared.size > MOST_CLEARED) cleared.delete(oldest);
    },
    settle(count) {
      if (!suspects.has(count)) suspects.clear();
    },
    before(count) {
      if (!suspects.has(count)) return null;
      for (let other = 1; other < count; other++) if (!suspects.has(other)) return other;
      for (let other = count + 1; other <= MOST_REGISTERS; other++) if (!suspects.has(other)) return other;
      return null;
    },
  };
}
