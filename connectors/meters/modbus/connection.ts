/** One connection to a bus through modbus-serial: the only file that knows it. */
import { connect as connectSocket, type Socket } from 'node:net';
import ModbusSerial from 'modbus-serial';
import { UnavailableError } from '../../../engine/errors.ts';
import type { FunctionCode } from './plan.ts';
import { ModbusException } from './request.ts';

const ModbusRTU = ModbusSerial.default;

/** Where a bus is: `rtu` frames over TCP are what simple serial gateways speak. */
export type BusEndpoint =
  | { kind: 'tcp'; host: string; port: number; framing: 'tcp' | 'rtu' }
  | { kind: 'serial'; path: string; baud: number; parity: 'none' | 'even' | 'odd'; stop_bits: 1 | 2 };

/** Name for people and logs, and the key under which devices share a bus. */
export function endpointName(endpoint: BusEndpoint): string {
  return endpoint.kind === 'tcp' ? `${endpoint.host}:${endpoint.port}` : endpoint.path;
}

/** No answer came in time. */
export class ModbusTimeout extends Error {}

export type Connection = {
  /** Frames carry a transaction number, so that a late answer cannot be taken for that of a later request. */
  readonly numbered: boolean;
  read(unit: number, code: FunctionCode, address: number, count: number, timeout_ms: number): Promise<Buffer>;
  /** Whether the other end is still there, as far as is known. */
  isOpen(): boolean;
  close(): void;
};

/** Rejects UnavailableError in words. */
export async function openConnection(endpoint: BusEndpoint, timeout_ms: number): Promise<Connection> {
  const client = new ModbusRTU();
  // Without a listener an error event would end the process; requests fail by themselves.
  client.on('error', () => undefined);
  const link =
    endpoint.kind === 'tcp' ? await linkTcp(client, endpoint, timeout_ms) : await linkSerial(client, endpoint);
  return {
    numbered: endpoint.kind === 'tcp' && endpoint.framing === 'tcp',
    isOpen: () => client.isOpen && !link.isLost(),
    read: (unit, code, address, count, limit_ms) =>
      Promise.race([request(client, unit, code, address, count, limit_ms), link.lost]),
    close: link.close,
  };
}

type Client = InstanceType<typeof ModbusRTU>;
type Link = { lost: Promise<never>; isLost(): boolean; close(): void };

async function linkTcp(
  client: Client,
  endpoint: Extract<BusEndpoint, { kind: 'tcp' }>,
  timeout_ms: number,
): Promise<Link> {
  const socket = await reach(endpoint, timeout_ms);
  const link = watch(socket, () => socket.destroy(), endpoint);
  // A telnet port of the library is RTU frames over TCP as they are.
  await (endpoint.framing === 'tcp' ? client.linkTCP(socket, { port: endpoint.port }) : client.linkTelnet(socket, {}));
  return link;
}

function reach({ host, port }: { host: string; port: number }, timeout_ms: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host, port, keepAlive: true, keepAliveInitialDelay: 30_000, noDelay: true });
    const timer = setTimeout(() => fail(`${host}:${port} does not answer`), timeout_ms);
    const fail = (what: string, cause?: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(new UnavailableError(`${what}.`, 'Is it powered and on the network, is the address right?', { cause }));
    };
    socket.once('error', (error: NodeJS.ErrnoException) => fail(connectText(error, host, port), error));
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

function connectText(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === 'ECONNREFUSED') return `${host} refuses connections on port ${port}`;
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') return `The name ${host} is not known`;
  if (error.code === 'EHOSTUNREACH' || error.code === 'ENETUNREACH') return `There is no way to ${host}`;
  return `${host}:${port} does not let us connect (${error.code ?? error.message})`;
}

async function linkSerial(client: Client, endpoint: Extract<BusEndpoint, { kind: 'serial' }>): Promise<Link> {
  try {
    await client.connectRTUBuffered(endpoint.path, {
      baudRate: endpoint.baud,
      parity: endpoint.parity,
      stopBits: endpoint.stop_bits,
      dataBits: 8,
    });
  } catch (error) {
    throw new UnavailableError(
      `The serial port ${endpoint.path} cannot be opened (${(error as Error).message}).`,
      'Is the adapter plugged in, is the path right, may the box use it (group dialout)?',
      { cause: error },
    );
  }
  return watch(client, () => client.close(() => undefined), endpoint);
}

/** Turns the end of the connection into a failure of the request that waits for it. */
function watch(source: Socket | Client, close: () => void, endpoint: BusEndpoint): Link {
  let over = false;
  let fail: (error: Error) => void = () => undefined;
  const lost = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Nobody may be waiting when it ends.
  lost.catch(() => undefined);
  const end = () => {
    over = true;
    fail(new UnavailableError(`${endpointName(endpoint)} closed the connection.`, 'It may serve one client only.'));
  };
  (source as Socket).once('close', end);
  return {
    lost,
    isLost: () => over,
    close() {
      over = true;
      close();
    },
  };
}

async function request(
  client: Client,
  unit: number,
  code: FunctionCode,
  address: number,
  count: number,
  timeout_ms: number,
): Promise<Buffer> {
  client.setID(unit);
  client.setTimeout(timeout_ms);
  try {
    const { buffer } = await (code === 3
      ? client.readHoldingRegisters(address, count)
      : client.readInputRegisters(address, count));
    if (buffer.length !== 2 * count) throw new Error(`${buffer.length} bytes came instead of ${2 * count}`);
    return buffer;
  } catch (error) {
    const { modbusCode, errno, name } = error as { modbusCode?: number; errno?: string; name?: string };
    if (modbusCode !== undefined) throw new ModbusException(modbusCode, address, count);
    if (errno === 'ETIMEDOUT' || name === 'TransactionTimedOutError') throw new ModbusTimeout('no answer in time');
    throw error;
  }
}
