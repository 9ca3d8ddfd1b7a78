/**
 * SML files of German meters (Smart Message Language): the values of their GetList response. Source: BSI TR-03109-1
 * Anlage IV Teil b, Smart Message Language 1.04, chapters 5 and 6; units: DLMS UA Blue Book, 4.3.2 (as in SML).
 */
import { InvalidDataError } from '../../../engine/errors.ts';
import { malformed, readField, type SmlCursor, type SmlField, type SmlNumber } from './sml-fields.ts';
import { crcX25, unwrapSmlFile } from './sml-transport.ts';

/** A value in the unit that the meter states; `unit` is null where it states none. */
export type SmlValue = { value: number; unit: string | null };
export type SmlDocument = {
  /** By OBIS code without the last group: `1-0:16.7.0`. */
  values: ReadonlyMap<string, SmlValue>;
};

const GET_LIST_RESPONSE = 0x0701n;

/** DLMS unit codes to units of ours; a value in another unit keeps its number as name (`unit 8`). */
const UNITS: Readonly<Record<number, string>> = {
  9: '°C',
  13: 'm³',
  14: 'm³',
  27: 'W',
  28: 'VA',
  29: 'var',
  30: 'Wh',
  32: 'varh',
  33: 'A',
  35: 'V',
  44: 'Hz',
};

/**
 * @param payload one SML file, binary or as hexadecimal text.
 * @throws InvalidDataError when it is none, or the checksum of the file or of a message shows that it was damaged.
 */
export function decodeSml(payload: Buffer): SmlDocument {
  const cursor: SmlCursor = { bytes: unwrapSmlFile(binary(payload)), at: 0 };
  const values = new Map<string, SmlValue>();
  while (cursor.at < cursor.bytes.length) {
    const [kind, body] = readMessage(cursor);
    if (isNumber(kind) && kind.integer === GET_LIST_RESPONSE) addList(values, body, cursor);
  }
  return { values };
}

/** Some reading heads publish hexadecimal text; an SML file itself never begins with such a digit. */
function binary(payload: Buffer): Buffer {
  const text = payload.toString('latin1').replace(/\s+/g, '');
  return /^(?:[0-9A-Fa-f]{2})+$/.test(text) ? Buffer.from(text, 'hex') : payload;
}

/** SML_Message: transaction, group, abort on error, body, checksum over all before it, end mark 00. */
function readMessage(cursor: SmlCursor): readonly SmlField[] {
  const begin = cursor.at;
  if (cursor.bytes[begin] !== 0x76) throw malformed(cursor, 'should begin a message (76)');
  cursor.at++;
  const [, , , body] = [readField(cursor), readField(cursor), readField(cursor), readField(cursor)];
  const covered = cursor.bytes.subarray(begin, cursor.at);
  const crc = readField(cursor);
  if (!isNumber(crc) || !isList(body) || body.length !== 2) throw malformed(cursor, 'ends no message');
  // The two bytes are sent low byte first; a meter may leave out a leading zero.
  const stated = Number(((crc.integer & 0xffn) << 8n) | (crc.integer >> 8n));
  if (stated !== crcX25(covered))
    throw new InvalidDataError(
      `The SML message at byte ${begin} was damaged on the way: its checksum does not fit.`,
      'Check how the reading head sits on the meter.',
    );
  if (cursor.bytes[cursor.at] !== 0) throw malformed(cursor, 'should end a message (00)');
  cursor.at++;
  return body;
}

/** SML_GetList.Res: client, server, list name, sensor time, values, signature, gateway time. */
function addList(values: Map<string, SmlValue>, body: SmlField, cursor: SmlCursor): void {
  const entries = isList(body) && body.length === 7 ? body[4] : undefined;
  if (!isList(entries)) throw malformed(cursor, 'ends a list response without values');
  const faulty = hasUnsignedPower(entries);
  for (const entry of entries) {
    // SML_ListEntry: name, status, time, unit, scaler, value, signature.
    if (!isList(entry) || entry.length !== 7) throw malformed(cursor, 'ends a list with an entry not of seven fields');
    const [name, , , unit, scaler, value] = entry;
    if (!(name instanceof Buffer) || name.length !== 6 || !isNumber(value)) continue;
    const code = obisOf(name);
    const integer = faulty && code === '1-0:16.7.0' ? unsignedIfShort(value) : value.integer;
    const read = { value: scaledInteger(integer, scaler), unit: unitOf(unit) };
    const before = values.get(code);
    if (before && before.value !== read.value)
      throw new InvalidDataError(`The SML file gives ${code} twice with different values.`, 'Send one file a message.');
    values.set(code, read);
  }
}

function obisOf(name: Buffer): string {
  const [a, b, c, d, e] = name;
  return `${a}-${b}:${c}.${d}.${e}`;
}

/** Value × 10^scaler, read as a decimal so that 147981129 × 10⁻¹ is 14798112.9. */
function scaledInteger(integer: bigint, scaler: SmlField): number {
  return Number(`${integer}e${isNumber(scaler) ? scaler.integer : 0n}`);
}

function unitOf(field: SmlField): string | null {
  return isNumber(field) ? (UNITS[Number(field.integer)] ?? `unit ${field.integer}`) : null;
}

/**
 * DZG DVS74 meters of two ranges of serial numbers send positive power without the leading zero that a signed number
 * needs: 328.05 W arrives as −327.31 W. Source: volkszaehler/libsml, sml_list.c (serial numbers, encoding).
 */
function hasUnsignedPower(entries: readonly SmlField[]): boolean {
  return entries.some((entry) => {
    const [name, , , , , value] = isList(entry) ? entry : [];
    if (!(name instanceof Buffer) || obisOf(name) !== '1-0:96.1.0' || !(value instanceof Buffer)) return false;
    if (value.length !== 10 || value.toString('latin1', 2, 5) !== 'DZG') return false;
    const serial = value.readUIntBE(5, 5);
    return (serial >= 42_000_000 && serial < 49_000_000) || (serial >= 55_000_000 && serial < 59_000_000);
  });
}

function unsignedIfShort({ integer, bytes }: SmlNumber): bigint {
  return bytes <= 3 ? BigInt.asUintN(8 * bytes, integer) : integer;
}

function isNumber(field: SmlField): field is SmlNumber {
  return typeof field === 'object' && 'integer' in field;
}

function isList(field: SmlField): field is readonly SmlField[] {
  return Array.isArray(field);
}
