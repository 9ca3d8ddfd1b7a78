/**
 * Finding the models of a SunSpec device: the marker "SunS" at a candidate base, then model after model (ID, length)
 * until ID 0xFFFF. Source: SunSpec Device Information Model Specification 1.1, chapter 6.
 */
import { UnsupportedError } from '../../../engine/errors.ts';
import type { PointSpec } from '../profile/schema.ts';
import { ModbusException, type RegisterRead } from './request.ts';
import { SUNSPEC_MODELS, type SunSpecPoint, type SunSpecType } from './sunspec-models.ts';

/** `address` is that of the model's ID register; `length` counts the registers after ID and length. */
export type FoundModel = { id: number; address: number; length: number };

const MARKER = 0x53756e53;
const END = 0xffff;
const MOST_MODELS = 100;

/** @throws UnsupportedError where no base holds the marker; connection errors pass through. */
export async function findModels(read: RegisterRead, bases: readonly number[]): Promise<FoundModel[]> {
  for (const base of bases) {
    const marker = await readOrRefused(read, base, 2);
    if (marker?.readUInt32BE() === MARKER) return walkModels(read, base + 2);
  }
  throw new UnsupportedError(
    `The device shows no SunSpec map at ${bases.join(', ')}.`,
    'Switch SunSpec Modbus on in the device, check the unit number, or choose the profile of its own register map.',
  );
}

async function walkModels(read: RegisterRead, first: number): Promise<FoundModel[]> {
  const models: FoundModel[] = [];
  let address = first;
  while (models.length < MOST_MODELS && address < 0xfffe) {
    const header = await readOrRefused(read, address, 2);
    const id = header?.readUInt16BE(0) ?? END;
    if (id === END || id === 0) break;
    const length = header!.readUInt16BE(2);
    models.push({ id, address, length });
    address += length + 2;
  }
  return models;
}

/** A device answers an address that it does not have with an exception: then it is not there. */
async function readOrRefused(read: RegisterRead, address: number, count: number): Promise<Buffer | null> {
  try {
    return await read(3, address, count);
  } catch (error) {
    if (error instanceof ModbusException && !error.isGateway) return null;
    throw error;
  }
}

/** Where a point of the profile stands in this device; null where the device has none of its models. */
export type PlacedPoint = {
  address: number;
  sf_address: number | null;
  type: SunSpecType;
  length: number;
  model: FoundModel;
};

export function placePoint(models: readonly FoundModel[], spec: PointSpec): PlacedPoint | null {
  for (const id of spec.models) {
    const model = models.find((found) => found.id === id);
    const known = SUNSPEC_MODELS[id];
    if (!model || !known) continue;
    const block = spec.module === undefined ? null : known.module;
    const point = (block?.points ?? known.points)[spec.point];
    if (!point) continue;
    const shift = block ? block.first + (spec.module! - 1) * block.length : 0;
    const offset = shift + point.offset;
    if (offset + pointLength(point) > model.length + 2) continue;
    return {
      address: model.address + offset,
      sf_address: point.sf === undefined ? null : model.address + point.sf,
      type: point.type,
      length: pointLength(point),
      model,
    };
  }
  return null;
}

/** Registers that a point takes. */
export function pointLength(point: SunSpecPoint): number {
  return point.length ?? LENGTHS[point.type] ?? 1;
}

const LENGTHS: Partial<Record<SunSpecType, number>> = { acc32: 2, float32: 2, uint32: 2, uint64: 4 };

/** Raw values by which SunSpec types say "not implemented"; NaN of float32 is left out anyway. */
export const NOT_IMPLEMENTED: Record<SunSpecType, number | null> = {
  uint16: 0xffff,
  int16: -0x8000,
  uint32: 0xffffffff,
  // As a number it is rounded to the next power of two.
  uint64: 2 ** 64,
  acc32: 0,
  float32: null,
  string: null,
};
