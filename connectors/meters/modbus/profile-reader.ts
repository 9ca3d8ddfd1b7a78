/**
 * Reads a Modbus device as its profile says: plans the requests, finds SunSpec models, learns which registers the
 * device does not have, and decodes. Knows no connection: golden cases, test reads and the poller use the same code.
 */
import { InvalidDataError } from '../../../engine/errors.ts';
import type { Profile } from '../profile/profile.ts';
import type { ModbusSpec, PointSpec, RegisterSpec } from '../profile/schema.ts';
import { scaled } from '../profile/units.ts';
import { readFirmware } from './firmware.ts';
import { planReads, type ReadRequest, type Wanted } from './plan.ts';
import { decodeRegister, type Order, registerLength } from './registers.ts';
import { ModbusException, type RegisterRead } from './request.ts';
import { type FoundModel, findModels, NOT_IMPLEMENTED, placePoint } from './sunspec.ts';

export type ModbusValue = { channel: string; quantity: string; value: number; raw: number };
export type ModbusValues = {
  values: ModbusValue[];
  firmware: string | null;
  /** Quantities whose registers the device refused in this read for the first time, in words. */
  refused: string[];
};

type Known = {
  models: FoundModel[];
  entries: Entry[];
  requests: ReadRequest[];
  /** undefined: not asked yet. */
  firmware: string | null | undefined;
};

export type ProfileReader = {
  /** One round of requests. Rejects UnavailableError (no answer), UnsupportedError (not that kind of device) or
   * InvalidDataError (it refuses every register). */
  read(read: RegisterRead): Promise<ModbusValues>;
  /** Forgets what was learnt of the device: after a reconnect another one may answer. */
  forget(): void;
};

/** One value: the registers it needs, and how they become a number (null: no value). */
type Entry = {
  channel: string;
  quantity: string;
  factor: number;
  invalid: readonly number[];
  wanted: Wanted[];
  decode(memory: Memory): { raw: number; power: number } | null;
};
type Memory = (code: number, address: number, length: number) => Buffer | null;

export function createProfileReader(profile: Profile): ProfileReader {
  if (!profile.modbus) throw new InvalidDataError(`${profile.name} is no Modbus profile.`, 'Choose another profile.');
  const modbus = profile.modbus;
  let known: Known | null = null;

  const learn = async (read: RegisterRead): Promise<Known> => {
    const models = modbus.sunspec ? await findModels(read, modbus.sunspec.bases) : [];
    const entries = [
      ...modbus.registers.map((spec) => registerEntry(modbus, spec)),
      ...(modbus.sunspec?.points ?? []).flatMap((spec) => pointEntry(models, spec) ?? []),
    ];
    if (entries.length === 0)
      throw new InvalidDataError(
        `The device has the SunSpec models ${models.map(({ id }) => id).join(', ')}, none of which this profile reads.`,
        'Choose the profile for meters or the one for inverters.',
      );
    const heads = [...new Set(entries.flatMap((entry) => entry.wanted.map((wanted) => wanted.group)))].flatMap(
      (address) => (address === undefined ? [] : [{ function: 3 as const, address, length: 2, group: address }]),
    );
    const requests = planReads([...heads, ...entries.flatMap((entry) => entry.wanted)], limitsOf(modbus));
    return { models, entries, requests, firmware: undefined };
  };

  const attempt = async (read: RegisterRead): Promise<ModbusValues | 'moved'> => {
    known ??= await learn(read);
    const round = await readAll(known.requests, read);
    if (round.words.size === 0)
      throw new InvalidDataError(
        'The device answers, but refuses every register of this profile.',
        'Check that it is this kind of device and that the unit number is right.',
      );
    known.requests = round.requests;
    const memory = memoryOf(round.words);
    // Asked once and last: a device that is silent about it must not lose its values.
    if (known.firmware === undefined) known.firmware = await readFirmware(modbus, known.models, read).catch(() => null);
    if (movedModels(known.models, memory)) return 'moved';
    const values: ModbusValue[] = [];
    for (const entry of known.entries) {
      if (values.some(({ channel, quantity }) => channel === entry.channel && quantity === entry.quantity)) continue;
      const decoded = entry.decode(memory);
      if (!decoded || entry.invalid.includes(decoded.raw)) continue;
      const value = scaled(decoded.raw, entry.factor * decoded.power);
      values.push({ channel: entry.channel, quantity: entry.quantity, value, raw: decoded.raw });
    }
    return { values, firmware: known.firmware, refused: refusals(known.entries, round.refused) };
  };

  return {
    async read(read) {
      const first = await attempt(read);
      if (first !== 'moved') return first;
      known = null;
      const second = await attempt(read);
      if (second !== 'moved') return second;
      throw new InvalidDataError(
        'The SunSpec map of the device changes while it is read.',
        'Try again after it has started.',
      );
    },
    forget() {
      known = null;
    },
  };
}

function limitsOf({ max_registers, max_gap, forbidden }: ModbusSpec) {
  return { max_registers, max_gap, forbidden };
}

type Round = { words: Map<string, number>; requests: ReadRequest[]; refused: Wanted[] };

/** Sends all requests; one that the device refuses is halved until the register that it does not have stands alone. */
async function readAll(requests: readonly ReadRequest[], read: RegisterRead): Promise<Round> {
  const round: Round = { words: new Map(), requests: [], refused: [] };
  const pending = [...requests];
  for (let request = pending.shift(); request; request = pending.shift()) {
    try {
      const bytes = await read(request.function, request.address, request.count);
      for (let i = 0; i < request.count; i++)
        round.words.set(`${request.function}:${request.address + i}`, bytes.readUInt16BE(2 * i));
      round.requests.push(request);
    } catch (error) {
      if (!(error instanceof ModbusException && error.isAddress)) throw error;
      if (request.wanted.length > 1) pending.unshift(...halves(request));
      else round.refused.push(...request.wanted);
    }
  }
  return round;
}

function halves({ wanted }: ReadRequest): ReadRequest[] {
  const middle = Math.ceil(wanted.length / 2);
  const tight = { max_registers: 125, max_gap: 124, forbidden: [] };
  return [wanted.slice(0, middle), wanted.slice(middle)].flatMap((part) => planReads(part, tight));
}

function memoryOf(words: ReadonlyMap<string, number>): Memory {
  return (code, address, length) => {
    const bytes = Buffer.alloc(2 * length);
    for (let i = 0; i < length; i++) {
      const word = words.get(`${code}:${address + i}`);
      if (word === undefined) return null;
      bytes.writeUInt16BE(word, 2 * i);
    }
    return bytes;
  };
}

/** Whether a model is no longer where it was found (firmware update, another device at this address). */
function movedModels(models: readonly FoundModel[], memory: Memory): boolean {
  return models.some(({ id, address, length }) => {
    const head = memory(3, address, 2);
    return head !== null && (head.readUInt16BE(0) !== id || head.readUInt16BE(2) !== length);
  });
}

function refusals(entries: readonly Entry[], refused: readonly Wanted[]): string[] {
  return entries.flatMap((entry) => {
    const missing = entry.wanted.find((wanted) => refused.includes(wanted));
    return missing ? [`register ${missing.address} (${entry.quantity})`] : [];
  });
}

function registerEntry(modbus: ModbusSpec, spec: RegisterSpec): Entry {
  const code = spec.function ?? modbus.function;
  const length = registerLength(spec.type);
  const order: Order = {
    word_order: spec.word_order ?? modbus.word_order,
    byte_order: spec.byte_order ?? modbus.byte_order,
  };
  const places = [spec.at, ...spec.plus_at, ...spec.minus_at];
  const firstTaken = places.length - spec.minus_at.length;
  const wanted: Wanted[] = places.map((address) => ({ function: code, address, length }));
  if (spec.scale_at !== undefined) wanted.push({ function: code, address: spec.scale_at, length: 1 });
  return {
    ...spec,
    wanted,
    decode(memory) {
      const parts = places.map((address) => {
        const words = memory(code, address, length);
        return words && decodeRegister(words, spec.type, order);
      });
      const raw = parts.some((part) => part === null || spec.invalid.includes(part)) ? null : sumOf(parts, firstTaken);
      const power = spec.scale_at === undefined ? 1 : powerOfTen(memory(code, spec.scale_at, 1));
      return raw === null || power === null ? null : { raw, power };
    },
  };
}

/** Adds the parts before `firstTaken` and takes off those from there on. */
function sumOf(parts: readonly (number | null)[], firstTaken: number): number {
  const total = parts.reduce<number>((sum, part, i) => sum + (part ?? 0) * (i < firstTaken ? 1 : -1), 0);
  // Sums of decimals keep their decimals.
  return parts.length > 1 ? Number(total.toPrecision(15)) : total;
}

const BIG: Order = { word_order: 'big', byte_order: 'big' };
const SUNSPEC_TYPES = {
  uint16: 'u16',
  int16: 's16',
  uint32: 'u32',
  uint64: 'u64',
  acc32: 'u32',
  float32: 'float32',
} as const;

function pointEntry(models: readonly FoundModel[], spec: PointSpec): Entry | null {
  const place = placePoint(models, spec);
  if (!place || place.type === 'string') return null;
  const type = SUNSPEC_TYPES[place.type];
  const absent = NOT_IMPLEMENTED[place.type];
  const at = (address: number, length: number): Wanted => ({
    function: 3,
    address,
    length,
    group: place.model.address,
  });
  const { sf_address } = place;
  return {
    ...spec,
    invalid: absent === null ? spec.invalid : [...spec.invalid, absent],
    wanted: [at(place.address, place.length), ...(sf_address === null ? [] : [at(sf_address, 1)])],
    decode(memory) {
      const words = memory(3, place.address, place.length);
      const raw = words && decodeRegister(words, type, BIG);
      const power = sf_address === null ? 1 : powerOfTen(memory(3, sf_address, 1));
      return raw === null || power === null ? null : { raw, power };
    },
  };
}

/** SunSpec allows −10 to 10; 0x8000 is "not implemented". */
function powerOfTen(word: Buffer | null): number | null {
  const exponent = word?.readInt16BE() ?? Number.NaN;
  return Math.abs(exponent) <= 10 ? Number(`1e${exponent}`) : null;
}
