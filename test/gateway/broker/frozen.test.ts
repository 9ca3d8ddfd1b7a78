import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { measureFrozen } from './frozen.ts';
import { openRig, PASSWORD, type Rig } from './rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(() => rig.close());

const account = (username: string) => ({ username, password: PASSWORD, base: `meters/${username}/` });

describe('a subscriber that never reads', () => {
  it('holds up nobody, and is dropped', async () => {
    const { waits_ms, dropped } = await measureFrozen(rig.broker.port, account('a'), [account('b')], 3);
    expect(dropped).toBeGreaterThan(0);
    // The figure is p99 ≤ 50 ms (bench); here the machine may be slow or busy. Who waits for the frozen one, waits for
    // the two seconds until it is dropped, each time: then there are a handful of waits, and most of them are that long.
    expect(waits_ms.length).toBeGreaterThan(30);
    expect(waits_ms[Math.floor(waits_ms.length * 0.9)]).toBeLessThan(1000);
  });
});
