/** The demo's process: real registers over Modbus, real messages over MQTT, prices over HTTP; nothing stays behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import ModbusSerial from 'modbus-serial';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAwattar } from '../../../connectors/prices/awattar.ts';
import { createEnergyCharts } from '../../../connectors/prices/energy-charts.ts';
import { dayStart, HOUR_MS, slotStart } from '../../../engine/model/time.ts';
import { createDemoSite } from '../../../gateway/demo/generator.ts';
import { faultsOf } from '../../../gateway/demo/history.ts';
import { registerOf } from '../../../gateway/demo/meters.ts';
import { type DemoProcess, openDemoProcess } from '../../../gateway/services/demo/process.ts';
import { silent } from '../../setup/database.ts';

const started_ms = slotStart(Date.now());
const site = createDemoSite(7);
const { reset_ms } = faultsOf(started_ms);
const MAIN = join(import.meta.dirname, '../../../gateway/demo/main.ts');

describe('the demo process', () => {
  let demo: DemoProcess;
  beforeAll(async () => {
    demo = await openDemoProcess({ seed: 7, started_ms, modbus_port: 0, price_port: 0 }, silent, () => {});
  });
  afterAll(() => demo.close());

  it('serves SunSpec models and SDM630 registers that follow the generator', async () => {
    const client = new ModbusSerial.default();
    await client.connectTCP('127.0.0.1', { port: demo.modbus_port });
    try {
      client.setID(1);
      const grid = (await client.readHoldingRegisters(40_000, 110)).buffer;
      expect(grid.toString('latin1', 0, 4)).toBe('SunS');
      expect([grid.readUInt16BE(140), grid.readUInt16BE(142)]).toEqual([203, 105]);
      const at_ms = Date.now();
      expect(Math.abs(grid.readInt16BE(140 + 36) * 10 - site.power_W('grid', at_ms))).toBeLessThan(8000);
      const imported_kWh = (await client.readHoldingRegisters(40_070 + 46, 2)).buffer.readUInt32BE() / 1000;
      expect(imported_kWh).toBeCloseTo(registerOf(site, 'grid', 'import', at_ms, reset_ms), 0);
      client.setID(2);
      const pv = (await client.readHoldingRegisters(40_070, 54)).buffer;
      expect([pv.readUInt16BE(0), pv.readUInt16BE(104)]).toEqual([103, 0xffff]);
      expect(pv.readUInt32BE(48) / 1000).toBeCloseTo(registerOf(site, 'pv', 'export', at_ms, reset_ms), 0);
      client.setID(3);
      const cold = (await client.readInputRegisters(0x48, 2)).buffer.readFloatBE();
      expect(cold).toBeCloseTo(registerOf(site, 'cold', 'import', at_ms, reset_ms), 1);
      await expect(client.readHoldingRegisters(100, 2)).rejects.toThrow(/Illegal data address/i);
    } finally {
      await new Promise<void>((resolve) => client.close(() => resolve()));
    }
  });

  it('publishes what the firmwares publish, each device with its own credential', async () => {
    const broker = await Aedes.createBroker();
    const seen = new Map<string, Record<string, unknown>>();
    const users = new Map<string, string>();
    broker.authenticate = (client, username, password, done) => {
      users.set(client?.id ?? '', `${username}:${password}`);
      done(null, true);
    };
    broker.on('publish', ({ topic, payload }, client) => {
      if (client && payload.toString().startsWith('{')) seen.set(topic, JSON.parse(payload.toString()));
    });
    const server: Server = createServer(broker.handle);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const ids = ['demo-battery', 'demo-hall', 'demo-office', 'demo-ev'];
    const credentials = ids.map((id) => ({ id, username: id, password: `secret of ${id}` }));
    await demo.publish(`mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, credentials);
    await expect.poll(() => seen.size, { timeout: 8000 }).toBeGreaterThanOrEqual(7);
    expect([...users.values()].toSorted()).toEqual(ids.map((id) => `${id}:secret of ${id}`).toSorted());
    const at_ms = Date.now();
    const hall = seen.get('shellypro3em-34987a46c1a0/status/em:0');
    expect(Math.abs((hall?.total_act_power as number) - site.power_W('hall', at_ms))).toBeLessThan(6000);
    const data = seen.get('shellypro3em-34987a46c1a0/status/emdata:0');
    expect((data?.total_act as number) / 1000).toBeCloseTo(registerOf(site, 'hall', 'import', at_ms, reset_ms), 0);
    const ev = seen.get('tele/tasmota_5D0E9C/SENSOR') as { Time: string; SML: { Total_in: number } };
    expect(ev.SML.Total_in).toBeCloseTo(registerOf(site, 'ev', 'import', at_ms, reset_ms), 0);
    expect(ev.Time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
    expect(seen.get('meters/demo-battery/readings')).toHaveProperty('soc_percent');
    server.close();
    await new Promise<void>((resolve) => broker.close(() => resolve()));
  });

  it('serves prices in two shapes and hands over the past in order', async () => {
    const from_ms = dayStart(Date.now(), 'Europe/Berlin');
    const request = { area: 'DE-LU', market: 'day-ahead', from_ms, to_ms: from_ms + 4 * HOUR_MS } as const;
    const signal = AbortSignal.timeout(10_000);
    const first = await createEnergyCharts({ base_url: demo.urls['energy-charts'] }).fetch({ ...request, signal });
    expect(first.slots.map(({ at_ms, value }) => [at_ms, value])).toEqual(
      first.slots.map(({ at_ms }) => [at_ms, site.price_EUR_MWh(at_ms)]),
    );
    expect(first.slots).toHaveLength(16);
    const second = await createAwattar({ base_url: demo.urls.awattar }).fetch({ ...request, signal });
    expect(second.slots).toHaveLength(16);

    let [last_ms, count] = [0, 0];
    const begun = performance.now();
    await demo.history(started_ms - 60 * 24 * HOUR_MS, started_ms, async (readings) => {
      for (const { at_ms } of readings) {
        expect(at_ms).toBeGreaterThanOrEqual(last_ms);
        last_ms = at_ms;
      }
      count += readings.length;
    });
    expect(count).toBeGreaterThan(60 * 96 * 7 * 2);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  it('ends with the box, also when the box is killed', async () => {
    const box = `const { spawn } = require('node:child_process');
      const child = spawn(process.execPath, [${JSON.stringify(MAIN)}], { stdio: ['pipe', 'pipe', 'inherit'] });
      child.stdout.once('data', () => console.log(child.pid));
      child.stdin.write(${JSON.stringify(`${JSON.stringify({ kind: 'open', seed: 7, started_ms, modbus_port: 0, price_port: 0 })}\n`)});
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['-e', box], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    const lives = () => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    expect(lives()).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(lives, { timeout: 5000 }).toBe(false);
  });
});
