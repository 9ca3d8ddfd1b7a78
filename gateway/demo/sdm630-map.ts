/** Input registers of an Eastron SDM630 (Modbus protocol V1.x): 32-bit floats, high word first. */

export type Sdm630State = { power_W: number; import_kWh: number; export_kWh: number };

const MAINS_V = 230.9;
const LENGTH = 0x180;

export function sdm630Image({ power_W, import_kWh, export_kWh }: Sdm630State): Uint16Array {
  const registers = new Uint16Array(LENGTH);
  const view = new DataView(new ArrayBuffer(4));
  const set = (at: number, value: number) => {
    view.setFloat32(0, value);
    registers[at] = view.getUint16(0);
    registers[at + 1] = view.getUint16(2);
  };
  [0.35, 0.34, 0.31].forEach((share, i) => {
    set(0x0000 + 2 * i, MAINS_V);
    set(0x0006 + 2 * i, (Math.abs(power_W) * share) / MAINS_V);
    set(0x000c + 2 * i, power_W * share);
    set(0x0012 + 2 * i, Math.abs(power_W) * share);
  });
  set(0x002a, MAINS_V);
  set(0x0030, Math.abs(power_W) / MAINS_V);
  set(0x0034, power_W);
  set(0x0038, Math.abs(power_W));
  set(0x003c, 0);
  set(0x003e, 1);
  set(0x0046, 50.01);
  set(0x0048, import_kWh);
  set(0x004a, export_kWh);
  return registers;
}
