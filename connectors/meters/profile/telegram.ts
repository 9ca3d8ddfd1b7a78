/**
 * Raw P1 telegrams of Dutch, Belgian, Luxembourgish and related meters: IEC 62056-21 mode D lines with OBIS codes.
 * Source: P1 Companion Standard (Netbeheer Nederland, DSMR 5.0.2), chapters 6 and 7; Fluvius e-MUCS P1.
 */
import { InvalidDataError } from '../../../engine/errors.ts';

/** The groups in brackets after each OBIS code, in the telegram's order. */
export type Telegram = ReadonlyMap<string, readonly string[]>;

const LINE = /^(\d+-\d+:\d+\.\d+\.\d+)((?:\([^()]*\))+)$/;

/** @throws InvalidDataError when it is no telegram, or its checksum shows that it was damaged on the way. */
export function decodeTelegram(text: string): Telegram {
  const start = text.indexOf('/');
  const end = text.lastIndexOf('!');
  if (start < 0 || end < start)
    throw new InvalidDataError('This is no P1 telegram: it must begin with / and end with !.', 'Check the P1 reader.');
  verifyChecksum(text, start, end);
  const lines = text.slice(start, end).split(/\r?\n/);
  const telegram = new Map<string, string[]>();
  for (const line of lines) {
    const match = LINE.exec(line.trim());
    if (match)
      telegram.set(
        match[1]!,
        [...match[2]!.matchAll(/\(([^()]*)\)/g)].map(([, group]) => group ?? ''),
      );
  }
  return telegram;
}

/** CRC16 (polynomial 0xA001, start 0) over `/` to `!`, both included; meters before DSMR 4 send none. */
function verifyChecksum(text: string, start: number, end: number): void {
  const stated = /^[0-9A-Fa-f]{1,4}/.exec(text.slice(end + 1))?.[0];
  if (stated === undefined) return;
  const body = text.slice(start, end + 1);
  // Some bridges turn CRLF into LF; the meter's checksum is over CRLF.
  const candidates = [body, body.replace(/\r?\n/g, '\r\n')];
  if (candidates.some((candidate) => crc16(Buffer.from(candidate, 'latin1')) === Number.parseInt(stated, 16))) return;
  throw new InvalidDataError(
    `The P1 telegram was damaged on the way: its checksum ${stated} does not fit.`,
    'Check the cable and the serial settings of the P1 reader.',
  );
}

export function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc;
}

/**
 * @param code an OBIS code, or `0-n:…` with `mbus`: the M-Bus channel whose device type (0-n:24.1.0) is that one.
 * @returns the number in the last group, without its unit; undefined where there is none.
 */
export function obisNumber(telegram: Telegram, code: string, mbus?: number): number | undefined {
  for (const channel of mbus === undefined ? [null] : mbusChannels(telegram, mbus)) {
    const group = telegram.get(channel === null ? code : code.replace(/^0-n:/, `0-${channel}:`))?.at(-1);
    // A gas channel without device reports 00000000 without a unit and a time in 1970 or 2000.
    if (group === undefined || (channel !== null && !group.includes('*'))) continue;
    const value = Number(group.split('*')[0]);
    if (group !== '' && Number.isFinite(value)) return value;
  }
  return undefined;
}

function mbusChannels(telegram: Telegram, type: number): number[] {
  return [1, 2, 3, 4].filter((n) => {
    const group = telegram.get(`0-${n}:24.1.0`)?.[0];
    return group !== undefined && group !== '' && Number(group) === type;
  });
}

/** `170102192002W` (W winter, S summer, Central European time) → epoch ms, or undefined. */
export function dsmrTime(text: string | undefined): number | undefined {
  const match = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)([SW])$/.exec(text ?? '');
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return Date.UTC(2000 + year, month - 1, day, hour - (match[7] === 'S' ? 2 : 1), minute, second);
}
