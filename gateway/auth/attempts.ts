/**
 * Bounds guesses at passwords and codes: at most 10 wrong ones in any 15 minutes for one account, and for one address
 * over all accounts. Nobody's account is locked: who signs in with a browser in which they signed in before has 10 of
 * their own, which strangers cannot use up. Kept in memory.
 */
import { isIP } from 'node:net';
import { TooManyTriesError } from '../../engine/errors.ts';

export const GUESSES = 10;
export const WINDOW_MS = 15 * 60_000;
/** Accounts and addresses that are remembered at once. Beyond that strangers wait, so that floods drop no count. */
const REMEMBERED = 50_000;
const FULL_S = 60;

export type Attempt = { login: string; from: string; known_device: boolean };

export type Attempts = {
  /**
   * Counts the try before the password is looked at, so that many at once cannot slip through together.
   * @throws TooManyTriesError beyond the bound; such tries do not count.
   */
  begin(attempt: Attempt): void;
  /** Takes back what `begin` counted. */
  succeeded(attempt: Attempt): void;
  /** The account has a new password: what was guessed at the old one counts no more. */
  forget(login: string): void;
};

export function createAttempts(now: () => number, remembered = REMEMBERED): Attempts {
  /** Times of the tries that count, oldest first; the map's order is that of the last try. */
  const tries = new Map<string, number[]>();

  /** Where the clock was set back, what lies ahead of it counts from now. */
  function recent(key: string): number[] {
    const at_ms = now();
    return (tries.get(key) ?? []).map((time) => Math.min(time, at_ms)).filter((time) => at_ms - time < WINDOW_MS);
  }

  function dropOld(): void {
    for (const key of tries.keys()) {
      if (recent(key).length > 0) break;
      tries.delete(key);
    }
  }

  return {
    begin(attempt) {
      const keys = bucketsOf(attempt);
      const waits = keys.map((key) => {
        const times = recent(key);
        return times.length < GUESSES ? 0 : times[0]! + WINDOW_MS - now();
      });
      const wait_ms = Math.max(...waits);
      if (wait_ms > 0) throw new TooManyTriesError('There were too many wrong tries.', Math.ceil(wait_ms / 1000));
      dropOld();
      if (tries.size >= remembered && !attempt.known_device && keys.some((key) => !tries.has(key)))
        throw new TooManyTriesError('Too many strangers try to sign in.', FULL_S);
      for (const key of keys) {
        const times = [...recent(key), now()];
        tries.delete(key);
        tries.set(key, times);
      }
    },
    succeeded(attempt) {
      for (const key of bucketsOf(attempt)) {
        const times = recent(key).slice(0, -1);
        if (times.length > 0) tries.set(key, times);
        else tries.delete(key);
      }
    },
    forget(login) {
      for (const key of [`account ${login}`, `device ${login}`]) tries.delete(key);
    },
  };
}

function bucketsOf({ login, from, known_device }: Attempt): string[] {
  return known_device ? [`device ${login}`] : [`account ${login}`, `address ${networkOf(from)}`];
}

/** Whoever has one IPv6 address has all of its /64. */
function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail = ''] = address.split('%')[0]!.split('::');
  const [left, right] = [head, tail].map((part) => (part === '' ? [] : part.split(':')));
  const zeros = Array<string>(Math.max(0, 8 - left!.length - right!.length)).fill('0');
  const groups = [...left!, ...zeros, ...right!].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
