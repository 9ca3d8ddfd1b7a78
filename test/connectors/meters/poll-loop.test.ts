import { describe, expect, it } from 'vitest';
import { pollDelay, startPollLoop } from '../../../connectors/meters/poll-loop.ts';

describe('the rhythm of a poller', () => {
  it('keeps to the grid of its period, however long a round took', () => {
    expect(pollDelay(10_000, 10_000, 0)).toBe(10_000);
    expect(pollDelay(12_345, 10_000, 0)).toBe(7_655);
    expect(pollDelay(19_999, 10_000, 0)).toBe(1);
  });
  it('slows while the device is dead, up to five minutes or its own period', () => {
    expect(pollDelay(0, 10_000, 1)).toBe(20_000);
    expect(pollDelay(0, 10_000, 3)).toBe(80_000);
    expect(pollDelay(0, 10_000, 50)).toBe(300_000);
    expect(pollDelay(0, 900_000, 5)).toBe(900_000);
  });

  it('never runs two rounds at once, misses what it cannot keep up with, and recovers its rhythm', async () => {
    let now_ms = 0;
    let running = 0;
    const starts: number[] = [];
    const took = [0, 250, 0, 0, 0];
    const failing = [false, false, true, false, false];
    let done: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => {
      done = resolve;
    });
    const loop = startPollLoop({
      period_ms: 100,
      clock: { now: () => now_ms },
      async poll() {
        expect(++running).toBe(1);
        starts.push(now_ms);
        await Promise.resolve();
        now_ms += took[starts.length - 1] ?? 0;
        running--;
        if (starts.length === 5) done();
        if (failing[starts.length - 1]) throw new Error('dead');
      },
      wait: async (ms) => {
        now_ms += ms;
      },
    });
    await finished;
    await loop.stop();
    // Round 2 lasted 250 ms; round 3 failed, so round 4 comes a period later than usual.
    expect(starts).toEqual([0, 100, 400, 600, 700]);
  });

  it('stops in the middle of its wait', async () => {
    const loop = startPollLoop({ period_ms: 60_000, clock: { now: Date.now }, poll: async () => {} });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const begun = performance.now();
    await loop.stop();
    expect(performance.now() - begun).toBeLessThan(20_000);
  });
});
