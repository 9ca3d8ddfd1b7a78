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

type Plant = { living: number; dead: number; took_ms: number; period_ms: number };

/** Units that are polled in turn on one line, as the pollers do, for some minutes. Nothing but the clock is played. */
function play({ living, dead, took_ms, period_ms }: Plant, for_ms = 300_000) {
  let now_ms = 0;
  const health = createLineHealth(1500, () => now_ms);
  const due = Array.from({ length: living + dead }, (_, unit) => (unit * period_ms) / (living + dead));
  let revived_ms: number | null = null;
  let recovered_ms = 0;
  const back = new Set<number>();
  let rounds = 0;
  const isDead = (unit: number) => unit >= living && (revived_ms === null || now_ms < revived_ms);
  const ask = (unit: number) => {
    if (isDead(unit)) {
      if (health.rest(unit) > 0) return;
      const waited = health.deadline(unit);
      now_ms += waited;
      return health.silent(unit, waited);
    }
    if (unit >= living && health.rest(unit) > 0) return;
    if (unit >= living && health.deadline(unit) < took_ms) {
      now_ms += health.deadline(unit);
      return health.silent(unit, took_ms);
    }
    now_ms += took_ms;
    health.answered(unit, took_ms);
    if (unit < living) rounds += 1;
    else if (revived_ms !== null && !back.has(unit)) {
      back.add(unit);
      recovered_ms = now_ms - revived_ms;
    }
  };
  const run = (end_ms: number) => {
    while (now_ms < end_ms) {
      const next = due.indexOf(Math.min(...due));
      now_ms = Math.max(now_ms, due[next]!);
      ask(next);
      // A dead one is tried each time the bus would let it; one that lives keeps to its grid and misses what is over.
      const offset_ms = (next * period_ms) / (living + dead);
      const rounds_begun = Math.floor((now_ms - offset_ms) / period_ms) + 1;
      due[next] = next < living ? offset_ms + rounds_begun * period_ms : now_ms + 500;
    }
  };
  // All have answered once before.
  for (let unit = 0; unit < living + dead; unit++) health.answered(unit, took_ms);
  run(60_000);
  const begun = { rounds, now_ms };
  run(60_000 + for_ms);
  const rate = ((rounds - begun.rounds) / (now_ms - begun.now_ms)) * 1000;
  revived_ms = now_ms;
  run(now_ms + 60_000);
  return { rate, recovered_s: back.size === dead ? recovered_ms / 1000 : Number.POSITIVE_INFINITY };
}

describe('many dead units on one line', () => {
  const fast = { living: 4, took_ms: 20, period_ms: 1000 };
  const full = { living: 9, took_ms: 100, period_ms: 1000 };
  const slow = { living: 2, took_ms: 400, period_ms: 10_000 };
  it.each([
    ...[1, 3, 5, 10, 20].map((dead) => ({ ...fast, dead })),
    ...[1, 2, 3].map((dead) => ({ ...full, dead })),
    ...[1, 2, 4].map((dead) => ({ ...slow, dead })),
  ])(
    '$dead of them cost $living that answer in $took_ms ms each $period_ms ms at most 5 % and are back within 10 s',
    (plant) => {
      const alone = play({ ...plant, dead: 0 }).rate;
      const { rate, recovered_s } = play(plant);
      expect(100 * (1 - rate / alone)).toBeLessThan(5);
      expect(recovered_s).toBeLessThan(10.5);
    },
  );
});
