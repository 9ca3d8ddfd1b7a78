/**
 * The binary encoding of SML: every field begins with type and length (TL). Source: BSI TR-03109-1 Anlage IV Teil b,
 * Smart Message Language 1.04, chapter 6.3 (SML binary encoding).
 */
import { InvalidDataError } from '../../../engine/errors.ts';

/** undefined stands for an optional field that was left out (01). */
export type SmlField = SmlNumber | boolean | Buffer | readonly SmlField[] | undefined;
/** Whole numbers of one to eight bytes; `bytes` and `signed` say how they were sent. */
export type SmlNumber = { integer: bigint; bytes: number; signed: boolean };

const DEEPEST = 10;

export type SmlCursor = { readonly bytes: Buffer; at: number };

/** Reads the field at the cursor and moves behind it. @throws InvalidDataError where it is malformed or cut short. */
export function readField(cursor: SmlCursor, depth = 0): SmlField {
  const { type, length, head } = readTypeLength(cursor);
  if (type === 7) return readList(cursor, length, depth);
  const size = length - head;
  if (size < 0) throw malformed(cursor, `states a length of ${length}`);
  const value = take(cursor, size);
  if (type === 0) return size === 0 ? undefined : value;
  if (type === 4 && size === 1) return value[0] !== 0;
  if ((type === 5 || type === 6) && size >= 1 && size <= 8)
    return { integer: integerOf(value, type === 5), bytes: size, signed: type === 5 };
  throw malformed(cursor, `is of the unknown type ${type} with ${size} bytes`);
}

/** A list states how many fields it has, where others state their bytes. */
function readList(cursor: SmlCursor, count: number, depth: number): SmlField[] {
  if (depth >= DEEPEST) throw malformed(cursor, 'lies too deep in lists');
  if (count > cursor.bytes.length - cursor.at) throw malformed(cursor, `is a list of ${count}, but the file ends`);
  return Array.from({ length: count }, () => readField(cursor, depth + 1));
}

/** Bit 7 says that another TL byte follows, bits 6 to 4 are the type, the rest is the length, TL bytes included. */
function readTypeLength(cursor: SmlCursor): { type: number; length: number; head: number } {
  let byte = take(cursor, 1)[0]!;
  const type = (byte >> 4) & 7;
  let length = byte & 0x0f;
  let head = 1;
  while (byte & 0x80) {
    byte = take(cursor, 1)[0]!;
    if (byte & 0x70 || head >= 4) throw malformed(cursor, 'has a broken length');
    length = (length << 4) | (byte & 0x0f);
    head++;
  }
  return { type, length, head };
}

function integerOf(bytes: Buffer, signed: boolean): bigint {
  const unsigned = BigInt(`0x${bytes.toString('hex')}`);
  return signed ? BigInt.asIntN(8 * bytes.length, unsigned) : unsigned;
}

function take(cursor: SmlCursor, size: number): Buffer {
  const { bytes, at } = cursor;
  if (at + size > bytes.length) throw malformed(cursor, 'goes beyond the end of the file');
  cursor.at += size;
  return bytes.subarray(at, at + size);
}

export function malformed({ at }: SmlCursor, what: string): InvalidDataError {
  return new InvalidDataError(
    `The SML file is malformed: the field at byte ${at} ${what}.`,
    'Check the reading head; if the meter sends this again and again, please report it with the file.',
  );
}
