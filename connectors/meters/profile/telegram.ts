/**
 * Raw P1 telegrams of Dutch, Belgian, Luxembourgish and related meters: IEC 62056-21 mode D lines with OBIS codes.
 * Source: P1 Companion Standard (Netbeheer Nederland, DSMR 5.0.2), chapters 6 and 7; Fluvius e-MUCS P1.
 */
import { InvalidDataError } from '../../../engine/errors.ts';
import { scaled, unitRatio } from './units.ts';

/** The groups in brackets after each OBIS code, in the telegram's order. */
export type Telegram = ReadonlyMap<string, readonly string[]>;

const LINE = /^(\d+-\d+:\d+\.\d+\.\d+)(?:\*255)?((?:\([^()]*\))+)$/;
const CONTINUATION = /^(?:\([^()]*\))+$/;

/**
 * @throws InvalidDataError when it is no telegram, is mixed from several, or its checksum is missing or shows that it
 * was damaged on the way. Telegrams before DSMR 4 have no checksum.
 */
export function decodeTelegram(text: string): Telegram {
  const start = text.indexOf('/');
  const end = text.lastIndexOf('!');
  if (start < 0 || end < start)
    throw new InvalidDataError('This is no P1 telegram: it must begin with / and end with !.', 'Check the P1 reader.');
  const telegram = groupsOf(text.slice(start, end).split(/\r?\n/));
  verifyChecksum(text, start, end, telegram);
  return withOldGas(telegram);
}

/** A group on a line of its own belongs to the code above it (the gas meter of DSMR 2.2 and 3). */
function groupsOf([, ...lines]: readonly string[]): Map<string, string[]> {
  const telegram = new Map<string, string[]>();
  let last: string[] = [];
  for (const line of lines.map((text) => text.trim())) {
    if (line.startsWith('/') || line.startsWith('!'))
      throw new InvalidDataError('The message holds more than one P1 telegram.', 'Send one telegram a message.');
    const [, code, text] = LINE.exec(line) ?? [];
    const groups = [...(text ?? line).matchAll(/\(([^()]*)\)/g)].map(([, group]) => group ?? '');
    if (code === undefined) {
      if (CONTINUATION.test(line)) last.push(...groups);
      continue;
    }
    const before = telegram.get(code);
    if (before && before.join() !== groups.join())
      throw new InvalidDataError(`The P1 telegram gives ${code} twice with different values.`, 'Check the P1 reader.');
    telegram.set(code, groups);
    last = groups;
  }
  return telegram;
}

/** DSMR 2.2 and 3: `0-1:24.3.0(time)(00)(60)(1)(0-1:24.2.1)(m3)`, then the value; as later meters send it. */
function withOldGas(telegram: Map<string, string[]>): Telegram {
  for (const [code, groups] of [...telegram]) {
    const [time, , , , target, unit, value] = groups;
    if (!/^0-\d+:24\.3\.0$/.test(code) || !target || !unit || !value || telegram.has(target)) continue;
    telegram.set(target, [time ?? '', `${value}*${unit}`]);
  }
  return telegram;
}

/** The version or time that meters from DSMR 4 on (and e-MUCS in Belgium) state: these always send a checksum. */
const SINCE_DSMR_4 = ['1-3:0.2.8', '0-0:96.1.4', '0-0:1.0.0'];

/** CRC16 (polynomial 0xA001, start 0) over `/` to `!`, both included; meters before DSMR 4 send none. */
function verifyChecksum(text: string, start: number, end: number, telegram: Telegram): void {
  const stated = /^[0-9A-Fa-f]{1,4}(?=\s|$)/.exec(text.slice(end + 1))?.[0];
  if (stated === undefined) {
    if (!SINCE_DSMR_4.some((code) => telegram.has(code)) && /^\s|^$/.test(text.slice(end + 1))) return;
    throw new InvalidDataError('The P1 telegram has no checksum: its end was lost on the way.', 'Check the P1 reader.');
  }
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
 * @param unit the unit of the profile; a telegram that says another one of its kind (W for kW) is converted.
 * @returns the number in the last group; undefined where there is none.
 * @throws InvalidDataError when the telegram gives it in a unit of another kind.
 */
export function obisNumber(telegram: Telegram, code: string, unit: string, mbus?: number): number | undefined {
  for (const channel of mbus === undefined ? [null] : mbusChannels(telegram, mbus)) {
    const place = channel === null ? code : code.replace(/^0-n:/, `0-${channel}:`);
    const group = telegram.get(place)?.at(-1);
    // A gas channel without device reports 00000000 without a unit and a time in 1970 or 2000.
    if (group === undefined || (channel !== null && !group.includes('*'))) continue;
    const [digits = '', stated = unit] = group.split('*');
    const value = Number(digits);
    if (digits !== '' && Number.isFinite(value)) return scaled(value, ratioOf(place, stated, unit));
  }
  return undefined;
}

function ratioOf(place: string, stated: string, unit: string): number {
  const ratio = unitRatio(stated === 'm3' ? 'm³' : stated, unit);
  if (typeof ratio === 'number') return ratio;
  throw new InvalidDataError(`The P1 telegram holds ${place}, but ${ratio}.`, 'Mend the unit in the profile.');
}

function mbusChannels(telegram: Telegram, type: number): number[] {
  return [...telegram].flatMap(([code, [group]]) => {
    const channel = /^0-(\d+):24\.1\.0$/.exec(code)?.[1];
    return channel !== undefined && group && Number(group) === type ? [Number(channel)] : [];
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
