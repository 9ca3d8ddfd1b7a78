/**
 * Some gateways give the late answer of one request to the next, under the number of the next. Only its length can tell
 * them apart. So after anything went wrong on a line an answer is believed only if no unanswered request had its length;
 * where the wanted one has, a short request of another length goes first. Pure.
 */
export type Doubt = {
  /** A request of `count` registers was not answered as it should. */
  add(count: number): void;
  /** A request of `count` registers was answered with `count` registers. */
  settle(count: number): void;
  /** Registers to ask for first, or null: an answer to `count` can be believed. */
  before(count: number): number | null;
};

const MOST_REGISTERS = 125;
/** No gateway holds back more answers than this. The lengths must not run out: there would be nothing left to tell by. */
const MOST_SUSPECTS = 32;

export function createDoubt(): Doubt {
  /** In the order in which they were asked for last. */
  const suspects = new Set<number>();
  return {
    add(count) {
      suspects.delete(count);
      suspects.add(count);
      for (const oldest of suspects) if (suspects.size > MOST_SUSPECTS) suspects.delete(oldest);
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
