import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TooManyTriesError } from '../../../engine/errors.ts';
import { type Attempt, createAttempts, GUESSES, WINDOW_MS } from '../../../gateway/auth/attempts.ts';

const anna = { login: 'anna', from: '192.168.1.2', known_device: false };
const known = { ...anna, known_device: true };

function at(remembered?: number) {
  const clock = { now_ms: 1_000_000 };
  const attempts = createAttempts(() => clock.now_ms, remembered);
  /** Seconds to wait; 0 where the try was let through, and counted. */
  const wait_s = (attempt: Attempt) => {
    try {
      attempts.begin(attempt);
      return 0;
    } catch (error) {
      return (error as TooManyTriesError).retry_after_s;
    }
  };
  const through = (tries: readonly Attempt[]) => tries.filter((attempt) => wait_s(attempt) === 0).length;
  return { clock, attempts, wait_s, through };
}

/** The most of `times` that lie within any 15 minutes. */
function mostInWindow(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return Math.max(0, ...sorted.map((from) => sorted.filter((time) => time >= from && time < from + WINDOW_MS).length));
}

describe('guesses at passwords and codes', () => {
  it('are at most 10 in any 15 minutes for an account and for an address, whatever the order and time', () => {
    const guess = fc.record({
      login: fc.integer({ min: 0, max: 1 }),
      from: fc.integer({ min: 0, max: 1 }),
      pause_ms: fc.oneof(
        { weight: 60, arbitrary: fc.constant(0) },
        { weight: 2, arbitrary: fc.integer({ min: 1, max: 5 * 60_000 }) },
        // Just before the window has passed.
        { weight: 1, arbitrary: fc.integer({ min: WINDOW_MS - 60_000, max: WINDOW_MS }) },
      ),
      known_device: fc.boolean(),
      right: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    });
    fc.assert(
      fc.property(fc.array(guess, { minLength: 150, maxLength: 300 }), (guesses) => {
        const { clock, attempts, wait_s } = at();
        const wrong = new Map<string, number[]>();
        for (const { login, from, pause_ms, known_device, right } of guesses) {
          clock.now_ms += pause_ms;
          const attempt = { login: `person${login}`, from: `10.0.0.${from}`, known_device };
          if (wait_s(attempt) > 0) continue;
          if (right) {
            attempts.succeeded(attempt);
            continue;
          }
          const keys = known_device ? [`device ${attempt.login}`] : [attempt.login, attempt.from];
          for (const key of keys) wrong.set(key, [...(wrong.get(key) ?? []), clock.now_ms]);
        }
        for (const times of wrong.values()) expect(mostInWindow(times)).toBeLessThanOrEqual(GUESSES);
      }),
      { numRuns: 100 },
    );
  });

  it('at one account from ten thousand addresses over a day are at most 10 a quarter of an hour', () => {
    const { clock, wait_s } = at();
    const times: number[] = [];
    for (let i = 0; i < 10_000; i++) {
      clock.now_ms += 24 * 360;
      if (wait_s({ ...anna, from: `10.${i >> 8}.${i & 255}.1` }) === 0) times.push(clock.now_ms);
    }
    expect(mostInWindow(times)).toBe(GUESSES);
    // No more than the windows allow, and never locked for good.
    expect(times.length).toBeGreaterThan(90);
    expect(times.length).toBeLessThanOrEqual((24 * 4 + 1) * GUESSES);
  });

  it('at ten thousand accounts from one address are at most 10 a quarter of an hour', () => {
    const { through, clock } = at();
    const tries = Array.from({ length: 10_000 }, (_, i) => ({ ...anna, login: `guess${i}` }));
    expect(through(tries)).toBe(GUESSES);
    clock.now_ms += WINDOW_MS - 1;
    expect(through(tries)).toBe(0);
    clock.now_ms += 1;
    expect(through(tries)).toBe(GUESSES);
  });

  it('at an account end to count when it gets a new password, those of other accounts do not', () => {
    const { attempts, through, wait_s } = at();
    const other = { ...anna, login: 'ben' };
    through(Array.from({ length: 20 }, (_, i) => ({ ...anna, from: `10.0.0.${i}` })));
    through(Array.from({ length: 20 }, (_, i) => ({ ...other, from: `10.0.1.${i}` })));
    expect([wait_s({ ...anna, from: '10.9.0.1' }), wait_s({ ...other, from: '10.9.0.2' })].map(Math.sign)).toEqual([
      1, 1,
    ]);
    attempts.forget('anna');
    expect(wait_s({ ...anna, from: '10.9.0.1' })).toBe(0);
    expect(wait_s({ ...other, from: '10.9.0.2' })).toBeGreaterThan(0);
  });

  it('from one IPv6 network count as one address', () => {
    const { through } = at();
    const from = (i: number) => `2001:db8:0:7::${i.toString(16)}`;
    expect(through(Array.from({ length: 50 }, (_, i) => ({ ...anna, login: `l${i}`, from: from(i) })))).toBe(GUESSES);
    expect(through([{ ...anna, login: 'x', from: '2001:db8:0:8::1' }])).toBe(1);
  });

  it('of strangers never lock out the owner, who comes with a browser that was let in before', () => {
    const { through, wait_s } = at();
    through(Array.from({ length: 500 }, (_, i) => ({ ...anna, from: `10.0.${i >> 8}.${i & 255}` })));
    through(Array.from({ length: 500 }, () => anna));
    expect(wait_s(anna)).toBeGreaterThan(0);
    expect(wait_s(known)).toBe(0);
    expect(through(Array.from({ length: 50 }, () => known))).toBe(GUESSES - 1);
  });

  it('are told when to come back, to the second', () => {
    const { clock, through, wait_s } = at();
    expect(through(Array.from({ length: 10 }, () => anna))).toBe(10);
    clock.now_ms += 60_000;
    expect(wait_s(anna)).toBe(14 * 60);
    clock.now_ms += 14 * 60_000;
    expect(wait_s(anna)).toBe(0);
  });

  it('that were right are taken back, and give a stranger no further ones', () => {
    const { attempts, through, wait_s } = at();
    for (let i = 0; i < 100; i++) {
      attempts.begin({ ...anna, login: `worker${i}` });
      attempts.succeeded({ ...anna, login: `worker${i}` });
    }
    const stranger = { ...anna, from: '6.6.6.6' };
    expect(through(Array.from({ length: 9 }, () => stranger))).toBe(9);
    attempts.begin(anna);
    attempts.succeeded(anna);
    expect(through([stranger, stranger])).toBe(1);
    expect(wait_s(stranger)).toBeGreaterThan(0);
  });

  it('are not forgotten under a flood of others, nor over a clock that is set back', () => {
    const { clock, through, wait_s } = at(100);
    expect(through(Array.from({ length: 10 }, () => anna))).toBe(10);
    const flood = Array.from({ length: 1000 }, (_, i) => ({
      ...anna,
      login: `x${i}`,
      from: `10.1.${i >> 8}.${i & 255}`,
    }));
    expect(through(flood)).toBeLessThan(60);
    expect(wait_s(anna)).toBeGreaterThan(0);
    expect(wait_s(known)).toBe(0);
    clock.now_ms -= 10 * WINDOW_MS;
    expect(wait_s(anna)).toBe(WINDOW_MS / 1000);
    clock.now_ms += WINDOW_MS;
    expect(wait_s(anna)).toBeGreaterThanOrEqual(0);
  });
});
