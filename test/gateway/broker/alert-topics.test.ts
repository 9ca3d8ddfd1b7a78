import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { openRig, pushDevice, type Rig } from './rig.ts';

describe('alerts at the broker of the box', () => {
  let rig: Rig | null = null;
  afterEach(() => rig?.close());

  it('wait for the device they are for, and reach and are written by nobody else', async () => {
    rig = await openRig({ devices: [pushDevice('panel'), pushDevice('meter')] });
    const topic = 'alerts/default/panel/disk_full/disk';
    await rig.broker.publish('default', topic, 'open', { retain: true });
    // Of another organisation, whose device has the same id.
    await rig.broker.publish('other', 'alerts/other/panel/disk_full/disk', 'foreign', { retain: true });
    const [panel, meter] = [await rig.connect('panel'), await rig.connect('meter')];
    const heard: string[] = [];
    for (const client of [panel, meter]) client.on('message', (at, payload) => heard.push(`${at} ${payload}`));
    const granted = async (client: typeof panel, filter: string) =>
      (await client.subscribeAsync(filter, { qos: 1 }).catch((error: Error) => [{ qos: 128, error }]))[0]?.qos;
    expect(await granted(panel, 'alerts/default/panel/#')).toBe(1);
    expect(await granted(panel, 'alerts/other/panel/#')).toBe(128);
    for (const filter of ['alerts/default/panel/#', 'alerts/#', '#', 'alerts/default/+/#'])
      expect(await granted(meter, filter)).toBe(128);
    await expect.poll(() => heard, { timeout: 5000 }).toEqual([`${topic} open`]);
    // A device cannot say that all is well.
    await meter.publishAsync(topic, 'solved', { qos: 1, retain: true });
    await panel.publishAsync(topic, 'solved', { qos: 1, retain: true });
    await sleep(200);
    expect(heard).toEqual([`${topic} open`]);
    for (const client of [panel, meter]) await client.endAsync();
  });
});
