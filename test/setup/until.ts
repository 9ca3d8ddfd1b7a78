/**
 * Waiting for what a test expects, on machines of any speed: a fixed pause is too short on one and wasted on another.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** Only a test that fails waits this long. */
const LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 5;

/** @throws when `check` is still false after `limit_ms`, with `what` was waited for. */
export async function until(check: () => boolean | Promise<boolean>, what: string, limit_ms = LIMIT_MS): Promise<void> {
  for (const end = performance.now() + limit_ms; !(await check()); await sleep(LOOK_EVERY_MS))
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
}

/** Waits until `count` has stayed the same for `still_ms`. @returns it */
export async function untilStill(count: () => number, still_ms: number, what: string): Promise<number> {
  let last = count();
  let since = performance.now();
  await until(() => {
    if (count() !== last) [last, since] = [count(), performance.now()];
    return performance.now() - since >= still_ms;
  }, what);
  return last;
}
