/**
 * The binary form of one journal record, little endian:
 * marker u32 | body length u32 | CRC32 of the body u32 | body.
 * Body: seq u48 | flags u8 | received_ms f64 | tenant | source | [device] | [delivery f64] | count u32 | readings.
 * Reading: flags u8 | [meter, where it is not the device's id] | quantity | at_ms f64 | [from_ms f64] | value f64 | quality u16.
 * Text: length u8 (255: u16 follows) | UTF-8. Every record stands for itself, so that one that is damaged costs no other.
 */
import { crc32 } from 'node:zlib';
import { InvalidDataError } from '../../engine/errors.ts';
import type { JournalledGroup, Reading, ReadingGroup } from '../../engine/model/reading.ts';

export const FRAME_BYTES = 12;
/** A damaged length must not make a reader allocate the disk; one message or batch stays far below. */
export const RECORD_MAX_BYTES = 16 * 1024 * 1024;
/** `LJR\x1a` read as little endian: text files cannot hold it by chance. */
const MARKER = 0x1a524a4c;
const MARKER_BYTES = Buffer.from([0x4c, 0x4a, 0x52, 0x1a]);

const HAS_DEVICE = 1;
const HAS_DELIVERY = 2;
const HAS_FROM = 1;
const METER_IS_DEVICE = 2;

/** Collects records in one growing buffer: what a group commit writes in one go. */
export type RecordBuffer = {
  /** Appends one record. @throws InvalidDataError when it is larger than RECORD_MAX_BYTES; nothing is appended then. */
  add(seq: number, group: ReadingGroup): void;
  /** What was added since `clear`; valid until the next `add` or `clear`. */
  bytes(): Buffer;
  length(): number;
  clear(): void;
};

/** @returns an empty record buffer that starts with `initial_bytes`. */
export function createRecordBuffer(initial_bytes = 256 * 1024): RecordBuffer {
  let buffer = Buffer.allocUnsafeSlow(initial_bytes);
  let view = new DataView(buffer.buffer);
  let end = 0;
  const keep_bytes = initial_bytes * 8;

  function reserve(bytes: number): void {
    if (end + bytes <= buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(buffer.length * 2, end + bytes));
    buffer.copy(larger, 0, 0, end);
    buffer = larger;
    view = new DataView(buffer.buffer);
  }
  function putText(text: string): void {
    reserve(text.length * 3 + 3);
    const short = text.length < 85;
    const start = end + (short ? 1 : 3);
    const length = putCharacters(buffer, text, start);
    if (length > 65535) throw new InvalidDataError(`A name of ${length} bytes is too long.`, 'Use shorter names.');
    buffer[end] = short ? length : 255;
    if (!short) view.setUint16(end + 1, length, true);
    end = start + length;
  }
  function putReading(reading: Reading, device: string | null): void {
    reserve(32);
    const { from_ms } = reading;
    const same = reading.meter === device;
    buffer[end++] = (from_ms === undefined ? 0 : HAS_FROM) | (same ? METER_IS_DEVICE : 0);
    if (!same) putText(reading.meter);
    putText(reading.quantity);
    reserve(26);
    view.setFloat64(end, reading.at_ms, true);
    end += 8;
    if (from_ms !== undefined) {
      view.setFloat64(end, from_ms, true);
      end += 8;
    }
    view.setFloat64(end, reading.value, true);
    view.setUint16(end + 8, reading.quality, true);
    end += 10;
  }
  function putHead(seq: number, group: ReadingGroup): void {
    reserve(FRAME_BYTES + 32);
    end += FRAME_BYTES;
    view.setUint32(end, seq >>> 0, true);
    view.setUint16(end + 4, Math.floor(seq / 2 ** 32), true);
    buffer[end + 6] = (group.device === null ? 0 : HAS_DEVICE) | (group.delivery === undefined ? 0 : HAS_DELIVERY);
    view.setFloat64(end + 7, group.received_ms, true);
    end += 15;
    putText(group.tenant);
    putText(group.source);
    if (group.device !== null) putText(group.device);
    reserve(12);
    if (group.delivery !== undefined) {
      view.setFloat64(end, group.delivery, true);
      end += 8;
    }
    view.setUint32(end, group.readings.length, true);
    end += 4;
  }
  return {
    add(seq, group) {
      const start = end;
      try {
        putHead(seq, group);
        for (const reading of group.readings) putReading(reading, group.device);
        if (end - start > RECORD_MAX_BYTES)
          throw new InvalidDataError(
            `${group.readings.length} readings in one piece are more than the journal takes.`,
            'Send them in smaller messages.',
          );
      } catch (error) {
        end = start;
        throw error;
      }
      view.setUint32(start, MARKER, true);
      view.setUint32(start + 4, end - start - FRAME_BYTES, true);
      view.setUint32(start + 8, crc32(buffer.subarray(start + FRAME_BYTES, end)), true);
    },
    bytes: () => buffer.subarray(0, end),
    length: () => end,
    clear() {
      end = 0;
      // One huge message must not hold its memory for ever.
      if (buffer.length > keep_bytes) {
        buffer = Buffer.allocUnsafeSlow(initial_bytes);
        view = new DataView(buffer.buffer);
      }
    },
  };
}

/** Writes ASCII byte by byte, which for short names beats a call into the runtime; the rest as UTF-8. */
function putCharacters(buffer: Buffer, text: string, start: number): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return buffer.write(text, start, 'utf8');
    buffer[start + i] = code;
  }
  return text.length;
}

/** What stands at an offset of a segment: a record, or why there is none. */
export type Found =
  | { kind: 'record'; seq: number; end: number }
  /** The bytes end before the record does, or nothing was written there yet: more may come, or it was torn. */
  | { kind: 'short' }
  | { kind: 'corrupt' };

const SHORT: Found = { kind: 'short' };
const CORRUPT: Found = { kind: 'corrupt' };

/** Looks for a whole and intact record at `offset`. */
export function recordAt(bytes: Buffer, offset: number): Found {
  if (offset + FRAME_BYTES > bytes.length) return SHORT;
  const marker = bytes.readUInt32LE(offset);
  // Zeros are what the file grew by ahead of its records.
  if (marker !== MARKER) return marker === 0 ? SHORT : CORRUPT;
  const length = bytes.readUInt32LE(offset + 4);
  if (length > RECORD_MAX_BYTES || length < 21) return CORRUPT;
  const end = offset + FRAME_BYTES + length;
  if (end > bytes.length) return SHORT;
  if (crc32(bytes.subarray(offset + FRAME_BYTES, end)) !== bytes.readUInt32LE(offset + 8)) return CORRUPT;
  return { kind: 'record', seq: seqAt(bytes, offset), end };
}

function seqAt(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset + FRAME_BYTES) + bytes.readUInt16LE(offset + FRAME_BYTES + 4) * 2 ** 32;
}

/** Bytes that the record at the start of `bytes` says it has. */
export function neededBytes(bytes: Buffer): number {
  const length = bytes.length < FRAME_BYTES ? 0 : bytes.readUInt32LE(4);
  return FRAME_BYTES + Math.min(length, RECORD_MAX_BYTES);
}

/** @returns the offset of the next possible record at or after `offset`, or −1. */
export function nextMarker(bytes: Buffer, offset: number): number {
  return bytes.indexOf(MARKER_BYTES, offset);
}

/** Decodes no more of a record than whose it is and how many readings it holds. */
export function decodeHead(bytes: Buffer, offset: number): { seq: number; source: string; readings: number } {
  let at = offset + FRAME_BYTES + 15;
  const flags = bytes[offset + FRAME_BYTES + 6]!;
  const next = (): [number, number] => {
    const long = bytes[at] === 255;
    const start = at + (long ? 3 : 1);
    at = start + (long ? bytes.readUInt16LE(at + 1) : bytes[at]!);
    return [start, at];
  };
  next();
  const source = bytes.toString('utf8', ...next());
  if (flags & HAS_DEVICE) next();
  if (flags & HAS_DELIVERY) at += 8;
  return { seq: seqAt(bytes, offset), source, readings: bytes.readUInt32LE(at) };
}

/** Decodes the record at `offset`, which `recordAt` found intact. */
export function decodeRecord(bytes: Buffer, offset: number): JournalledGroup {
  let at = offset + FRAME_BYTES + 6;
  const text = (): string => {
    let length = bytes[at++]!;
    if (length === 255) {
      length = bytes.readUInt16LE(at);
      at += 2;
    }
    at += length;
    return bytes.toString('utf8', at - length, at);
  };
  const float = (): number => {
    at += 8;
    return bytes.readDoubleLE(at - 8);
  };
  const flags = bytes[at++]!;
  const received_ms = float();
  const tenant = text();
  const source = text();
  const device = flags & HAS_DEVICE ? text() : null;
  const delivery = flags & HAS_DELIVERY ? float() : undefined;
  const readings = new Array<Reading>(bytes.readUInt32LE(at));
  at += 4;
  for (let i = 0; i < readings.length; i++) {
    const marks = bytes[at++]!;
    const meter = marks & METER_IS_DEVICE && device !== null ? device : text();
    const quantity = text();
    const at_ms = float();
    const from_ms = marks & HAS_FROM ? float() : undefined;
    const value = float();
    const quality = bytes.readUInt16LE(at);
    at += 2;
    readings[i] =
      from_ms === undefined
        ? { meter, quantity, at_ms, value, quality }
        : { meter, quantity, at_ms, from_ms, value, quality };
  }
  const group: JournalledGroup = { seq: seqAt(bytes, offset), tenant, source, device, received_ms, readings };
  if (delivery !== undefined) group.delivery = delivery;
  return group;
}
