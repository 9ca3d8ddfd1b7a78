/** An Eastron SDM630 on loopback: the library's own Modbus TCP server over the register map of the demo's cold store. */

import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { ServerTCP } from 'modbus-serial';
import { type Sdm630State, sdm630Image } from '../../gateway/demo/sdm630-map.ts';

export type Sdm630 = { port: number; set(state: Sdm630State): void; close(): Promise<void> };

const UNIT = 1;

export async function openSdm630(state: Sdm630State): Promise<Sdm630> {
  let image = sdm630Image(state);
  const port = await freePort();
  const vector = {
    getInputRegister: (address: number) => image[address] ?? 0,
    getMultipleInputRegisters: (address: number, length: number) =>
      Array.from(image.subarray(address, address + length)),
  };
  const server = await new Promise<ServerTCP>((resolve, reject) => {
    const made: ServerTCP = new ServerTCP(vector, { host: '127.0.0.1', port, unitID: UNIT });
    made.on('initialized', () => resolve(made));
    made.on('serverError', reject);
    made.on('socketError', () => {});
  });
  return {
    port,
    set: (next) => {
      image = sdm630Image(next);
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** The library cannot tell on which port it listens. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
