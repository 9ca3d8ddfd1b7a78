import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOutbound } from '../../../gateway/outbound.ts';
import { openNotifier } from '../../../gateway/services/notify/channel.ts';
import { createWaysOut } from '../../../gateway/services/notify/ways.ts';
import { openReceiver, type Receiver } from '../../connectors/notify/smtp-receiver.ts';
import { messageOf } from '../../contracts/notifier.ts';

describe('the way of messages out of the box', () => {
  let receiver: Receiver;
  let allowed: string[] = [];
  const outbound = createOutbound({ allowed: () => allowed });
  const ways = createWaysOut({ outbound, clock: Date, publish: () => undefined });
  beforeAll(async () => {
    receiver = await openReceiver();
  });
  afterAll(async () => {
    await receiver.close();
    await outbound.close();
  });
  const soon = () => AbortSignal.timeout(10_000);
  const mail = () => ({
    kind: 'email' as const,
    settings: {
      host: '127.0.0.1',
      port: receiver.port,
      security: 'none' as const,
      user: null,
      from: 'l@example.org',
      ca_pem: null,
    },
  });
  const ways_in = () => [
    mail(),
    { kind: 'webhook' as const, settings: { url: `http://127.0.0.1:${receiver.port}/` } },
    {
      kind: 'mqtt' as const,
      settings: {
        broker: 'external' as const,
        host: '127.0.0.1',
        port: receiver.port,
        tls: false,
        user: null,
        ca_pem: null,
        prefix: 'x',
      },
    },
  ];

  it('leads to private addresses only where an admin allowed the host, on every channel', async () => {
    let reached = 0;
    receiver.onConnection(() => reached++);
    for (const settings of ways_in())
      await expect(openNotifier('default', settings, 'whsec_x', ways).send(messageOf(), soon())).rejects.toThrow(
        /not on the public internet, and this host is not allowed/,
      );
    expect(reached).toBe(0);
    allowed = ['127.0.0.1'];
    expect(await openNotifier('default', mail(), null, ways).send(messageOf(), soon())).toMatch(/^250/);
    allowed = [];
  });

  it('says so while the broker of the box does not run', async () => {
    const own = { kind: 'mqtt' as const, settings: { broker: 'own' as const, device: 'panel' } };
    await expect(openNotifier('default', own, null, ways).send(messageOf(), soon())).rejects.toThrow(/does not run/);
  });
});
