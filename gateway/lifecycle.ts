/**
 * Starts parts in order and closes them in reverse, each with a deadline and all within one, so that parts that hang stop
 * nothing else, however many they are.
 */
import type { Logger } from 'pino';
import type { Closable } from '../engine/ports.ts';

export type Part = {
  name: string;
  start?: () => Promise<void> | void;
  close?: () => Promise<void> | void;
  /** Milliseconds that closing may take; 2,000 where not given. */
  close_ms?: number;
  /** Of these, milliseconds that parts which close before it leave it, though they hang. */
  keep_ms?: number;
};

/** `close` resolves with the names of the parts that it went on without. */
export type Lifecycle = { start(): Promise<void>; close(): Promise<string[]> };

const CLOSE_MS = 2000;
const CLOSE_WITHIN_MS = 4200;
/** What a part gets when time is up: enough to begin, for those that need no time. */
const LEAST_MS = 20;

/**
 * @param close_within_ms bound of the whole closing
 * @throws what a part's `start` threw, after the parts before it were closed again.
 */
export function createLifecycle(parts: readonly Part[], log: Logger, close_within_ms = CLOSE_WITHIN_MS): Lifecycle {
  const started: Part[] = [];
  let closing: Promise<string[]> | null = null;
  const close = async () => {
    const until_ms = performance.now() + close_within_ms;
    const left = started.splice(0);
    const late: string[] = [];
    for (let part = left.pop(); part; part = left.pop()) {
      const kept_ms = left.reduce((sum, { keep_ms = 0 }) => sum + keep_ms, 0);
      const room_ms = Math.max(LEAST_MS, until_ms - performance.now() - kept_ms);
      if (!(await closePart(part, Math.min(part.close_ms ?? CLOSE_MS, room_ms), log))) late.push(part.name);
    }
    return late;
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

/** @returns false when it did not close in time. */
async function closePart(part: Part, deadline_ms: number, log: Logger): Promise<boolean> {
  if (!part.close) return true;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((done) => {
    timer = setTimeout(() => done('late'), deadline_ms);
  });
  try {
    const outcome = await Promise.race([Promise.resolve(part.close()).then(() => 'closed' as const), late]);
    if (outcome === 'closed') return true;
    log.warn({ part: part.name, deadline_ms: Math.round(deadline_ms) }, 'did not close in time; going on without it');
    return false;
  } catch (error) {
    log.error({ part: part.name, err: error }, 'failed while closing');
    return true;
  } finally {
    clearTimeout(timer);
  }
}
