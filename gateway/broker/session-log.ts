/**
 * LevelDB's log after a write that failed. A disk that is full takes half of a record; LevelDB goes on behind it and, when
 * it is opened again, drops what follows there, though it was confirmed. So after a failure the log is changed for a
 * new one (a compaction does that first) before anything else is written.
 */
import type { ClassicLevel } from 'classic-level';

type Write = (...args: unknown[]) => Promise<unknown>;
const WRITES = ['put', 'del', 'clear'] as const;

/** Makes the writes of `store` mend its log; their errors stay what they were. */
export function mendLog(store: ClassicLevel<string, Buffer>): void {
  let torn = false;
  let mending: Promise<void> | null = null;
  const mend = () => {
    mending ??= store
      .compactRange('', '')
      .then(() => {
        torn = false;
      })
      .finally(() => {
        mending = null;
      });
    return mending;
  };
  const guarded = async (write: () => Promise<unknown>): Promise<unknown> => {
    if (torn) await mend();
    try {
      return await write();
    } catch (error) {
      torn = true;
      throw error;
    }
  };
  for (const name of WRITES) {
    const original = store[name] as Write;
    Object.assign(store, { [name]: (...args: unknown[]) => guarded(() => Reflect.apply(original, store, args)) });
  }
  const batch = store.batch as (...args: unknown[]) => unknown;
  Object.assign(store, {
    batch(...args: unknown[]) {
      if (args.length > 0) return guarded(() => Reflect.apply(batch, store, args) as Promise<unknown>);
      const chained = Reflect.apply(batch, store, args) as { write: Write };
      const write = chained.write.bind(chained);
      return Object.assign(chained, { write: (...options: unknown[]) => guarded(() => write(...options)) });
    },
  });
}
