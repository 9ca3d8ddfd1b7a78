/** What was looked up a moment ago, so that a program's thousand requests are one question to the database. */
const LIMIT = 10_000;

export type Recent<T> = {
  /** Only what was found is remembered: a refused token is looked up again. */
  get(key: string, look: (key: string) => Promise<T | null>): Promise<T | null>;
  clear(): void;
};

export function createRecent<T>(now: () => number, keep_ms: number): Recent<T> {
  let known = new Map<string, { value: T; until_ms: number }>();
  return {
    async get(key, look) {
      const found = known.get(key);
      if (found && now() < found.until_ms && found.until_ms - now() <= keep_ms) return found.value;
      // What is being looked up while everything is forgotten must not be remembered.
      const target = known;
      const value = await look(key);
      if (target.size >= LIMIT) target.clear();
      if (value === null) target.delete(key);
      else target.set(key, { value, until_ms: now() + keep_ms });
      return value;
    },
    clear() {
      known = new Map();
    },
  };
}
