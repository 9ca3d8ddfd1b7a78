import { afterEach, describe, expect, it } from 'vitest';
import { createBusRegistry } from '../../../../connectors/meters/modbus/bus.ts';
import { openModbusSource } from '../../../../connectors/meters/modbus/source.ts';
import { parseProfile } from '../../../../connectors/meters/profile/profile.ts';
import { openNastyServer } from './nasty-server.ts';

const YAML = `{vendor: V, model: M, transport: modbus, channels: {main: {label: L, role: load}}, modbus: {max_gap: 0, registers: [
  {quantity: power_W, at: 0, type: u16, unit: W}, {quantity: voltage_V, at: 400, type: u16, unit: V}]}}`;
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

describe('a Modbus device that is polled', () => {
  it('asks again within seconds for what it refused while it started, later rarely, and tells it once', async () => {
    const sick = new Set<number>();
    const server = await openNastyServer(({ address }) =>
      sick.has(address) ? { exception: 2 } : { words: [address + 1] },
    );
    const buses = createBusRegistry();
    open.push(server, buses);
    const clock = { at_ms: 0, now: () => clock.at_ms };
    const profile = { ...parseProfile('x', YAML), name: 'x', verified: false };
    const connection = { kind: 'modbus-tcp', host: '127.0.0.1', port: server.port, unit: 1, poll_s: 1 } as const;
    const source = openModbusSource(profile, connection, { buses, clock });
    const read = async (at_s: number) => {
      clock.at_ms = at_s * 1000;
      const { readings, notes } = await source.read(AbortSignal.timeout(5000));
      return [readings.map(({ quantity }) => quantity).join(' '), notes.length];
    };
    expect(await read(0)).toEqual(['power_W voltage_V', 0]);
    sick.add(400);
    expect(await read(1)).toEqual(['power_W', 1]);
    expect(await read(3)).toEqual(['power_W', 0]);
    sick.clear();
    expect(await read(6)).toEqual(['power_W voltage_V', 0]);
    sick.add(400);
    // Each time in vain it waits twice as long: 5, 10, 20 seconds, an hour at most.
    expect(await read(7)).toEqual(['power_W', 0]);
    const asked: number[] = [];
    for (let at_s = 8; at_s < 100; at_s++) {
      const before = server.requests.filter(({ address }) => address === 400).length;
      await read(at_s);
      if (server.requests.filter(({ address }) => address === 400).length > before) asked.push(at_s);
    }
    expect(asked).toEqual([12, 22, 42, 82]);
    await source.close();
  });
});
