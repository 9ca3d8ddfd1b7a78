/** Runs a golden case of a profile: `input.json` through the product's own decoding, to be compared with `expected.json`. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { openHttpSource } from '../../connectors/meters/http/source.ts';
import { createProfileReader } from '../../connectors/meters/modbus/profile-reader.ts';
import { ModbusException, type RegisterRead } from '../../connectors/meters/modbus/request.ts';
import { createTopicDecoder } from '../../connectors/meters/mqtt/topic-decoder.ts';
import type { CaseKind } from '../../connectors/meters/profile/catalogue.ts';
import type { ChannelReading, Profile } from '../../connectors/meters/profile/profile.ts';

export type GoldenInput = {
  kind: CaseKind;
  source: string;
  received: string;
  /** MQTT */
  topic?: string;
  messages?: { topic: string; payload: unknown }[];
  /** HTTP: path → JSON */
  responses?: Record<string, unknown>;
  /** Modbus: first address → registers in hex; anything else is refused with exception 2 */
  input?: Record<string, string>;
  holding?: Record<string, string>;
};
export type GoldenOutput = {
  firmware: string | null;
  readings: { channel: string; quantity: string; value: number; at: string }[];
};

export function readCase(folder: string): { input: GoldenInput; expected: GoldenOutput } {
  const input = JSON.parse(readFileSync(join(folder, 'input.json'), 'utf8')) as GoldenInput;
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as GoldenOutput;
  // A reading without a time of its own has that of the arrival.
  const readings = expected.readings.map((reading) => ({ ...reading, at: reading.at ?? input.received }));
  return { input, expected: sorted({ ...expected, readings }) };
}

export async function runCase(profile: Profile, input: GoldenInput): Promise<GoldenOutput> {
  const run = { mqtt: runMqtt, http: runHttp, modbus: runModbus }[profile.transport];
  return sorted(await run(profile, input));
}

/** Values as near as a 32-bit float can hold a decimal count as equal: devices do not round as we do. */
export function withinFloat(actual: GoldenOutput, expected: GoldenOutput): GoldenOutput {
  const readings = actual.readings.map((reading, i) => {
    const wanted = expected.readings[i]?.value ?? Number.NaN;
    return Math.abs(reading.value - wanted) <= 1e-7 * Math.abs(wanted) ? { ...reading, value: wanted } : reading;
  });
  return { ...actual, readings };
}

function sorted({ firmware, readings }: GoldenOutput): GoldenOutput {
  const key = ({ channel, quantity, at }: GoldenOutput['readings'][number]) => `${channel} ${quantity} ${at}`;
  return { firmware, readings: [...readings].sort((a, b) => (key(a) < key(b) ? -1 : 1)) };
}

function shown({ channel, quantity, value, at_ms }: ChannelReading): GoldenOutput['readings'][number] {
  return { channel, quantity, value, at: new Date(at_ms).toISOString() };
}

async function runMqtt(profile: Profile, input: GoldenInput): Promise<GoldenOutput> {
  const device = { tenant: 'default', id: 'device', connection: { kind: 'mqtt' as const, topic: input.topic ?? null } };
  const decoder = createTopicDecoder(profile, device);
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
  const server = createServer((request, response) => {
    const answer = input.responses?.[request.url ?? ''];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const clock = { now: () => Date.parse(input.received) };
    const source = openHttpSource(profile, { kind: 'http', url, token: null, poll_s: 10 }, { clock });
    const { readings, firmware } = await source.read(new AbortController().signal);
    return { firmware, readings: readings.map(shown) };
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
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
