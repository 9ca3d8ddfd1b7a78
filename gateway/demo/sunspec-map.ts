/**
 * Register images of SunSpec devices: marker, common model 1, one measuring model, end. Offsets and scale factors as in
 * github.com/sunspec/models (Apache-2.0), model_1.json, model_103.json, model_203.json.
 */

export const SUNSPEC_BASE = 40_000;
const NOT_IMPLEMENTED = { int16: 0x8000, uint16: 0xffff };

export type Identity = { maker: string; model: string; version: string; serial: string };
/** Signed from the grid: + is import. */
export type MeterState = { power_W: number; import_kWh: number; export_kWh: number };
export type InverterState = { power_W: number; export_kWh: number; temperature_C: number };

const MAINS_V = 231.4;
const MAINS_HZ = 50.01;

export function meterImage(identity: Identity, { power_W, import_kWh, export_kWh }: MeterState): Uint16Array {
  const image = createImage(identity, 203, 105);
  const phase_W = [0.36, 0.33, 0.31].map((share) => power_W * share);
  const apparent_VA = Math.hypot(power_W, power_W * 0.2);
  image.fill('int16');
  // A, AphA…AphC with factor −2
  image.set(2, power_W / MAINS_V / 0.01);
  for (const [i, watt] of phase_W.entries()) image.set(3 + i, watt / MAINS_V / 0.01);
  image.set(6, -2);
  for (const offset of [7, 8, 9, 10]) image.set(offset, MAINS_V / 0.1);
  for (const offset of [11, 12, 13, 14]) image.set(offset, (MAINS_V * Math.sqrt(3)) / 0.1);
  image.set(15, -1);
  image.set(16, MAINS_HZ / 0.01);
  image.set(17, -2);
  // W and VA in steps of 10 so that 100 kW fits
  image.set(18, power_W / 10);
  for (const [i, watt] of phase_W.entries()) image.set(19 + i, watt / 10);
  image.set(22, 1);
  image.set(23, apparent_VA / 10);
  image.set(27, 1);
  image.set(28, (power_W * 0.2) / 10);
  image.set(32, 1);
  image.set(33, (power_W / Math.max(1, apparent_VA)) * 1000);
  image.set(37, -1);
  image.acc32(38, export_kWh * 1000);
  image.acc32(46, import_kWh * 1000);
  image.set(54, 0);
  return image.registers;
}

export function inverterImage(identity: Identity, state: InverterState): Uint16Array {
  const image = createImage(identity, 103, 50);
  const { power_W, export_kWh, temperature_C } = state;
  image.fill('int16');
  image.set(2, power_W / MAINS_V / 0.01);
  for (const offset of [3, 4, 5]) image.set(offset, power_W / 3 / MAINS_V / 0.01);
  image.set(6, -2);
  for (const offset of [7, 8, 9]) image.set(offset, (MAINS_V * Math.sqrt(3)) / 0.1);
  for (const offset of [10, 11, 12]) image.set(offset, MAINS_V / 0.1);
  image.set(13, -1);
  image.set(14, power_W / 10);
  image.set(15, 1);
  image.set(16, MAINS_HZ / 0.01);
  image.set(17, -2);
  image.set(18, power_W / 10);
  image.set(19, 1);
  image.set(20, 0);
  image.set(21, 1);
  // power factor in percent, as the models state it
  image.set(22, 1000);
  image.set(23, -1);
  image.acc32(24, export_kWh * 1000);
  image.set(26, 0);
  image.set(31, power_W / 0.97 / 10);
  image.set(32, 1);
  image.set(33, temperature_C * 10);
  image.set(37, -1);
  // operating state: 4 = MPPT, 2 = sleeping
  image.set(38, power_W > 0 ? 4 : 2);
  for (let offset = 40; offset < 52; offset++) image.set(offset, 0);
  return image.registers;
}

/** Offsets count from the measuring model's ID register, as the specification does. */
function createImage(identity: Identity, id: number, length: number) {
  const start = 2 + 68;
  const registers = new Uint16Array(start + 2 + length + 2);
  registers.set([0x5375, 0x6e53, 1, 66], 0);
  text(registers, 4, 16, identity.maker);
  text(registers, 20, 16, identity.model);
  text(registers, 44, 8, identity.version);
  text(registers, 52, 16, identity.serial);
  registers.set([1, NOT_IMPLEMENTED.int16], 68);
  registers.set([id, length], start);
  registers.set([0xffff, 0], start + 2 + length);
  return {
    registers,
    fill: (kind: keyof typeof NOT_IMPLEMENTED) => registers.fill(NOT_IMPLEMENTED[kind], start + 2, start + 2 + length),
    set(offset: number, value: number) {
      registers[start + offset] = Math.round(value) & 0xffff;
    },
    acc32(offset: number, value: number) {
      const whole = Math.floor(value) % 2 ** 32;
      registers[start + offset] = Math.floor(whole / 65_536);
      registers[start + offset + 1] = whole % 65_536;
    },
  };
}

function text(registers: Uint16Array, at: number, length: number, value: string): void {
  const bytes = Buffer.alloc(length * 2);
  bytes.write(value.slice(0, length * 2), 'latin1');
  for (let i = 0; i < length; i++) registers[at + i] = bytes.readUInt16BE(2 * i);
}
