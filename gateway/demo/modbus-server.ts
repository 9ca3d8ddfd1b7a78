/** A Modbus TCP server on loopback whose units are the demo's meters: real registers, read by the real poller. */

import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { ServerTCP } from 'modbus-serial';
import type { DemoMeter, DemoSite } from './generator.ts';
import { DEMO_DEVICES, registerOf } from './meters.ts';
import { sdm630Image } from './sdm630-map.ts';
import { type Identity, inverterImage, meterImage, SUNSPEC_BASE } from './sunspec-map.ts';

export type ModbusServer = { port: number; close(): Promise<void> };

const GRID: Identity = { maker: 'Luna demo', model: 'Grid meter', version: '2.4', serial: 'DEMO-GRID-1' };
const PV: Identity = { maker: 'Luna demo', model: 'Inverter 50k', version: '1.19', serial: 'DEMO-PV-1' };
/** Exception codes of the specification: what a real device answers for what it does not have. */
const ILLEGAL_ADDRESS = 2;

/** `port` is tried first; a free one is taken where it is in use. */
export async function openModbusServer(options: {
  site: DemoSite;
  now: () => number;
  reset_ms: number;
  port: number;
}): Promise<ModbusServer> {
  const units = new Map(DEMO_DEVICES.flatMap(({ unit, meter }) => (unit === null ? [] : [[unit, meter] as const])));
  const read = (holding: boolean) => (address: number, length: number, unit: number) => {
    const meter = units.get(unit);
    if (!meter) throw refused();
    return registersOf(options, meter, holding, address, length);
  };
  const one = (holding: boolean) => (address: number, unit: number) => read(holding)(address, 1, unit)[0] ?? 0;
  const vector = {
    getMultipleHoldingRegisters: read(true),
    getMultipleInputRegisters: read(false),
    getHoldingRegister: one(true),
    getInputRegister: one(false),
  };
  const port = await freePort(options.port);
  const server = await new Promise<ServerTCP>((resolve, reject) => {
    const made: ServerTCP = new ServerTCP(vector, { host: '127.0.0.1', port, unitID: 255 });
    made.on('initialized', () => resolve(made));
    made.on('serverError', reject);
    // a client that goes away is no fault of ours
    made.on('socketError', () => {});
  });
  return { port, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

function registersOf(
  { site, now, reset_ms }: { site: DemoSite; now: () => number; reset_ms: number },
  meter: DemoMeter,
  holding: boolean,
  address: number,
  length: number,
): number[] {
  const at_ms = now();
  const power_W = site.power_W(meter, at_ms);
  const kWh = (direction: 'import' | 'export') => registerOf(site, meter, direction, at_ms, reset_ms);
  if (meter === 'cold') {
    if (holding) throw refused();
    return cut(sdm630Image({ power_W, import_kWh: kWh('import'), export_kWh: 0 }), address, length);
  }
  if (!holding) throw refused();
  const image =
    meter === 'grid'
      ? meterImage(GRID, { power_W, import_kWh: kWh('import'), export_kWh: kWh('export') })
      : inverterImage(PV, { power_W, export_kWh: kWh('export'), temperature_C: site.sky(at_ms).temperature_C + 18 });
  return cut(image, address - SUNSPEC_BASE, length);
}

function cut(image: Uint16Array, from: number, length: number): number[] {
  if (from < 0 || from + length > image.length) throw refused();
  return Array.from(image.subarray(from, from + length));
}

function refused(): Error & { modbusErrorCode: number } {
  return Object.assign(new Error('illegal data address'), { modbusErrorCode: ILLEGAL_ADDRESS });
}

/** modbus-serial cannot listen on port 0, so a free one is found before. */
async function freePort(wanted: number): Promise<number> {
  for (const port of [wanted, 0]) {
    const probe = createServer();
    const found = await new Promise<number | null>((resolve) => {
      probe.once('error', () => resolve(null));
      probe.listen(port, '127.0.0.1', () => resolve((probe.address() as AddressInfo).port));
    });
    await new Promise((resolve) => probe.close(resolve));
    if (found !== null) return found;
  }
  throw new Error('no port on loopback is free');
}
