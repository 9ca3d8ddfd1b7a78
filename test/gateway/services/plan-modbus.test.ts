/**
 * Setpoints and the grid operator's signal over a real Modbus TCP server on loopback: what really stands in its
 * registers, from the plan to the wire and from the relay to the evidence.
 */
import type { AddressInfo, Server } from 'node:net';
import ModbusSerial from 'modbus-serial';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBusRegistry } from '../../../connectors/meters/modbus/bus.ts';
import { createGridInputs } from '../../../gateway/services/grid-inputs.ts';
import { signalsCsv } from '../../../gateway/services/plans/evidence.ts';
import { createSetpoints } from '../../../gateway/services/setpoints.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';
import { admin, BATTERY, NOW, setUp } from './plans-rig.ts';

const [STORE, CAR, RELAY] = [40, 50, 7];
/** Charging is positive in this inverter, in tens of watts. */
const WRITES = { way: 'modbus', writing: true, device: 'inverter', register: STORE, type: 'int16', W_per_unit: -10 };
const LOAD = {
  ...{
    kind: 'load',
    id: 'pump',
    name: 'Pump',
    power_W: 9000,
    min_W: 0,
    section_14a: { kind: 'cooling', power_W: 9000 },
  },
  windows: [{ weekdays: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '24:00', energy_kWh: 60 }],
  control: { ...WRITES, register: CAR, type: 'int32', W_per_unit: 1 },
};

type Plc = { port: number; registers: Map<number, number>; written: number[]; close(): Promise<void> };
async function openPlc(): Promise<Plc> {
  const registers = new Map<number, number>();
  const written: number[] = [];
  const server = new ModbusSerial.ServerTCP(
    {
      getHoldingRegister: (address: number) => registers.get(address) ?? 0,
      setRegister: (address: number, value: number) => {
        written.push(address);
        registers.set(address, value);
      },
    },
    { host: '127.0.0.1', port: 0, unitID: 1 },
  );
  const net = await new Promise<Server>((resolve) =>
    server.on('initialized', () => resolve((server as unknown as { _server: Server })._server)),
  );
  const { port } = net.address() as AddressInfo;
  return { port, registers, written, close: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}
const signed = (word: number | undefined) => ((word ?? 0) > 0x7fff ? (word ?? 0) - 0x1_0000 : (word ?? 0));

describe('a plan over Modbus', () => {
  let test: TestDatabase;
  let box: ReturnType<typeof setUp>;
  let plc: Plc;
  const buses = createBusRegistry();
  let setpoints: ReturnType<typeof createSetpoints>;
  let inputs: ReturnType<typeof createGridInputs>;

  beforeAll(async () => {
    [test, plc] = await Promise.all([openTestDatabase(), openPlc()]);
    box = setUp(test);
    await box.found();
    box.add('inverter', { kind: 'modbus-tcp', host: '127.0.0.1', port: plc.port, unit: 1, poll_s: 10 });
    const common = { clock: box.clock, log: silent, tenants: () => ['default'], signals: box.signals, buses };
    setpoints = createSetpoints({
      ...{ ...common, bus: box.bus, plan: box.plans.latest, planDevices: box.plans.devices, device: box.boxDevice },
      live: { of: (_tenant: string, meter: string) => box.live.get(meter) ?? new Map() },
      publish: () => expect.unreachable(),
    });
    inputs = createGridInputs({ ...common, device: box.boxDevice, report: () => {}, hear: () => () => {} });
    box.forecast();
    box.measured('store', 'soc_percent', 50);
    await box.plans.saveDevice(admin, { ...BATTERY, control: { ...WRITES, writing: false } });
    await box.plans.saveDevice(admin, { ...LOAD, control: { way: 'none' } });
    await box.plans.override(admin, { device: 'store', from_ms: NOW, to_ms: NOW + 3_600_000, power_W: -8000 });
    await box.plans.override(admin, { device: 'pump', from_ms: NOW, to_ms: NOW + 3_600_000, power_W: -9000 });
  });
  afterAll(async () => {
    await setpoints?.stop();
    await buses.close();
    await plc?.close();
    await test?.close();
  });
  beforeEach(() => void plc.written.splice(0));

  it('writes nothing before an admin switches writing on, and then what the plan says, in the device’s own terms', async () => {
    await setpoints.apply('default');
    expect([plc.written, setpoints.state('default')]).toEqual([[], []]);
    await box.plans.saveDevice(admin, { ...BATTERY, control: WRITES });
    await box.plans.saveDevice(admin, LOAD);
    await setpoints.apply('default');
    expect(signed(plc.registers.get(STORE))).toBe(800);
    // -9,000 as 32 bits, high word first
    expect([plc.registers.get(CAR), signed(plc.registers.get(CAR + 1))]).toEqual([0xffff, -9000]);
    expect(setpoints.state('default')).toMatchObject([
      { device: 'pump', because: 'plan', power_W: -9000, fault: null, valid_until_ms: NOW + 90_000 },
      { device: 'store', because: 'plan', power_W: -8000, fault: null },
    ]);
  });

  it('refuses a device that is not behind Modbus, and one that there is none of', async () => {
    const save = (device: string) => box.plans.saveDevice(admin, { ...BATTERY, control: { ...WRITES, device } });
    await expect(save('controller')).rejects.toThrow('"controller" has no Modbus connection');
    await expect(save('nobody')).rejects.toThrow('The box has no device "nobody"');
    const inputs_of = (device: string) => box.signals.saveInputs(admin, { modbus: { device, register: RELAY } });
    await expect(inputs_of('controller')).rejects.toThrow('no device "controller" behind Modbus');
  });

  it('a relay in a register reduces the devices within a minute, without waiting for a plan, and leaves evidence', async () => {
    await box.signals.saveInputs(admin, { modbus: { device: 'inverter', register: RELAY, mask: 4, limit_W: 0 } });
    const stop = box.signals.onChange((tenant) => void setpoints.apply(tenant));
    plc.registers.set(RELAY, 3);
    await inputs.ask();
    expect(box.signals.active('default')).toEqual([]);
    box.measured('store', 'power_W', -8000);
    const before = await box.plans.latest('default');
    plc.registers.set(RELAY, 7);
    await inputs.ask();
    await expect.poll(() => box.signals.active('default')[0]?.obeyed_ms ?? null, { timeout: 30_000 }).not.toBeNull();
    stop();
    const drawn = () => 10 * signed(plc.registers.get(STORE)) - signed(plc.registers.get(CAR + 1));
    // 4.2 kW + (2 − 1) × 0.80 × 4.2 kW of 17 kW that were wanted
    expect([drawn() <= 7560, drawn() > 7500]).toEqual([true, true]);
    expect((await box.plans.latest('default'))?.id).toBe(before?.id);
    const [signal] = box.signals.active('default');
    expect(signal).toMatchObject({ source: 'modbus', asked_W: 0, minimum_W: 7560, limit_W: 7560 });
    expect(signal!.obeyed_ms! - signal!.received_ms).toBeLessThanOrEqual(60_000);
    // Asked again while it holds, it is the same signal.
    await inputs.ask();
    expect(box.signals.active('default')).toHaveLength(1);
    box.pass(40_000);
    box.measured('store', 'power_W', -3300);
    plc.registers.set(RELAY, 0);
    await inputs.ask();
    expect(box.signals.active('default')).toEqual([]);
    const draws = await box.signals.draws('default', signal!.id);
    expect(draws.map(({ detail }) => detail)).toEqual([
      { pump: null, store: 8000 },
      { pump: null, store: 3300 },
    ]);
    const [kept] = await box.signals.list('default', NOW - 1, NOW + 3_600_000);
    expect(kept).toMatchObject({ source: 'modbus', ended_ms: NOW + 40_000 });
    expect(signalsCsv([kept!], [draws]).split('\r\n')[1]).toContain(',modbus,');
    await setpoints.apply('default');
    expect(drawn()).toBe(17_000);
  });

  it('writes the safe value when the plan is too old, when writing is switched off, and when the box stops', async () => {
    const safe = { ...WRITES, safe_W: -500 };
    await box.plans.saveDevice(admin, { ...BATTERY, control: safe });
    box.pass(50 * 60_000);
    await setpoints.apply('default');
    expect(signed(plc.registers.get(STORE))).toBe(50);
    expect(setpoints.state('default')).toContainEqual(expect.objectContaining({ device: 'store', because: 'safe' }));
    plc.registers.set(STORE, 800);
    await box.plans.saveDevice(admin, { ...BATTERY, control: { ...safe, writing: false } });
    await setpoints.apply('default');
    expect(signed(plc.registers.get(STORE))).toBe(50);
    plc.written.splice(0);
    await setpoints.apply('default');
    expect(plc.written).not.toContain(STORE);
    plc.registers.set(CAR + 1, 123);
    await setpoints.stop();
    expect([plc.registers.get(CAR), plc.registers.get(CAR + 1)]).toEqual([0, 0]);
  });
});
