/**
 * A Modbus connection over a TCP socket. The framing is our own: the library's TCP port counts transactions modulo 256,
 * looks neither at the protocol number nor at a plausible length, and waits for ever for a frame that never ends.
 */
import { connect as connectSocket, type Socket } from 'node:net';
import type { FaultWords } from '../../../engine/errors.ts';
import { UnavailableError } from '../../../engine/errors.ts';
import type { BusEndpoint, Connection } from './connection.ts';
import { BrokenStream, type Frame, readRtuFrame, readTcpFrame, rtuRequest, tcpRequest } from './frames.ts';
import {
  checkWritten,
  decodeIdentification,
  decodeRead,
  identificationRequest,
  readRequest,
  writeRequest,
} from './pdu.ts';
import { ModbusTimeout } from './request.ts';

type TcpEndpoint = Extract<BusEndpoint, { kind: 'tcp' }>;
type Waiting = {
  transaction: number | null;
  unit: number;
  answer(pdu: Buffer): void;
  fail(error: Error): void;
};

const UNUSED_MOST_BYTES = 64 * 1024;

/** Rejects UnavailableError in words. */
export async function openTcpConnection(endpoint: TcpEndpoint, timeout_ms: number): Promise<Connection> {
  const socket = await reach(endpoint, timeout_ms);
  const numbered = endpoint.framing === 'tcp';
  const stream = listen(socket, endpoint);
  // Another connection of ours, or of a restart, may have left numbers in a gateway: do not begin with the same.
  let transaction = Math.floor(Math.random() * 0x10000);

  function exchange(unit: number, pdu: Buffer, limit_ms: number): Promise<Buffer> {
    transaction = (transaction + 1) & 0xffff;
    const number = numbered ? transaction : null;
    return stream.ask(
      { transaction: number, unit },
      numbered ? tcpRequest(transaction, unit, pdu) : rtuRequest(unit, pdu),
      limit_ms,
    );
  }

  return {
    numbered,
    isOpen: stream.isOpen,
    close: () => socket.destroy(),
    async read(unit, code, address, count, limit_ms) {
      return decodeRead(await exchange(unit, readRequest(code, address, count), limit_ms), code, address, count);
    },
    async write(unit, address, words, limit_ms) {
      checkWritten(await exchange(unit, writeRequest(address, words), limit_ms), address, words);
    },
    async identify(unit, limit_ms) {
      const known = new Map<number, string>();
      for (let from: number | null = 0, turns = 0; from !== null && turns < 4; turns++) {
        const { objects, next } = decodeIdentification(await exchange(unit, identificationRequest(from), limit_ms));
        for (const [object, text] of objects) known.set(object, text);
        from = next !== null && next > from ? next : null;
      }
      return { vendor: known.get(0) ?? '', product: known.get(1) ?? '', version: known.get(2) ?? '' };
    },
  };
}

/** Finds the answers in what the socket brings. One request at a time waits: a bus has one queue. */
function listen(socket: Socket, endpoint: TcpEndpoint) {
  const next = endpoint.framing === 'tcp' ? readTcpFrame : readRtuFrame;
  let bytes: Buffer = Buffer.alloc(0);
  let waiting: Waiting | null = null;
  let over = false;

  const settle = (done: (who: Waiting) => void) => {
    const who = waiting;
    waiting = null;
    if (who) done(who);
  };
  const end = (error: Error) => {
    over = true;
    socket.destroy();
    settle((who) => who.fail(error));
  };
  const take = ({ transaction, unit, pdu }: Frame) => {
    // A late answer, or one to nobody: the number says so. Without numbers nothing may come unasked.
    if (!waiting || transaction !== waiting.transaction) {
      if (transaction === null) end(new BrokenStream('an answer came that nobody waits for'));
      return;
    }
    settle((who) => (unit === who.unit ? who.answer(pdu) : who.fail(new Error(`unit ${unit} answered`))));
  };

  socket.on('data', (data) => {
    bytes = bytes.length === 0 ? data : Buffer.concat([bytes, data]);
    try {
      for (let found = next(bytes); found && !over; found = next(bytes)) {
        bytes = bytes.subarray(found.length);
        take(found.frame);
      }
      if (bytes.length > UNUSED_MOST_BYTES) throw new BrokenStream('more comes than an answer holds');
    } catch (error) {
      end(error as Error);
    }
  });
  socket.once('close', () =>
    end(
      new UnavailableError(
        `${endpoint.host}:${endpoint.port} closed the connection.`,
        'It may serve one client only.',
        {
          words: { code: 'closed', params: { where: `${endpoint.host}:${endpoint.port}` } },
        },
      ),
    ),
  );

  return {
    isOpen: () => !over,
    ask: (whom: { transaction: number | null; unit: number }, request: Buffer, limit_ms: number) =>
      new Promise<Buffer>((resolve, reject) => {
        // What nobody asked for must not be read as the answer.
        if (whom.transaction === null) bytes = Buffer.alloc(0);
        const timer = setTimeout(() => settle((who) => who.fail(new ModbusTimeout('no answer in time'))), limit_ms);
        waiting = {
          ...whom,
          answer: (pdu) => {
            clearTimeout(timer);
            resolve(pdu);
          },
          fail: (error) => {
            clearTimeout(timer);
            reject(error);
          },
        };
        if (over) end(new UnavailableError(`${endpoint.host}:${endpoint.port} closed the connection.`));
        else socket.write(request);
      }),
  };
}

function reach({ host, port }: TcpEndpoint, timeout_ms: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectSocket({ host, port, keepAlive: true, keepAliveInitialDelay: 30_000, noDelay: true });
    const silent = { code: 'no_connect', params: { where: `${host}:${port}`, reason: 'timeout' } } as const;
    const timer = setTimeout(() => fail(`${host}:${port} does not answer`, silent), timeout_ms);
    const fail = (what: string, words: FaultWords, cause?: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(
        new UnavailableError(`${what}.`, 'Is it powered and on the network, is the address right?', { cause, words }),
      );
    };
    socket.once('error', (error: NodeJS.ErrnoException) =>
      fail(connectText(error, host, port), connectWords(error, host, port), error),
    );
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

function connectWords({ code, message }: NodeJS.ErrnoException, host: string, port: number): FaultWords {
  if (code === 'ECONNREFUSED') return { code: 'refuses', params: { host, port: String(port) } };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return { code: 'unknown_host', params: { host } };
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return { code: 'no_way', params: { host } };
  return { code: 'no_connect', params: { where: `${host}:${port}`, reason: code ?? message } };
}

function connectText(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === 'ECONNREFUSED') return `${host} refuses connections on port ${port}`;
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') return `The name ${host} is not known`;
  if (error.code === 'EHOSTUNREACH' || error.code === 'ENETUNREACH') return `There is no way to ${host}`;
  return `${host}:${port} does not let us connect (${error.code ?? error.message})`;
}
