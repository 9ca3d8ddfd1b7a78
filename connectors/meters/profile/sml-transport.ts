/**
 * The transport of SML files (Smart Message Language): escape sequences around and in the data, and a checksum at the
 * end. Source: BSI TR-03109-1 Anlage IV Teil b, Smart Message Language 1.04, chapter 8 (SML transport protocol v1).
 */
import { InvalidDataError } from '../../../engine/errors.ts';

const ESCAPE = 0x1b1b1b1b;
const BEGIN = 0x01010101;
const HINT = 'The reading head must pass on each file whole, from 1b1b1b1b01010101 to the checksum.';

/**
 * @param file one SML file as the meter sends it: 1b1b1b1b 01010101, data, 1b1b1b1b 1a, fill bytes, CRC.
 * @returns the messages without escapes and fill bytes.
 * @throws InvalidDataError when it is cut short, has something before or after it, holds the beginning of another
 * file, or its checksum does not fit: bytes were lost then, and no value of it can be trusted.
 */
export function unwrapSmlFile(file: Buffer): Buffer {
  if (file.length < 16 || file.readUInt32BE(0) !== ESCAPE || file.readUInt32BE(4) !== BEGIN)
    throw new InvalidDataError('This is no SML file: it must begin with 1b1b1b1b01010101.', HINT);
  const parts: Buffer[] = [];
  for (let from = 8, at = 8; ; ) {
    at = file.indexOf('1b1b1b1b', at, 'hex');
    if (at < 0 || at + 8 > file.length) throw new InvalidDataError('The SML file is cut short: it has no end.', HINT);
    parts.push(file.subarray(from, at));
    if (file[at + 4] === 0x1a) return withoutFill(file, at, Buffer.concat(parts));
    const meaning = file.readUInt32BE(at + 4);
    if (meaning === BEGIN)
      throw new InvalidDataError('A second SML file begins before the first has ended: bytes were lost between.', HINT);
    if (meaning !== ESCAPE)
      throw new InvalidDataError(`The SML file has the unknown escape ${hex(file, at + 4, 4)}.`, HINT);
    // Four 1b in the data are sent twice; the second four stand for them.
    from = at + 4;
    at += 8;
  }
}

/** Checks what follows the end escape at `at`: 1a, the number of fill bytes (0 to 3), and the checksum. */
function withoutFill(file: Buffer, at: number, data: Buffer): Buffer {
  const end = at + 8;
  if (file.length > end)
    throw new InvalidDataError(
      `The SML file is followed by ${file.length - end} bytes that do not belong to it: ${hex(file, end, 8)}.`,
      'Send one file a message.',
    );
  const stated = file.readUInt16LE(at + 6);
  const found = crcX25(file.subarray(0, at + 6));
  if (stated !== found)
    throw new InvalidDataError(
      `The SML file was damaged on the way: its checksum ${hex(file, at + 6, 2)} does not fit.`,
      'Check how the reading head sits on the meter.',
    );
  const fill = file[at + 5]!;
  if (fill > 3 || data.length < fill || data.subarray(data.length - fill).some((byte) => byte !== 0))
    throw new InvalidDataError(`The SML file says that it ends in ${fill} fill bytes, which it does not.`, HINT);
  return data.subarray(0, data.length - fill);
}

function hex(bytes: Buffer, at: number, length: number): string {
  return bytes.subarray(at, at + length).toString('hex');
}

/** CRC-16/X-25 (polynomial 0x1021 mirrored, start and final XOR 0xFFFF), as DIN EN 62056-46 has it. */
export function crcX25(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x8408 : crc >>> 1;
  }
  return crc ^ 0xffff;
}
