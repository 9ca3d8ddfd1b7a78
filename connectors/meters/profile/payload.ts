/** Decoding of JSON, plain-number, P1 and SML payloads; the same for MQTT and HTTP. Pure. */
import { InvalidDataError } from '../../../engine/errors.ts';
import { type JsonPath, parsePath, valueAt } from './json-path.ts';
import type { ChannelReading } from './profile.ts';
import type { PathSpec, TimeSpec } from './schema.ts';
import { decodeSml, type SmlDocument } from './sml.ts';
import { decodeTelegram, dsmrTime, obisNumber, type Telegram } from './telegram.ts';
import { scaled, unitRatio } from './units.ts';

export type PayloadSpec = {
  format: 'json' | 'number' | 'dsmr' | 'sml';
  time?: TimeSpec | undefined;
  measurements: readonly PathSpec[];
};

/** @param payload bytes, or text; `received_ms` stands in where it does not say its time. */
export type PayloadDecoder = (payload: Buffer | string, received_ms: number) => ChannelReading[];

/** A payload that says its time is believed from 2010 (clocks that lost power begin earlier) to 10 min ahead of ours. */
const EARLIEST_MS = Date.UTC(2010, 0, 1);
const AHEAD_MS = 10 * 60_000;

/**
 * Compiles the paths once. The decoder throws InvalidDataError for what is no payload of this format; a value that
 * is missing, null or a sentinel is left out.
 */
export function createPayloadDecoder(spec: PayloadSpec): PayloadDecoder {
  const entries = spec.measurements.map((measurement) => ({
    measurement,
    read: createSource(spec.format, measurement),
  }));
  const readTime = spec.time ? createTimeReader(spec.time) : () => undefined;
  return (payload, received_ms) => {
    const document = parseDocument(spec.format, payload);
    const at_ms = trusted(readTime(document), received_ms) ?? received_ms;
    const readings: ChannelReading[] = [];
    for (const { measurement, read } of entries) {
      const raw = read(document);
      if (raw === undefined || measurement.invalid.includes(raw) || has(readings, measurement)) continue;
      const { channel, quantity, factor } = measurement;
      readings.push({ channel, quantity, value: scaled(raw, factor), at_ms });
    }
    return readings;
  };
}

function has(readings: readonly ChannelReading[], { channel, quantity }: PathSpec): boolean {
  return readings.some((reading) => reading.channel === channel && reading.quantity === quantity);
}

type Source = (document: unknown) => number | undefined;

function createSource(format: PayloadSpec['format'], { path, plus, minus, mbus, unit }: PathSpec): Source {
  const single = (text: string): Source => {
    if (format === 'number') return finite;
    if (format === 'dsmr') return (document) => obisNumber(document as Telegram, text, unit, mbus);
    if (format === 'sml') return (document) => smlNumber(document as SmlDocument, text, unit);
    const compiled = parsePath(text);
    return (document) => finite(valueAt(document, compiled));
  };
  const terms = [single(path), ...plus.map(single), ...minus.map((text) => negated(single(text)))];
  return (document) => {
    let total = 0;
    for (const term of terms) {
      const value = term(document);
      if (value === undefined) return undefined;
      total += value;
    }
    // Sums of decimals keep their decimals: 4.426 + 2.399 is 6.825.
    return terms.length > 1 ? Number(total.toPrecision(14)) : total;
  };
}

function smlNumber({ values }: SmlDocument, code: string, unit: string): number | undefined {
  const found = values.get(code);
  if (!found || found.unit === null) return found?.value;
  const ratio = unitRatio(found.unit, unit);
  if (typeof ratio === 'number') return scaled(found.value, ratio);
  throw new InvalidDataError(`The SML file holds ${code}, but ${ratio}.`, 'Mend the unit in the profile.');
}

function negated(source: Source): Source {
  return (document) => {
    const value = source(document);
    return value === undefined ? undefined : -value;
  };
}

/** Numbers, and numbers in text as some devices send them; anything else (null, true, "", "nan") is no value. */
function finite(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** @throws InvalidDataError when the payload is not of this format. */
export function parseDocument(format: PayloadSpec['format'], payload: Buffer | string): unknown {
  if (format === 'sml') return decodeSml(typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload);
  const text = payload.toString();
  if (format === 'dsmr') return decodeTelegram(text);
  if (format === 'number') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new InvalidDataError(`The payload is no JSON: ${excerpt(text)}`, 'Check the device and its profile.');
  }
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 60 ? `${line.slice(0, 60)}…` : line || '(empty)';
}

function createTimeReader({ path, kind }: TimeSpec): (document: unknown) => number | undefined {
  if (kind === 'dsmr') return (document) => dsmrTime((document as Telegram).get(path)?.[0]);
  const compiled: JsonPath = parsePath(path);
  return (document) => {
    const value = valueAt(document, compiled);
    if (kind === 'iso') return typeof value === 'string' ? isoTime(value) : undefined;
    const number = finite(value);
    return number === undefined ? undefined : Math.round(kind === 'unix_s' ? number * 1000 : number);
  };
}

/** Only a time with a zone is an instant. */
function isoTime(text: string): number | undefined {
  const at_ms = /(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isFinite(at_ms) ? at_ms : undefined;
}

function trusted(at_ms: number | undefined, received_ms: number): number | undefined {
  return at_ms !== undefined && at_ms >= EARLIEST_MS && at_ms <= received_ms + AHEAD_MS ? at_ms : undefined;
}
