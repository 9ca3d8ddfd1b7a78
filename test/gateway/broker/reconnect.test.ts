import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFleet } from './reconnect.ts';
import { openRig, PASSWORD, pushDevice, type Rig } from './rig.ts';

const CLIENTS = 150;
const ids = Array.from({ length: CLIENTS }, (_, n) => `d${n}`);
const base_ms = Date.now() - 86_400_000;
let rig: Rig;
beforeEach(async () => {
  rig = await openRig({ devices: ids.map((id) => pushDevice(id)) });
});
afterEach(() => rig.close());

describe('many clients', () => {
  it('that all come back at once, after a break of the network and after a restart, lose nothing acknowledged', async () => {
    const accounts = ids.map((id) => ({
      ...{ username: id, password: PASSWORD, client_id: id, topic: `meters/${id}/readings`, meter: id },
    }));
    const fleet = createFleet(() => rig.broker.port, accounts, base_ms);
    const stored = new Set<string>();
    const keep = () => {
      for (const { device, readings } of rig.stored.splice(0))
        for (const { at_ms } of readings) stored.add(`${device} ${at_ms - base_ms}`);
    };
    expect((await fleet.connect(30)).back).toBe(CLIENTS);
    fleet.publish();
    async function crash(): Promise<void> {
      // What arrives in the last moment never reaches the disk.
      rig.append = () => new Promise(() => {});
      await sleep(200);
      await rig.restart();
    }
    for (const happen of [fleet.drop, crash]) {
      await sleep(700);
      const { stored: before } = rig;
      await happen();
      // The restart begins a new list.
      for (const group of before === rig.stored ? [] : before) rig.stored.push(group);
      expect((await fleet.connect(30)).back).toBe(CLIENTS);
    }
    await sleep(300);
    const acknowledged = await fleet.end();
    keep();
    const numbers = acknowledged.flatMap(({ meter, contiguous, others }) =>
      [...Array.from({ length: contiguous }, (_, n) => n), ...others].map((n) => `${meter} ${n}`),
    );
    expect(numbers.length).toBeGreaterThan(CLIENTS);
    expect(numbers.filter((number) => !stored.has(number))).toEqual([]);
  }, 60_000);
});
