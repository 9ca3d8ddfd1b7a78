/**
 * Golden cases: `testdata/<case>/input.json` through the product's own decoding, to be compared with `expected.json`.
 * Devices send what the case holds; nothing goes over a network.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { InvalidDataError, UnavailableError } from '../../../engine/errors.ts';
import { createHttpReader } from '../http/source.ts';
import { createProfileReader } from '../modbus/profile-reader.ts';
import { ModbusException, type RegisterRead } from '../modbus/request.ts';
import { createTopicDecoder } from '../mqtt/topic-decoder.ts';
import type { ChannelReading, Profile } from './profile.ts';

const registers = z.record(z.string().regex(/^\d+$/), z.string().regex(/^(?:[0-9a-fA-F]{4})+$/));
const instant = z.iso.datetime({ offset: true });

const InputSchema = z.strictObject({
  kind: z.enum(['recorded', 'documented', 'synthetic']),
  source: z.string().min(11),
  received: instant,
  topic: z.string().optional(),
  messages: z.array(z.strictObject({ topic: z.string(), payload: z.unknown() })).optional(),
  responses: z.record(z.string(), z.unknown()).optional(),
  input: registers.optional(),
  holding: registers.optional(),
});
const ExpectedSchema = z.strictObject({
  firmware: z.string().nullable(),
  readings: z.array(
    z.strictObject({ channel: z.string(), quantity: z.string(), value: z.number(), at: instant.optional() }),
  ),
});

/** MQTT: topic and messages; HTTP: path → JSON; Modbus: first address → registers in hex, all others are refused. */
export type GoldenInput = z.output<typeof InputSchema>;
export type GoldenReading = { channel: string; quantity: string; value: number; at: string };
export type GoldenOutput = { firmware: string | null; readings: GoldenReading[] };

/** @throws InvalidDataError that names the file and what is wrong with it. */
export function readCase(folder: string): { input: GoldenInput; expected: GoldenOutput } {
  const input = readJson(folder, 'input.json', InputSchema);
  const { firmware, readings } = readJson(folder, 'expected.json', ExpectedSchema);
  // A reading without a time of its own has that of the arrival.
  const timed = readings.map((reading) => ({ ...reading, at: new Date(reading.at ?? input.received).toISOString() }));
  return { input, expected: sorted({ firmware, readings: timed }) };
}

function readJson<Schema extends z.ZodType>(folder: string, file: string, schema: Schema): z.output<Schema> {
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  } catch (error) {
    throw new InvalidDataError(`${file} cannot be read: ${(error as Error).message}`, REMEDY);
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw new InvalidDataError(`${file} is not as it must be: ${faults.join('; ')}`, REMEDY);
}
const REMEDY = 'docs/guides/add-a-device-profile.md shows both files of a case.';

/** @throws InvalidDataError when the device of the case sends what the profile cannot read. */
export async function runCase(profile: Profile, input: GoldenInput): Promise<GoldenOutput> {
  const run = { mqtt: runMqtt, http: runHttp, modbus: runModbus }[profile.transport];
  return sorted(await run(profile, input));
}

/** Values as near as a 32-bit float can hold a decimal count as equal: devices do not round as we do. */
export function sameValue(actual: number, expected: number): boolean {
  return Math.abs(actual - expected) <= 1e-7 * Math.abs(expected);
}

function sorted({ firmware, readings }: GoldenOutput): GoldenOutput {
  const key = ({ channel, quantity, at }: GoldenReading) => `${channel} ${quantity} ${at}`;
  return { firmware, readings: [...readings].sort((a, b) => (key(a) < key(b) ? -1 : 1)) };
}

function shown({ channel, quantity, value, at_ms }: ChannelReading): GoldenReading {
  return { channel, quantity, value, at: new Date(at_ms).toISOString() };
}

/** The decoder of the case's device; `topic` of the case is the one of the device. */
export function caseDecoder(profile: Profile, input: GoldenInput) {
  return createTopicDecoder(profile, {
    tenant: 'default',
    id: 'device',
    connection: { kind: 'mqtt', topic: input.topic ?? null },
  });
}

async function runMqtt(profile: Profile, input: GoldenInput): Promise<GoldenOutput> {
  const decoder = caseDecoder(profile, input);
  const output: GoldenOutput = { firmware: null, readings: [] };
  for (const { topic, payload } of input.messages ?? []) {
    const bytes = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload), 'utf8');
    const { readings, firmware } = decoder.decode(topic, bytes, Date.parse(input.received));
    output.readings.push(...readings.map(shown));
    output.firmware = firmware ?? output.firmware;
  }
  return output;
}

async function runHttp(profile: Profile, input: GoldenInput): Promise<GoldenOutput> {
  const clock = { now: () => Date.parse(input.received) };
  const reader = createHttpReader(profile.http!, clock, async (path) => {
    const answer = input.responses?.[path];
    if (answer === undefined) throw new UnavailableError(`The case has no answer to ${path}.`);
    return Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer), 'utf8');
  });
  const { readings, firmware } = await reader.read(new AbortController().signal);
  return { firmware, readings: readings.map(shown) };
}

async function runModbus(profile: Profile, input: GoldenInput): Promise<GoldenOutput> {
  const { values, firmware } = await createProfileReader(profile).read(registerImage(input));
  const at_ms = Date.parse(input.received);
  return { firmware, readings: values.map((value) => shown({ ...value, at_ms })) };
}

/** A device that has just the registers of the case. */
export function registerImage({ input = {}, holding = {} }: Pick<GoldenInput, 'input' | 'holding'>): RegisterRead {
  const words = { 3: wordsOf(holding), 4: wordsOf(input) };
  return async (code, address, count) => {
    const bytes = Buffer.alloc(2 * count);
    for (let i = 0; i < count; i++) {
      const word = words[code].get(address + i);
      if (word === undefined) throw new ModbusException(2, address, count);
      bytes.writeUInt16BE(word, 2 * i);
    }
    return bytes;
  };
}

function wordsOf(blocks: Record<string, string>): Map<number, number> {
  const words = new Map<number, number>();
  for (const [address, hex] of Object.entries(blocks))
    for (const [i, word] of (hex.match(/.{4}/g) ?? []).entries())
      words.set(Number(address) + i, Number.parseInt(word, 16));
  return words;
}
