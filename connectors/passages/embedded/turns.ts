/** Long work on the thread that answers questions is done in pieces of some milliseconds. */

/** Words, or passages that go. */
export const WORDS_PER_TURN = 200;

/** Whoever waits comes first. */
export function turn(): Promise<void> {
  return new Promise((next) => setImmediate(next));
}
