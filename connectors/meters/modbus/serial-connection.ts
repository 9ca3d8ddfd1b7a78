/** A Modbus connection over a serial port through modbus-serial: the only file that knows it. */
import ModbusSerial from 'modbus-serial';
import { UnavailableError } from '../../../engine/errors.ts';
import type { BusEndpoint, Connection } from './connection.ts';
import { plainText } from './pdu.ts';
import type { FunctionCode } from './plan.ts';
import { ModbusException, ModbusTimeout } from './request.ts';

const ModbusRTU = ModbusSerial.default;
type Client = InstanceType<typeof ModbusRTU>;
type SerialEndpoint = Extract<BusEndpoint, { kind: 'serial' }>;

/** Rejects UnavailableError in words. */
export async function openSerialConnection(endpoint: SerialEndpoint): Promise<Connection> {
  const client = new ModbusRTU();
  // Without a listener an error event would end the process; requests fail by themselves.
  client.on('error', () => undefined);
  await openPort(client, endpoint);
  const { lost, isLost, markLost } = watch(client, endpoint);
  /** An adapter that was pulled may fail a request before the port is known to be closed. */
  const onLine = async <T>(request: Promise<T>): Promise<T> => {
    try {
      return await Promise.race([request, lost]);
    } catch (error) {
      if (client.isOpen || error instanceof ModbusException || error instanceof ModbusTimeout) throw error;
      throw closed(endpoint, error);
    }
  };
  return {
    numbered: false,
    isOpen: () => client.isOpen && !isLost(),
    read: (unit, code, address, count, limit_ms) => onLine(readRegisters(client, unit, code, address, count, limit_ms)),
    write: (unit, address, words, limit_ms) => onLine(writeRegisters(client, unit, address, words, limit_ms)),
    identify: (unit, limit_ms) => onLine(identify(client, unit, limit_ms)),
    close() {
      markLost();
      client.close(() => undefined);
    },
  };
}

async function openPort(client: Client, endpoint: SerialEndpoint): Promise<void> {
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
      {
        cause: error,
        words: { code: 'serial_port', params: { path: endpoint.path, reason: (error as Error).message } },
      },
    );
  }
}

/** Turns the end of the port into a failure of the request that waits for it. */
function watch(client: Client, endpoint: SerialEndpoint) {
  let over = false;
  let fail: (error: Error) => void = () => undefined;
  const lost = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Nobody may be waiting when it ends.
  lost.catch(() => undefined);
  client.on('close', () => {
    over = true;
    fail(closed(endpoint));
  });
  const markLost = () => {
    over = true;
  };
  return { lost, isLost: () => over, markLost };
}

function closed({ path }: SerialEndpoint, cause?: unknown): UnavailableError {
  if (cause instanceof UnavailableError) return cause;
  const words = { code: 'serial_closed', params: { path } } as const;
  return new UnavailableError(`${path} was closed.`, 'Is the adapter still plugged in?', { words, cause });
}

async function readRegisters(
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
    throw inOurs(error, address, count);
  }
}

async function writeRegisters(
  client: Client,
  unit: number,
  address: number,
  words: readonly number[],
  timeout_ms: number,
): Promise<void> {
  client.setID(unit);
  client.setTimeout(timeout_ms);
  const [first] = words;
  try {
    if (words.length === 1) await client.writeRegister(address, first! & 0xffff);
    else
      await client.writeRegisters(
        address,
        words.map((word) => word & 0xffff),
      );
  } catch (error) {
    throw inOurs(error, address, words.length);
  }
}

async function identify(client: Client, unit: number, timeout_ms: number) {
  client.setID(unit);
  client.setTimeout(timeout_ms);
  try {
    const { data } = (await client.readDeviceIdentification(1, 0)) as { data: Record<number, string> };
    const text = (object: number) => plainText(Buffer.from(String(data[object] ?? ''), 'latin1'));
    return { vendor: text(0), product: text(1), version: text(2) };
  } catch (error) {
    throw inOurs(error, 0, 1);
  }
}

function inOurs(error: unknown, address: number, count: number): unknown {
  const { modbusCode, errno, name } = error as { modbusCode?: number; errno?: string; name?: string };
  if (modbusCode !== undefined) return new ModbusException(modbusCode, address, count);
  if (errno === 'ETIMEDOUT' || name === 'TransactionTimedOutError') return new ModbusTimeout('no answer in time');
  return error;
}
