/** Keeps what takes the stores some time to give, so that a page never waits long for it. */
import { setTimeout as sleep } from 'node:timers/promises';

/** What it is kept for: `version` grows where it is known to be outdated, `tick` changes where it is a little older. */
export type KeptFor = { name: string; version: number; tick: string };
/** Where something of the same version is there already, and else. */
export type Patience = { with_older_ms: number; otherwise_ms: number };

type Kept<T> = { version: number; tick: string; begun_ms: number; value: Promise<T>; settled: boolean };
type Entry<T> = { now: Kept<T>; last: { version: number; value: T } | null };

const MOST = 100;
/** What has not come by then is asked for again. */
const LOST_MS = 60_000;

/**
 * @returns what `make` gives, made anew for another version or tick, though not for a tick alone while it is still being
 * made: then nothing is begun twice however slow the stores are. After its patience it resolves with what there was
 * before, null where there was nothing.
 */
export function createKeptInTime<Args extends readonly unknown[], T>(make: (...args: Args) => Promise<T>) {
  const entries = new Map<string, Entry<T>>();
  const begin = (name: string, version: number, tick: string, args: Args): Kept<T> => {
    const kept: Kept<T> = { version, tick, begun_ms: performance.now(), value: make(...args), settled: false };
    kept.value.then(
      (value) => {
        kept.settled = true;
        const entry = entries.get(name);
        if (entry && (entry.last === null || entry.last.version <= version)) entry.last = { version, value };
      },
      () => {
        kept.settled = true;
      },
    );
    return kept;
  };
  return async (
    { name, version, tick }: KeptFor,
    { with_older_ms, otherwise_ms }: Patience,
    ...args: Args
  ): Promise<T | null> => {
    let entry = entries.get(name);
    if (!entry || isOutdated(entry.now, version, tick)) {
      const last = entry?.last ?? null;
      entries.delete(name);
      entry = { now: begin(name, version, tick, args), last };
      entries.set(name, entry);
      if (entries.size > MOST) entries.delete(entries.keys().next().value!);
    }
    const { now } = entry;
    const patience_ms = entry.last?.version === version ? with_older_ms : otherwise_ms;
    if (now.settled || patience_ms === Number.POSITIVE_INFINITY) return now.value;
    const late = Symbol();
    const stop = new AbortController();
    const value = await Promise.race([
      now.value,
      sleep(patience_ms, late, { signal: stop.signal, ref: false }).catch(() => late),
    ]);
    stop.abort();
    return value === late ? (entry.last?.value ?? null) : (value as T);
  };
}

function isOutdated(now: Kept<unknown>, version: number, tick: string): boolean {
  if (now.version !== version) return true;
  if (now.tick === tick) return false;
  return now.settled || performance.now() - now.begun_ms > LOST_MS;
}
