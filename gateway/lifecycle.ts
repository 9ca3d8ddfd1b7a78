/** Starts parts in order and closes them in reverse, each with a deadline, so that one that hangs stops nothing else. */
import type { Logger } from 'pino';
import type { Closable } from '../engine/ports.ts';

export type Part = {
  name: string;
  start?: () => Promise<void> | void;
  close?: () => Promise<void> | void;
  /** Milliseconds that closing may take; 2,000 where not given. */
  close_ms?: number;
};

export type Lifecycle = { start(): Promise<void>; close(): Promise<void> };

/** @throws what a part's `start` threw, after the parts before it were closed again. */
export function createLifecycle(parts: readonly Part[], log: Logger): Lifecycle {
  const started: Part[] = [];
  let closing: Promise<void> | null = null;
  const close = async () => {
    for (const part of started.splice(0).reverse()) await closePart(part, log);
  };
  return {
    async start() {
      for (const part of parts) {
        const begun = performance.now();
        started.push(part);
        try {
          await part.start?.();
        } catch (error) {
          await close();
          throw error;
        }
        log.debug({ part: part.name, took_ms: Math.round(performance.now() - begun) }, 'started');
      }
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** Remembers what was opened. */
export type Keep = <Store extends Closable>(store: Store) => Store;

/** Runs `work`; when it fails, what it kept is closed again, the last first. */
export async function keeping<T>(work: (keep: Keep) => Promise<T>): Promise<T> {
  const opened: Closable[] = [];
  try {
    return await work((store) => {
      opened.push(store);
      return store;
    });
  } catch (error) {
    for (const store of opened.reverse()) await store.close().catch(() => {});
    throw error;
  }
}

async function closePart(part: Part, log: Logger): Promise<void> {
  if (!part.close) return;
  const deadline_ms = part.close_ms ?? 2000;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((done) => {
    timer = setTimeout(() => done('late'), deadline_ms);
  });
  try {
    const outcome = await Promise.race([Promise.resolve(part.close()).then(() => 'closed' as const), late]);
    if (outcome === 'late') log.warn({ part: part.name, deadline_ms }, 'did not close in time; going on without it');
  } catch (error) {
    log.error({ part: part.name, err: error }, 'failed while closing');
  } finally {
    clearTimeout(timer);
  }
}
