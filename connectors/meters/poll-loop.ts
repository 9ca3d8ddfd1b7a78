/** The rhythm of a polled device: on the grid of its period, never two rounds at once, slower while it is dead. */
import type { Clock } from '../../engine/ports.ts';

export type PollLoop = { stop(): Promise<void> };

export type PollOptions = {
  period_ms: number;
  /** One round. A rejection counts as a failure and slows the rhythm; telling people is the round's own business. */
  poll: (signal: AbortSignal) => Promise<void>;
  clock: Clock;
  /** Longest pause while it is dead; five minutes where left out. */
  longest_ms?: number;
  /** Replaced in tests. Resolves early when `signal` aborts. */
  wait?: (ms: number, signal: AbortSignal) => Promise<void>;
};

const LONGEST_BACKOFF_MS = 5 * 60_000;

/**
 * Milliseconds until the next round: the next multiple of the period, so that the rhythm does not drift and readings
 * of different devices lie together; after `failures` in a row at least period × 2^failures (`longest_ms` at most, or
 * the period if that is longer), so that a dead device does not hold up the others.
 */
export function pollDelay(
  now_ms: number,
  period_ms: number,
  failures: number,
  longest_ms = LONGEST_BACKOFF_MS,
): number {
  const pause = failures === 0 ? 0 : Math.min(period_ms * 2 ** Math.min(failures, 10), Math.max(longest_ms, period_ms));
  const due = Math.ceil((now_ms + Math.max(pause - period_ms, 0) + 1) / period_ms) * period_ms;
  return due - now_ms;
}

/** Starts with a round at once. */
export function startPollLoop({ period_ms, poll, clock, longest_ms, wait = sleep }: PollOptions): PollLoop {
  const ending = new AbortController();
  const run = async () => {
    for (let failures = 0; !ending.signal.aborted; ) {
      try {
        await poll(ending.signal);
        failures = 0;
      } catch {
        failures += 1;
      }
      if (!ending.signal.aborted) await wait(pollDelay(clock.now(), period_ms, failures, longest_ms), ending.signal);
    }
  };
  const ended = run();
  return {
    stop() {
      ending.abort();
      return ended;
    },
  };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
