import { describe, expect, it } from 'vitest';
import { createLineHealth } from '../../../../connectors/meters/modbus/line-health.ts';

/** A line on which each living unit answers in `took_ms`; time passes only in the test. */
function line(timeout_ms = 1500) {
  let now_ms = 0;
  const health = createLineHealth(timeout_ms, () => now_ms);
  return {
    health,
    pass: (ms: number) => {
      now_ms += ms;
    },
    now: () => now_ms,
    /** Asks a dead unit whenever it may be asked; @returns what it cost the line. */
    waste(unit: number): number {
      if (health.rest(unit) > 0) return 0;
      const took = health.deadline(unit);
      now_ms += took;
      health.silent(unit, took);
      return took;
    },
  };
}

describe('the health of a line', () => {
  it('a dead unit takes less than a tenth of the time of a fast line, and is asked again within 5 s', () => {
    const { health, pass, waste, now } = line();
    health.answered(1, 20);
    health.answered(2, 20);
    waste(2);
    waste(2);
    const begun = now();
    let wasted = 0;
    let longest = 0;
    for (let last = now(); now() < begun + 120_000; pass(100)) {
      health.answered(1, 20);
      const took = waste(2);
      wasted += took;
      if (took > 0) [longest, last] = [Math.max(longest, now() - took - last), now()];
    }
    expect(wasted / 120_000).toBeLessThan(0.1);
    expect(wasted).toBeGreaterThan(0);
    expect(longest).toBeLessThanOrEqual(5_000);
  });

  it('on a slow line the living come first: a dead unit takes at most 5 %', () => {
    const { health, pass, waste, now } = line();
    health.answered(1, 400);
    waste(2);
    const begun = now();
    let wasted = 0;
    for (; now() < begun + 300_000; pass(500)) {
      health.answered(1, 400);
      wasted += waste(2);
    }
    expect(wasted / 300_000).toBeLessThan(0.05);
  });

  it('where nobody answers nobody rests, and everybody gets the full time', () => {
    const { health, waste } = line();
    for (const unit of [1, 2, 1, 2]) expect(waste(unit)).toBe(1500);
    expect([health.rest(1), health.rest(2)]).toEqual([0, 0]);
  });

  it('the first answer after a silence wakes all who rest', () => {
    const { health, waste } = line();
    health.answered(1, 20);
    for (const unit of [2, 3]) health.answered(unit, 20);
    for (const unit of [2, 3, 2, 3]) waste(unit);
    expect(health.rest(3)).toBeGreaterThan(1000);
    health.answered(2, 20);
    expect(health.rest(3)).toBe(0);
  });

  it('a silence of the whole line ends for all with its first answer, be it of one that was not dead yet', () => {
    const { health, waste } = line();
    for (const unit of [1, 2, 3]) health.answered(unit, 20);
    for (const unit of [2, 3, 1, 2, 3]) waste(unit);
    health.answered(1, 20);
    expect([health.rest(2), health.rest(3)]).toEqual([0, 0]);
  });

  it('one lost answer is no death, and the second try has the full time', () => {
    const { health, pass } = line();
    health.answered(1, 20);
    health.answered(2, 20);
    expect(health.deadline(2)).toBeLessThan(400);
    health.silent(2, 250);
    expect([health.rest(2), health.deadline(2)]).toEqual([0, 1500]);
    health.silent(2, 1500);
    pass(10);
    expect(health.rest(2)).toBeGreaterThan(0);
  });
});
