/**
 * What was looked up a moment ago, so that a program's thousand requests are one question to the database, and so that
 * whoever is signed in stays so while the database is away: nobody can be refused there meanwhile either.
 */
import { UnavailableError } from '../../engine/errors.ts';

const LIMIT = 10_000;
/** So long somebody whom the database cannot be asked about is believed to be who they were. */
const BELIEVED_MS = 600_000;
/** A database that is frozen gives no answer at all; who is known does not wait for it. */
const LATE_MS = 1500;

export type Recent<T> = {
  /** Only what was found is remembered: a refused token is looked up again. */
  get(key: string, look: (key: string) => Promise<T | null>): Promise<T | null>;
  clear(): void;
};

type Known<T> = { value: T; until_ms: number; confirmed_ms: number };

export function createRecent<T>(now: () => number, keep_ms: number): Recent<T> {
  let known = new Map<string, Known<T>>();
  return {
    async get(key, look) {
      const found = known.get(key);
      if (found && now() < found.until_ms && found.until_ms - now() <= keep_ms) return found.value;
      // What is being looked up while everything is forgotten must not be remembered.
      const target = known;
      const looked = look(key).then((value) => {
        if (target.size >= LIMIT) target.clear();
        if (value === null) target.delete(key);
        else target.set(key, { value, until_ms: now() + keep_ms, confirmed_ms: now() });
        return value;
      });
      const believed = found && Math.abs(now() - found.confirmed_ms) < BELIEVED_MS ? found : null;
      if (!believed) return looked;
      try {
        return await inTime(looked);
      } catch (error) {
        // Whoever was changed or refused before was forgotten by `clear`.
        if (target !== known || !(error instanceof UnavailableError)) throw error;
        believed.until_ms = now() + keep_ms;
        return believed.value;
      }
    },
    clear() {
      known = new Map();
    },
  };
}

/** What comes later is kept all the same. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new UnavailableError('The database gives no answer.', 'Try again.')), LATE_MS);
  });
  try {
    work.catch(() => undefined);
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
