import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRaw, publishPacket } from './raw-client.ts';
import { openRig, PASSWORD, type Rig, until } from './rig.ts';

const T0 = Date.parse('2026-03-29T00:30:00Z');
let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(() => rig.close());

const raw = (clientId = 'raw') =>
  openRaw(rig.broker.port, { clientId, username: 'a', password: Buffer.from(PASSWORD) });

describe('a message that is delivered again', () => {
  const arrival = () => rig.stored.map((group) => group.readings[0]!.at_ms);
  type Sending = { dup?: boolean; clientId?: string; leave?: boolean };
  async function send(id: number, body: string, options: Sending = {}): Promise<void> {
    const client = await raw(options.clientId);
    await client.next('connack');
    client.send(publishPacket('meters/a/readings', body, id, options.dup));
    await client.next('puback');
    if (options.leave) client.send({ cmd: 'disconnect' });
    else client.end();
    await client.closed;
  }
  /** Stored, but the connection breaks before the acknowledgement is written. */
  async function sendUnacknowledged(id: number, body: string): Promise<void> {
    const { append } = rig;
    let commit = () => {};
    const committed = new Promise<void>((done) => {
      commit = done;
    });
    let asked = false;
    rig.append = (groups) => {
      asked = true;
      return committed.then(() => append(groups));
    };
    const client = await raw();
    await client.next('connack');
    const stored = rig.stored.length;
    client.send(publishPacket('meters/a/readings', body, id));
    await until(() => asked, 'the message at the journal');
    const lost = rig.reports.filter((r) => r.kind === 'lost').length;
    client.end();
    await until(() => rig.reports.filter((r) => r.kind === 'lost').length > lost, 'the end of the connection');
    commit();
    await until(() => rig.stored.length > stored, 'the message in the journal');
    rig.append = append;
  }

  it.each([true, false])('keeps the time of its first arrival (DUP flag: %s)', async (dup) => {
    rig.clock.now = () => T0;
    await sendUnacknowledged(7, '{"power_W":1}');
    rig.clock.now = () => T0 + 60_000;
    await send(7, '{"power_W":1}', { dup });
    expect(arrival()).toEqual([T0, T0]);
  });

  it('keeps it when only the acknowledgement was lost on its way', async () => {
    rig.clock.now = () => T0;
    await send(7, '{"power_W":1}');
    rig.clock.now = () => T0 + 60_000;
    await send(7, '{"power_W":1}', { dup: true });
    expect(arrival()).toEqual([T0, T0]);
  });

  it.each([true, false])('keeps it over a restart of the box (DUP flag: %s)', async (dup) => {
    rig.clock.now = () => T0;
    await send(7, '{"power_W":1}');
    await rig.restart();
    rig.clock.now = () => T0 + 60_000;
    await send(7, '{"power_W":1}', { dup });
    expect(arrival()).toEqual([T0]);
  });

  it.each([true, false])('is no meter that sleeps between equal readings (it takes its leave: %s)', async (leave) => {
    const times = [0, 1, 2, 3, 4].map((minute) => T0 + minute * 60_000);
    for (const at_ms of times) {
      rig.clock.now = () => at_ms;
      await send(1, '{"power_W":12}', { leave });
    }
    expect(arrival()).toEqual(times);
  });

  it('is a new one after an acknowledgement and a leave, and much later without the flag', async () => {
    rig.clock.now = () => T0;
    await send(1, '{"power_W":12}', { leave: true });
    rig.clock.now = () => T0 + 60_000;
    await send(1, '{"power_W":12}', { dup: true });
    expect(arrival()).toEqual([T0, T0 + 60_000]);
    await rig.restart();
    rig.clock.now = () => T0 + 600_000;
    await send(1, '{"power_W":12}');
    expect(arrival()).toEqual([T0 + 600_000]);
  });

  it('is not mistaken for a new one: other id, other value, other client', async () => {
    rig.clock.now = () => T0;
    await send(7, '{"power_W":1}');
    rig.clock.now = () => T0 + 1000;
    await send(8, '{"power_W":1}', { dup: true });
    await send(7, '{"power_W":2}', { dup: true });
    await send(7, '{"power_W":1}', { dup: true, clientId: 'other' });
    expect(arrival()).toEqual([T0, T0 + 1000, T0 + 1000, T0 + 1000]);
  });

  it('reuses a packet id on one connection for a new message', async () => {
    const client = await raw();
    await client.next('connack');
    for (let n = 0; n < 3; n++) {
      rig.clock.now = () => T0 + n * 1000;
      client.send(publishPacket('meters/a/readings', '{"power_W":5}', 1));
      await client.next('puback');
    }
    expect(arrival()).toEqual([T0, T0 + 1000, T0 + 2000]);
    client.end();
  });

  it('has its own time where it brings one', async () => {
    await send(7, `{"at":${T0},"power_W":1}`);
    await send(7, `{"at":${T0},"power_W":1}`, { dup: true });
    expect(arrival()).toEqual([T0, T0]);
    expect(rig.stored[0]!.delivery).toBeUndefined();
  });
});
