/** Turns the words of Modbus registers into values. Modbus sends each word big-endian; devices disagree on the rest. */
import type { RegisterType } from '../profile/schema.ts';

export type Order = { word_order: 'big' | 'little'; byte_order: 'big' | 'little' };

const LENGTHS: Record<Exclude<RegisterType, 'string'>, number> = {
  u16: 1,
  s16: 1,
  bcd16: 1,
  u32: 2,
  s32: 2,
  bcd32: 2,
  float32: 2,
  u64: 4,
  s64: 4,
  float64: 4,
};

/** Registers that a value of the type takes. */
export function registerLength(type: Exclude<RegisterType, 'string'>): number {
  return LENGTHS[type];
}

/**
 * @param words the value's registers as they came over the wire.
 * @returns null for NaN, infinities and BCD digits above 9, which stand for "no value" everywhere.
 */
export function decodeRegister(words: Buffer, type: Exclude<RegisterType, 'string'>, order: Order): number | null {
  const bytes = ordered(words, order);
  switch (type) {
    case 'u16':
      return bytes.readUInt16BE();
    case 's16':
      return bytes.readInt16BE();
    case 'u32':
      return bytes.readUInt32BE();
    case 's32':
      return bytes.readInt32BE();
    case 'u64':
      return Number(bytes.readBigUInt64BE());
    case 's64':
      return Number(bytes.readBigInt64BE());
    case 'float32':
      return shortest(bytes.readFloatBE());
    case 'float64':
      return finite(bytes.readDoubleBE());
    case 'bcd16':
    case 'bcd32':
      return bcd(bytes);
  }
}

/** ASCII text up to the first NUL, without blanks at the end. */
export function decodeText(words: Buffer, order: Order): string {
  return ordered(words, order).toString('latin1').split('\0')[0]!.trim();
}

function ordered(words: Buffer, { word_order, byte_order }: Order): Buffer {
  const bytes = Buffer.from(words);
  if (word_order === byte_order) return word_order === 'big' ? bytes : bytes.reverse();
  // Words little, bytes big: turning all round, then each word back; the other way: each word only.
  return (word_order === 'little' ? bytes.reverse() : bytes).swap16();
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** A 32-bit float holds about seven digits: the shortest decimal that it stands for (230.2, not 230.19999694824219). */
function shortest(value: number): number | null {
  if (!Number.isFinite(value)) return null;
  for (let digits = 6; digits <= 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return value;
}

function bcd(bytes: Buffer): number | null {
  const digits = bytes.toString('hex');
  return /^\d+$/.test(digits) ? Number(digits) : null;
}
