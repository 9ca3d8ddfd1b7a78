/**
 * Waiting for what a test expects, on machines of any speed: a fixed pause is too short on one and wasted on another.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** Only a test that fails waits this long. */
const LIMIT_MS = 30_000;
/** Who looks all the time keeps the box from what is waited for. */
const LOOK_EVERY_MS = { first: 5, last: 100, growth: 1.2 };

/** @throws when `check` is still false after `limit_ms`, with `what` was waited for. */
export async function until(check: () => boolean | Promise<boolean>, what: string, limit_ms = LIMIT_MS): Promise<void> {
  const end = performance.now() + limit_ms;
  for (let pause_ms = LOOK_EVERY_MS.first; !(await check()); pause_ms *= LOOK_EVERY_MS.growth) {
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await sleep(Math.min(pause_ms, LOOK_EVERY_MS.last));
  }
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
