/** A serial line on this machine (a pseudo-terminal) with Modbus RTU devices on it whose manners a test chooses. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { platform } from 'node:os';

/** Opens a pair, tells the path that a program opens, and carries bytes between the other end and its own pipes. */
const RELAY = `
import os, pty, select, sys, tty
line, port = pty.openpty()
tty.setraw(port)
sys.stderr.write(os.ttyname(port) + "\\n")
sys.stderr.flush()
while True:
    for ready in select.select([0, line], [], [])[0]:
        data = os.read(ready, 4096)
        if ready == 0 and not data:
            sys.exit(0)
        os.write(line if ready == 0 else 1, data)
`;

/** Why there can be no such line here; null where there can. */
export const noSerialLine: string | null =
  platform() === 'win32'
    ? 'no pseudo-terminals'
    : spawnSync('python3', ['-c', 'import pty, tty']).status === 0
      ? null
      : 'needs python3 for a pseudo-terminal';

export type SerialRequest = { unit: number; code: number; address: number; count: number };
/** Words, an exception, bytes as they are, or nothing. */
export type SerialAnswer = { words: number[] } | { exception: number } | { raw: Buffer } | 'silent';
export type SerialLine = {
  /** Like /dev/ttyUSB0. */
  path: string;
  requests: SerialRequest[];
  answer: (request: SerialRequest) => SerialAnswer | Promise<SerialAnswer>;
  /** As if the adapter was pulled. */
  unplug(): Promise<void>;
  close(): Promise<void>;
};

export async function openSerialLine(answer: SerialLine['answer']): Promise<SerialLine> {
  const relay = spawn('python3', ['-c', RELAY], { stdio: ['pipe', 'pipe', 'pipe'] });
  const [path] = (await once(relay.stderr, 'data')) as [Buffer];
  const line: SerialLine = {
    ...{ path: String(path).trim(), requests: [], answer },
    unplug: () => end(relay),
    close: () => end(relay),
  };
  let bytes = Buffer.alloc(0);
  relay.stdin.on('error', () => undefined);
  relay.stdout.on('data', async (more: Buffer) => {
    bytes = Buffer.concat([bytes, more]);
    for (; bytes.length >= 8; bytes = bytes.subarray(8)) {
      const frame = bytes.subarray(0, 8);
      if (crc16(frame.subarray(0, 6)) !== frame.readUInt16LE(6)) throw new Error('a request with a wrong check');
      const request = {
        unit: frame[0]!,
        code: frame[1]!,
        address: frame.readUInt16BE(2),
        count: frame.readUInt16BE(4),
      };
      line.requests.push(request);
      const said = await line.answer(request);
      if (said !== 'silent') relay.stdin.write('raw' in said ? said.raw : frameOf(request, said));
    }
  });
  return line;
}

export function frameOf({ unit, code }: SerialRequest, said: { words: number[] } | { exception: number }): Buffer {
  const body =
    'exception' in said
      ? [unit, code | 0x80, said.exception]
      : [unit, code, 2 * said.words.length, ...said.words.flatMap((word) => [word >> 8, word & 0xff])];
  const check = Buffer.alloc(2);
  check.writeUInt16LE(crc16(Buffer.from(body)));
  return Buffer.concat([Buffer.from(body), check]);
}

/** Modbus over serial line V1.02, 6.2.2. */
export function crc16(bytes: Buffer): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  }
  return crc;
}

async function end(relay: ChildProcess): Promise<void> {
  if (relay.exitCode !== null || relay.signalCode !== null) return;
  const ended = once(relay, 'exit');
  relay.kill('SIGKILL');
  await ended;
}
