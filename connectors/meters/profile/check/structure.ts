/** Faults that the schema cannot see: paths and topics that never match, registers that overlap or cannot be read. */

import type { SourceLines } from '../../../../engine/yaml/source-lines.ts';
import { registerLength } from '../../modbus/registers.ts';
import { parsePath } from '../json-path.ts';
import {
  type RegisterType as AnyType,
  type ModbusSpec,
  measurementsOf,
  type PathSpec,
  type ProfileSpec,
} from '../schema.ts';
import type { Finding } from './report.ts';
import { at } from './schema-faults.ts';

type Place = readonly PropertyKey[];
type Located = (path: Place) => string;

export function checkStructure(spec: ProfileSpec, lines: SourceLines): Finding[] {
  const where: Located = (path) => at(lines.lineOf(path));
  return [
    ...payloadsOf(spec).flatMap(({ payload, path }) => checkPaths(payload, path, where)),
    ...topicsOf(spec).flatMap(({ topic, path }) => checkTopic(topic, where(path))),
    ...(spec.modbus ? checkRegisters(spec.modbus, where) : []),
    ...checkChannels(spec, where),
  ];
}

type Payload = { format: string; measurements: readonly PathSpec[]; time?: { path: string } | undefined };

function payloadsOf({ mqtt, http }: ProfileSpec): { payload: Payload; path: Place }[] {
  return [
    ...(mqtt?.topics ?? []).map((payload, i) => ({ payload, path: ['mqtt', 'topics', i] })),
    ...(http?.requests ?? []).map((payload, i) => ({ payload, path: ['http', 'requests', i] })),
  ];
}

function checkPaths({ format, measurements, time }: Payload, path: Place, where: Located): Finding[] {
  const entries = measurements.flatMap((entry, i) =>
    [entry.path, ...entry.plus, ...entry.minus].map((text) => ({ text, path: [...path, 'measurements', i] })),
  );
  if (time) entries.push({ text: time.path, path: [...path, 'time'] });
  const check = { json: jsonFault, dsmr: obisFault, sml: obisFault, number: () => null }[format] ?? (() => null);
  return entries.flatMap(({ text, path: place }) => {
    const fault = check(text);
    return fault ? [{ where: where(place), ...fault }] : [];
  });
}

function jsonFault(text: string): Omit<Finding, 'where'> | null {
  try {
    parsePath(text);
    return null;
  } catch (error) {
    const remedy = 'Write e.g. a.b[0].c; a key with dots or colons in double quotes: params."em:0".power.';
    return { problem: (error as Error).message, remedy };
  }
}

function obisFault(text: string): Omit<Finding, 'where'> | null {
  if (/^\d+-(?:\d+|n):\d+\.\d+\.\d+$/.test(text)) return null;
  return { problem: `"${text}" is no OBIS code`, remedy: 'Write e.g. "1-0:1.8.0", without *255 at the end.' };
}

function topicsOf({ mqtt }: ProfileSpec): { topic: string; path: Place }[] {
  if (!mqtt) return [];
  return [
    ...mqtt.topics.map(({ topic }, i) => ({ topic, path: ['mqtt', 'topics', i] })),
    ...mqtt.sums.flatMap(({ of }, i) => of.map((topic) => ({ topic, path: ['mqtt', 'sums', i] }))),
    ...mqtt.publishes.map((topic, i) => ({ topic, path: ['mqtt', 'publishes', i] })),
    ...mqtt.subscribes.map((topic, i) => ({ topic, path: ['mqtt', 'subscribes', i] })),
  ];
}

/** Filters that no topic can ever match. */
function checkTopic(topic: string, where: string): Finding[] {
  const levels = topic.split('/');
  const unknown = [...topic.matchAll(/\{(\w*)\}/g)]
    .map(([, name]) => name)
    .filter((n) => n !== 'topic' && n !== 'tenant');
  const faults: string[] = [];
  if (unknown.length > 0) faults.push(`{${unknown[0]}} stands for nothing; the device's topic is {topic}`);
  if (levels.slice(0, -1).includes('#') || levels.some((level) => level.length > 1 && /[#+]/.test(level)))
    faults.push('# may only stand alone at the end, + only alone between two /');
  if (/\s/.test(topic)) faults.push('it has a blank');
  return faults.map((fault) => ({
    where,
    problem: `no message can match the topic "${topic}": ${fault}`,
    remedy: 'Write e.g. "{topic}/status/+/power".',
  }));
}

type Range = { from: number; to: number; function: number; name: string; type: AnyType; path: Place };

function checkRegisters(modbus: ModbusSpec, where: Located): Finding[] {
  const ranges = modbus.registers.flatMap((entry, i): Range[] => {
    const length = registerLength(entry.type);
    return [entry.at, ...entry.plus_at, ...entry.minus_at].map((from) => ({
      from,
      to: from + length - 1,
      function: entry.function ?? modbus.function,
      name: `${entry.channel === 'main' ? '' : `${entry.channel} `}${entry.quantity}`,
      type: entry.type,
      path: ['modbus', 'registers', i],
    }));
  });
  return [
    ...ranges.flatMap((range) => checkRange(range, modbus, where(range.path))),
    ...ranges.flatMap((range, i) => ranges.slice(i + 1).flatMap((other) => checkOverlap(range, other, where))),
  ];
}

function checkRange(range: Range, { forbidden, max_registers }: ModbusSpec, where: string): Finding[] {
  const findings: Finding[] = [];
  if (range.to > 0xffff)
    findings.push({ where, problem: `${words(range)} ends beyond register 65535`, remedy: 'Check the address.' });
  const barred = forbidden.find(([from, to]) => from <= range.to && to >= range.from);
  if (barred)
    findings.push({
      where,
      problem: `${words(range)} lies in the forbidden range ${barred[0]} to ${barred[1]} and is never read`,
      remedy: 'Make the forbidden range smaller, or leave the register out.',
    });
  if (range.to - range.from + 1 > max_registers)
    findings.push({
      where,
      problem: `${words(range)} needs more registers than max_registers (${max_registers}) allows in one request`,
      remedy: `Set max_registers to ${range.to - range.from + 1} or more.`,
    });
  return findings;
}

/** The same registers may be read twice; registers that share only a part are a wrong address or type. */
function checkOverlap(a: Range, b: Range, where: Located): Finding[] {
  const apart = a.to < b.from || b.to < a.from || a.function !== b.function;
  if (apart || (a.from === b.from && a.to === b.to)) return [];
  return [
    {
      where: where(b.path),
      problem: `${words(b)} overlaps with ${words(a)}`,
      remedy: 'One of the two has a wrong address or type: a 32-bit value takes 2 registers, a 64-bit one 4.',
    },
  ];
}

function words({ name, type, from, to }: Range): string {
  return `${name} (${type} in register ${from === to ? from : `${from} to ${to}`})`;
}

function checkChannels(spec: ProfileSpec, where: Located): Finding[] {
  const used = new Set(measurementsOf(spec).map(({ channel }) => channel));
  return Object.keys(spec.channels)
    .filter((channel) => !used.has(channel))
    .map((channel) => ({
      where: where(['channels', channel]),
      problem: `the channel "${channel}" has no value`,
      remedy: `Give a value "channel: ${channel}", or leave the channel out.`,
    }));
}
