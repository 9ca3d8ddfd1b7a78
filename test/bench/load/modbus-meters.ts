/**
 * Meters behind one Modbus TCP gateway, in a process of their own. Each time one is read its power is one watt more than
 * the last time, so that every value tells which reading it came from.
 */
import { type AddressInfo, createServer } from 'node:net';
import { ServerTCP } from 'modbus-serial';
import { sdm630Image } from '../../../gateway/demo/sdm630-map.ts';
import { FIRST_W, type Served } from './protocol.ts';

/** The register of the profile that holds power. */
const POWER_AT = 0x34;
const served: Served = {};

function read(address: number, length: number, unit: number): number[] {
  served[unit] ??= [];
  const times = served[unit];
  if (address <= POWER_AT && address + length > POWER_AT) times.push(Date.now());
  const power_W = FIRST_W + times.length - 1;
  const image = sdm630Image({ power_W, import_kWh: power_W, export_kWh: 0 });
  if (address + length > image.length) throw Object.assign(new Error('illegal data address'), { modbusErrorCode: 2 });
  return Array.from(image.subarray(address, address + length));
}

/** modbus-serial cannot listen on port 0. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
  const { port } = probe.address() as AddressInfo;
  await new Promise((done) => probe.close(done));
  return port;
}

const port = await freePort();
const server = new ServerTCP(
  {
    getMultipleInputRegisters: read,
    getInputRegister: (address: number, unit: number) => read(address, 1, unit)[0] ?? 0,
  },
  { host: '127.0.0.1', port, unitID: 255 },
);
const listening = new Promise<void>((done) => server.on('initialized', () => done()));
// The box is killed with its connections open.
server.on('socketError', () => {});
process.on('message', async ({ give }: { give: 'port' | 'served' }) => {
  await listening;
  process.send!(give === 'port' ? { port } : { served });
});
process.on('disconnect', () => process.exit(0));
