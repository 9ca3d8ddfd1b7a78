/**
 * What was looked up a moment ago, so that a program's thousand requests are one question to the database, and so that
 * whoever is signed in stays so while the database is away: nobody can be refused there meanwhile either.
 */
import { UnavailableError } from '../../engine/errors.ts';

const LIMIT = 10_000;
/** So long somebody whom the database cannot be asked about is believed to be who they were. */
const BELIEVED_MS = 600_000;

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
      try {
        const value = await look(key);
        if (target.size >= LIMIT) target.clear();
        if (value === null) target.delete(key);
        else target.set(key, { value, until_ms: now() + keep_ms, confirmed_ms: now() });
        return value;
      } catch (error) {
        // Whoever was changed or refused before was forgotten by `clear`.
        const believed = found && target === known && Math.abs(now() - found.confirmed_ms) < BELIEVED_MS;
        if (!believed || !(error instanceof UnavailableError)) throw error;
        found.until_ms = now() + keep_ms;
        return found.value;
      }
    },
    clear() {
      known = new Map();
    },
  };
}
