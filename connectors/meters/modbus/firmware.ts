import type { ModbusSpec, VersionSpec } from '../profile/schema.ts';
import { decodeRegister, decodeText, type Order, registerLength } from './registers.ts';
import type { RegisterRead } from './request.ts';
import type { FoundModel } from './sunspec.ts';
import { SUNSPEC_MODELS } from './sunspec-models.ts';

const BIG: Order = { word_order: 'big', byte_order: 'big' };

/** @returns the device's firmware version, or null where the profile knows no place for it. Rejects as `read` does. */
export async function readFirmware(
  modbus: ModbusSpec,
  models: readonly FoundModel[],
  read: RegisterRead,
): Promise<string | null> {
  if (!modbus.firmware) return null;
  const place = placeOf(modbus.firmware, models);
  if (!place) return null;
  const words = await read(modbus.firmware.function ?? modbus.function, place.address, place.length);
  return versionText(words, modbus.firmware) || null;
}

function placeOf(spec: VersionSpec, models: readonly FoundModel[]): { address: number; length: number } | null {
  if (spec.sunspec) {
    const common = models.find(({ id }) => id === 1);
    const point = SUNSPEC_MODELS[1]!.points.Vr!;
    return common ? { address: common.address + point.offset, length: point.length ?? 1 } : null;
  }
  if (spec.at === undefined) return null;
  return { address: spec.at, length: spec.type === 'string' ? (spec.length ?? 1) : registerLength(spec.type) };
}

function versionText(words: Buffer, spec: VersionSpec): string {
  if (spec.sunspec || spec.type === 'string') return decodeText(words, BIG);
  if (spec.bits) return bitParts(words, spec.bits);
  const number = decodeRegister(words, spec.type, BIG);
  if (number === null) return '';
  return spec.digits ? digitParts(number, spec.digits) : String(number);
}

/** 0x1803 in parts of 4, 4 and 8 bits is 1.8.3. */
function bitParts(words: Buffer, widths: readonly number[]): string {
  let bits = [...words].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const parts: number[] = [];
  for (const width of widths) {
    if (width > 0) parts.push(Number.parseInt(bits.slice(0, width), 2));
    bits = bits.slice(Math.abs(width));
  }
  return parts.join('.');
}

/** 13105 in parts of 1, 1 and 3 digits is 1.3.105. */
function digitParts(number: number, widths: readonly number[]): string {
  let digits = String(number).padStart(
    widths.reduce((sum, width) => sum + width, 0),
    '0',
  );
  const parts: number[] = [];
  for (const width of widths) {
    parts.push(Number(digits.slice(0, width)));
    digits = digits.slice(width);
  }
  return parts.join('.');
}
