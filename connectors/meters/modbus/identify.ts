/**
 * What a Modbus unit says of itself: SunSpec's common model, Read Device Identification (function 43/14), and the
 * registers by which profiles recognise their model. Reads only; a device that refuses or is silent loses nothing.
 */
import { UnavailableError } from '../../../engine/errors.ts';
import type { Profile } from '../profile/profile.ts';
import type { IdentifySpec } from '../profile/schema.ts';
import type { ModbusBus } from './bus.ts';
import type { FunctionCode } from './plan.ts';
import { decodeRegister, decodeText, registerLength } from './registers.ts';
import { ModbusException } from './request.ts';
import { type FoundModel, findModels, placePoint } from './sunspec.ts';

export type UnitFacts = {
  vendor: string;
  product: string;
  version: string;
  serial: string;
  models: readonly FoundModel[];
  /** Names of the profiles whose registers hold what they should. */
  recognised: readonly string[];
};

export type IdentifyOptions = { deadline_ms: number; signal: AbortSignal };

const SUNSPEC_BASES = [40000, 50000, 0];
/** Common model: offsets and lengths of maker, model, version and serial number (SunSpec model 1). */
const COMMON = { vendor: [2, 16], product: [18, 16], version: [42, 8], serial: [50, 16] } as const;
const BIG = { word_order: 'big', byte_order: 'big' } as const;

/** Whether anything answers at this unit number, be it with a refusal, as the protocol wants it. */
export async function isPresent(bus: ModbusBus, unit: number, options: IdentifyOptions): Promise<boolean> {
  return (await attempt(options, () => bus.read(unit, 3, 0, 1, options))) !== 'silent';
}

/** Asks a unit that is present who it is. Never rejects for what the unit does. */
export async function identifyUnit(
  bus: ModbusBus,
  unit: number,
  profiles: readonly Profile[],
  options: IdentifyOptions,
): Promise<UnitFacts> {
  const read = (code: FunctionCode, address: number, count: number) => bus.read(unit, code, address, count, options);
  const models = (await known(options, () => findModels(read, SUNSPEC_BASES))) ?? [];
  const common = await readCommon(models, read, options);
  const said = await known(options, () => bus.identify(unit, options));
  const recognised = await recognise(profiles, read, options);
  return {
    vendor: common?.vendor || said?.vendor || '',
    product: common?.product || said?.product || '',
    version: common?.version || said?.version || '',
    serial: common?.serial ?? '',
    models,
    recognised,
  };
}

type Read = (code: FunctionCode, address: number, count: number) => Promise<Buffer>;

async function readCommon(models: readonly FoundModel[], read: Read, options: IdentifyOptions) {
  const model = models.find(({ id }) => id === 1);
  if (!model) return null;
  const words = await known(options, () => read(3, model.address, 66));
  if (!words) return null;
  const text = ([offset, length]: readonly [number, number]) =>
    printable(decodeText(words.subarray(2 * offset, 2 * (offset + length)), BIG));
  return {
    vendor: text(COMMON.vendor),
    product: text(COMMON.product),
    version: text(COMMON.version),
    serial: text(COMMON.serial),
  };
}

async function recognise(profiles: readonly Profile[], read: Read, options: IdentifyOptions): Promise<string[]> {
  // Many profiles look at the same register.
  const memory = new Map<string, Buffer | null>();
  const words = async (code: FunctionCode, at: number, length: number) => {
    const key = `${code}/${at}/${length}`;
    if (!memory.has(key)) memory.set(key, await known(options, () => read(code, at, length)));
    return memory.get(key) ?? null;
  };
  const found: string[] = [];
  for (const { name, modbus, identify } of profiles) {
    if (!modbus || !identify || identify.registers.length === 0) continue;
    let holds = true;
    for (const spec of identify.registers) {
      const length = spec.type === 'string' ? (spec.length ?? 1) : registerLength(spec.type);
      const bytes: Buffer | null = holds ? await words(spec.function, spec.at, length) : null;
      holds = bytes !== null && isExpected(bytes, spec);
    }
    if (holds) found.push(name);
  }
  return found;
}

function isExpected(bytes: Buffer, spec: IdentifySpec['registers'][number]): boolean {
  if (spec.type === 'string') {
    const text = decodeText(bytes, BIG).toLowerCase();
    return spec.is.some((wanted) => text.startsWith(String(wanted).toLowerCase()));
  }
  const value = decodeRegister(bytes, spec.type, BIG);
  return spec.is.some((wanted) => wanted === value);
}

/**
 * The profile that fits best: registers that hold what they should count most, then the product's name, then the
 * maker's; a SunSpec profile fits whatever has one of its models.
 */
export function profileOf(facts: UnitFacts, profiles: readonly Profile[]): Profile | null {
  let best: { profile: Profile; score: number } | null = null;
  for (const profile of profiles) {
    const score = scoreOf(facts, profile);
    if (score > 0 && (!best || score > best.score)) best = { profile, score };
  }
  return best?.profile ?? null;
}

function scoreOf(facts: UnitFacts, { name, modbus, identify }: Profile): number {
  if (!modbus) return 0;
  if (modbus.sunspec && !modbus.sunspec.points.some((point) => placePoint(facts.models, point))) return 0;
  const base = modbus.sunspec ? 1 : 0;
  if (!identify) return base;
  if (identify.registers.length > 0 && !facts.recognised.includes(name)) return 0;
  const byVendor = partOf(facts.vendor, identify.vendor ? [identify.vendor] : []);
  const byProduct = partOf(facts.product, identify.product);
  if (byVendor === null || byProduct === null) return identify.registers.length > 0 ? base + 8 : 0;
  return base + (identify.registers.length > 0 ? 8 : 0) + 4 * byProduct + 2 * byVendor;
}

/** 0: nothing is asked for; 1: one of it stands there; null: it does not. */
function partOf(text: string, wanted: readonly string[]): 0 | 1 | null {
  if (wanted.length === 0) return 0;
  const lower = text.toLowerCase();
  return wanted.some((part) => lower.includes(part.toLowerCase())) ? 1 : null;
}

/** What was answered, or null for a refusal, silence or nonsense. */
async function known<T>(options: IdentifyOptions, work: () => Promise<T>): Promise<T | null> {
  const answer = await attempt(options, work);
  return answer === 'refused' || answer === 'silent' ? null : answer;
}

async function attempt<T>({ signal }: IdentifyOptions, work: () => Promise<T>): Promise<T | 'refused' | 'silent'> {
  if (signal.aborted) throw new UnavailableError('The search was stopped.');
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw error;
    return error instanceof ModbusException && !error.isGateway ? 'refused' : 'silent';
  }
}

function printable(text: string): string {
  return [...text]
    .filter((letter) => letter >= ' ' && letter !== '\x7f')
    .join('')
    .slice(0, 100);
}
