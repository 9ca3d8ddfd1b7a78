import { describe, expect, it } from 'vitest';
import type { TooManyTriesError } from '../../../engine/errors.ts';
import { createAttempts } from '../../../gateway/auth/attempts.ts';

const owner = { login: 'anna', from: '192.168.1.2', known_device: false };
const stranger = { ...owner, from: '6.6.6.6' };

function at() {
  const clock = { now_ms: 1_000_000 };
  const attempts = createAttempts(() => clock.now_ms);
  const wrong = (attempt: typeof owner, times: number) => {
    for (let i = 0; i < times; i++) attempts.failed(attempt);
  };
  const wait_s = (attempt: typeof owner) => {
    try {
      attempts.admit(attempt);
      return 0;
    } catch (error) {
      return (error as TooManyTriesError).retry_after_s;
    }
  };
  return { clock, attempts, wrong, wait_s };
}

describe('attempts to sign in', () => {
  it('are free at first, then wait longer and longer, but never longer than a minute', () => {
    const { clock, wrong, wait_s } = at();
    wrong(stranger, 4);
    expect(wait_s(stranger)).toBe(0);
    const waits = Array.from({ length: 8 }, () => {
      wrong(stranger, 1);
      const wait = wait_s(stranger);
      clock.now_ms += wait * 1000;
      expect(wait_s(stranger)).toBe(0);
      return wait;
    });
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  it('of a stranger never make the owner wait', () => {
    const { wrong, wait_s } = at();
    wrong(stranger, 100);
    expect(wait_s(stranger)).toBeGreaterThan(0);
    expect(wait_s(owner)).toBe(0);
  });

  it('behind the same address do not make a known device wait', () => {
    const { wrong, wait_s } = at();
    wrong(owner, 100);
    expect(wait_s({ ...owner, known_device: true })).toBe(0);
    wrong({ ...owner, known_device: true }, 50);
    expect(wait_s({ ...owner, known_device: true })).toBe(10);
  });

  it('with ever new logins slow the address down', () => {
    const { attempts, wait_s } = at();
    for (let i = 0; i < 40; i++) attempts.failed({ ...stranger, login: `guess${i}` });
    expect(wait_s({ ...stranger, login: 'next' })).toBe(10);
  });

  it('that were right are taken back, also from the address that many share', () => {
    const { attempts, wait_s, wrong } = at();
    for (let i = 0; i < 100; i++) {
      attempts.failed({ ...owner, login: `worker${i}` });
      attempts.succeeded({ ...owner, login: `worker${i}` });
    }
    expect(wait_s(owner)).toBe(0);
    wrong(owner, 6);
    attempts.succeeded(owner);
    expect(wait_s(owner)).toBe(0);
  });

  it('are forgotten after a quiet quarter of an hour', () => {
    const { clock, wrong, wait_s } = at();
    wrong(stranger, 20);
    clock.now_ms += 16 * 60_000;
    wrong(stranger, 1);
    expect(wait_s(stranger)).toBe(0);
  });
});
