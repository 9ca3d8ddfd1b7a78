import { describe, expect, it } from 'vitest';
import { createProfileReader } from '../../../../connectors/meters/modbus/profile-reader.ts';
import { ModbusException, type RegisterRead } from '../../../../connectors/meters/modbus/request.ts';
import { parseProfile } from '../../../../connectors/meters/profile/profile.ts';
import { UnavailableError } from '../../../../engine/errors.ts';

const profile = (modbus: string) => ({
  ...parseProfile(
    'x',
    `{vendor: V, model: M, transport: modbus, channels: {main: {label: L, role: load}}, modbus: ${modbus}}`,
  ),
  name: 'x',
  verified: false,
});
const plain = profile(`{max_gap: 4, registers: [
  {quantity: power_W, at: 0, type: u16, unit: W},
  {quantity: voltage_V, at: 2, type: u16, unit: V},
  {quantity: import_kWh, at: 4, type: u32, unit: Wh, scale_at: 8}]}`);

/** Registers by address; a call to any other is refused. */
function device(registers: Record<number, number>) {
  const calls: string[] = [];
  const read: RegisterRead = async (code, address, count) => {
    calls.push(`${code}:${address}+${count}`);
    const bytes = Buffer.alloc(2 * count);
    for (let i = 0; i < count; i++) {
      const word = registers[address + i];
      if (word === undefined) throw new ModbusException(2, address, count);
      bytes.writeUInt16BE(word, 2 * i);
    }
    return bytes;
  };
  return { calls, read, registers };
}
const values = async (reader: ReturnType<typeof createProfileReader>, read: RegisterRead) =>
  Object.fromEntries((await reader.read(read)).values.map(({ quantity, value }) => [quantity, value]));

describe('reading by profile', () => {
  const full = { 0: 100, 1: 0, 2: 230, 3: 0, 4: 0, 5: 1234, 6: 0, 7: 0, 8: 0xffff };

  it('reads in one request and applies the scale register', async () => {
    const meter = device(full);
    expect(await values(createProfileReader(plain), meter.read)).toEqual({
      power_W: 100,
      voltage_V: 230,
      import_kWh: 0.1234,
    });
    expect(meter.calls).toEqual(['3:0+9']);
  });

  it('finds by halving what a device refuses, tells it once, and does not ask for it again', async () => {
    const meter = device({ 0: 100, 2: 230, 4: 0, 5: 1234, 8: 0 });
    const reader = createProfileReader(plain);
    expect(await values(reader, meter.read)).toEqual({ power_W: 100, voltage_V: 230, import_kWh: 1.234 });
    delete meter.registers[2];
    reader.forget();
    const first = await reader.read(meter.read);
    expect(first.refused).toEqual(['register 2 (voltage_V)']);
    meter.calls.length = 0;
    const second = await reader.read(meter.read);
    expect(second.refused).toEqual([]);
    expect(second.values.map(({ quantity }) => quantity)).toEqual(['power_W', 'import_kWh']);
    expect(meter.calls).not.toContain('3:2+1');
    expect(meter.calls).toEqual(['3:0+1', '3:4+2', '3:8+1']);
  });

  it('does not guess a value without its scale', async () => {
    expect(await values(createProfileReader(plain), device({ ...full, 8: 0x8000 }).read)).toEqual({
      power_W: 100,
      voltage_V: 230,
    });
  });

  it('says that it is another kind of device when everything is refused', async () => {
    await expect(createProfileReader(plain).read(device({}).read)).rejects.toThrow(/refuses every register/);
  });

  it('does not take silence for a refusal: it stops the round at once', async () => {
    let calls = 0;
    const silent: RegisterRead = async () => {
      calls += 1;
      throw new UnavailableError('No answer.');
    };
    const far = profile(`{max_gap: 0, registers: [
      {quantity: power_W, at: 0, type: u16, unit: W}, {quantity: voltage_V, at: 50, type: u16, unit: V}]}`);
    await expect(createProfileReader(far).read(silent)).rejects.toThrow('No answer.');
    expect(calls).toBe(1);
  });

  it('keeps the values of a device that is silent about its firmware', async () => {
    const withFirmware = profile(`{registers: [{quantity: power_W, at: 0, type: u16, unit: W}], firmware: {at: 900}}`);
    const meter = device({ 0: 7 });
    const read: RegisterRead = (code, address, count) =>
      address === 900 ? Promise.reject(new UnavailableError('No answer.')) : meter.read(code, address, count);
    const reader = createProfileReader(withFirmware);
    expect(await reader.read(read)).toMatchObject({ values: [{ value: 7 }], firmware: null });
    expect(meter.calls).toEqual(['3:0+1']);
  });
});

describe('SunSpec', () => {
  const sunspec = profile('{max_gap: 60, sunspec: {use: meter}}');
  /** Common model and 203 at `base`, `shift` registers of another model before it. */
  function meterAt(base: number, watts: number, shift = 0) {
    const registers: Record<number, number> = {};
    for (let a = base; a < base + 300; a++) registers[a] = 0;
    Object.assign(registers, { [base]: 0x5375, [base + 1]: 0x6e53, [base + 2]: 1, [base + 3]: 66 });
    let at = base + 70;
    if (shift > 0) {
      Object.assign(registers, { [at]: 120, [at + 1]: shift - 2 });
      at += shift;
    }
    Object.assign(registers, { [at]: 203, [at + 1]: 105, [at + 18]: watts & 0xffff, [at + 107]: 0xffff });
    for (const sf of [6, 15, 17, 22, 27, 32, 37, 54]) registers[at + sf] = 0;
    return registers;
  }

  it('walks once, then reads the found place only', async () => {
    const meter = device(meterAt(50_000, 500));
    const reader = createProfileReader(sunspec);
    expect((await values(reader, meter.read)).power_W).toBe(500);
    expect(meter.calls.slice(0, 2)).toEqual(['3:40000+2', '3:50000+2']);
    meter.calls.length = 0;
    await reader.read(meter.read);
    expect(meter.calls.every((call) => Number(call.slice(2).split('+')[0]) >= 50_070)).toBe(true);
    expect(meter.calls.length).toBeLessThanOrEqual(2);
  });

  it('finds the map again when it has moved (firmware update)', async () => {
    const meter = device(meterAt(40_000, 500));
    const reader = createProfileReader(sunspec);
    await reader.read(meter.read);
    for (const key of Object.keys(meter.registers)) delete meter.registers[Number(key)];
    Object.assign(meter.registers, meterAt(40_000, 700, 28));
    expect((await values(reader, meter.read)).power_W).toBe(700);
  });

  it('says what to do where there is no map, or none of its models', async () => {
    await expect(createProfileReader(sunspec).read(device({}).read)).rejects.toThrow(
      /no SunSpec map at 40000, 50000, 0/,
    );
    const inverter = profile('{sunspec: {use: inverter}}');
    await expect(createProfileReader(inverter).read(device(meterAt(40_000, 1)).read)).rejects.toThrow(
      /has the SunSpec models 1, 203, none of which/,
    );
  });

  it('ends on a chain of models that never ends', async () => {
    const endless: RegisterRead = async (_code, address, count) => {
      const bytes = Buffer.alloc(2 * count);
      if (address === 40_000) bytes.writeUInt32BE(0x53756e53);
      else bytes.writeUInt16BE(7);
      return bytes;
    };
    await expect(createProfileReader(sunspec).read(endless)).rejects.toThrow(/none of which/);
  });
});
