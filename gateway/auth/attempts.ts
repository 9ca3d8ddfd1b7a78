/**
 * Slows wrong sign-ins without locking anybody's account: delays grow per client address and login, so a stranger's
 * tries cost the owner nothing, and a device that signed in before counts by itself, also behind the same address.
 */
import { TooManyTriesError } from '../../engine/errors.ts';

type Rule = { free: number; longest_s: number };
/** Wrong tries before the first delay, and the longest delay. Each further one doubles it from 1 s. */
const PAIR: Rule = { free: 5, longest_s: 60 };
const ADDRESS: Rule = { free: 30, longest_s: 10 };
const DEVICE: Rule = { free: 10, longest_s: 10 };
const FORGET_MS = 15 * 60_000;
const REMEMBERED = 10_000;

type Tries = { wrong: number; last_ms: number };
export type Attempt = { login: string; from: string; known_device: boolean };

export type Attempts = {
  /** @throws TooManyTriesError while a delay lasts; such tries do not count. */
  admit(attempt: Attempt): void;
  /** Called before the password is looked at, so that many tries at once cannot slip through together. */
  failed(attempt: Attempt): void;
  /** Takes back what `failed` counted. */
  succeeded(attempt: Attempt): void;
};

export function createAttempts(now: () => number): Attempts {
  const tries = new Map<string, Tries>();
  return {
    admit(attempt) {
      const wait_ms = Math.max(...bucketsOf(attempt).map(([key, rule]) => waitOf(tries.get(key), rule, now())));
      if (wait_ms > 0) throw new TooManyTriesError('There were too many wrong tries.', Math.ceil(wait_ms / 1000));
    },
    failed(attempt) {
      for (const [key] of bucketsOf(attempt)) {
        const known = tries.get(key);
        const fresh = known && now() - known.last_ms < FORGET_MS ? known.wrong : 0;
        // Set anew, so that the map's order is that of the last try.
        tries.delete(key);
        tries.set(key, { wrong: fresh + 1, last_ms: now() });
      }
      for (const key of tries.keys()) {
        if (tries.size <= REMEMBERED) break;
        tries.delete(key);
      }
    },
    succeeded(attempt) {
      const [[own] = [''], ...shared] = bucketsOf(attempt);
      tries.delete(own);
      for (const [key] of shared) {
        const known = tries.get(key);
        if (known) known.wrong = Math.max(0, known.wrong - 1);
      }
    },
  };
}

function bucketsOf({ login, from, known_device }: Attempt): [string, Rule][] {
  if (known_device) return [[`device ${login}`, DEVICE]];
  return [
    [`pair ${from} ${login}`, PAIR],
    [`address ${from}`, ADDRESS],
  ];
}

function waitOf(known: Tries | undefined, { free, longest_s }: Rule, at_ms: number): number {
  if (!known || known.wrong < free || at_ms - known.last_ms >= FORGET_MS) return 0;
  const delay_ms = Math.min(longest_s, 2 ** Math.min(known.wrong - free, 30)) * 1000;
  return known.last_ms + delay_ms - at_ms;
}
