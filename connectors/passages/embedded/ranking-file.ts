/**
 * Rankings as bytes: a line of JSON with all words and the length of each array, the arrays one after another (each at
 * a multiple of 8 bytes, as this machine lays numbers out), and a checksum. Read arrays are used where they lie.
 */
import { endianness } from 'node:os';
import { crc32 } from 'node:zlib';
import type { Language } from '../../../engine/rag/language.ts';
import type { StoredRanking } from '../../../engine/rag/stored-ranking.ts';

export type StoredRankings = Record<Language, StoredRanking>;
type Cells = Int8Array | Uint8Array | Int32Array | Uint32Array;

/** Raise it with whatever changes what rankings hold: stemmer, function words, compounds, references, arrays. */
const FORMAT = `luna passages 1 ${endianness()}`;
const ALIGNED = 8;
const KINDS = { Int8Array, Uint8Array, Int32Array, Uint32Array };
type Kind = keyof typeof KINDS;
/** In place of an array in the JSON. */
type Place = { array: Kind; length: number };

/** @returns pieces to write one after another; they must not change meanwhile */
export function* packRankings(rankings: StoredRankings, tenant: string): Generator<Uint8Array> {
  const arrays: Cells[] = [];
  const replaced = JSON.stringify({ format: FORMAT, tenant, rankings }, (_, value: unknown) => {
    const kind = (Object.keys(KINDS) as Kind[]).find((name) => value instanceof KINDS[name]);
    if (!kind) return value;
    arrays.push(value as Cells);
    return { array: kind, length: (value as Cells).length } satisfies Place;
  });
  let sum = 0;
  for (const piece of piecesOf(Buffer.from(replaced), arrays)) {
    sum = crc32(piece, sum);
    yield piece;
  }
  const end = Buffer.alloc(ALIGNED);
  end.writeUInt32LE(sum);
  yield end;
}

function* piecesOf(head: Buffer, arrays: readonly Cells[]): Generator<Uint8Array> {
  const length = Buffer.alloc(ALIGNED);
  length.writeUInt32LE(head.length);
  yield length;
  yield* aligned(head);
  for (const array of arrays) yield* aligned(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
}

function* aligned(bytes: Uint8Array): Generator<Uint8Array> {
  yield bytes;
  const over = bytes.length % ALIGNED;
  if (over > 0) yield new Uint8Array(ALIGNED - over);
}

/** @throws Error for a damaged file, another format or another tenant's */
export function unpackRankings(file: Buffer, tenant: string): StoredRankings {
  const end = file.length - ALIGNED;
  if (end < ALIGNED || crc32(file.subarray(0, end)) !== file.readUInt32LE(end))
    throw new Error('the kept index of passages is damaged');
  const head = file.readUInt32LE(0);
  let at = ALIGNED + roundedUp(head);
  const read = (_: string, value: unknown): unknown => {
    const place = value as Place | null;
    if (typeof place !== 'object' || place === null || !Object.hasOwn(KINDS, place.array)) return value;
    const kind = KINDS[place.array];
    const start = file.byteOffset + at;
    at += roundedUp(place.length * kind.BYTES_PER_ELEMENT);
    // A small file may come from a shared buffer that is not aligned.
    if (start % kind.BYTES_PER_ELEMENT === 0) return new kind(file.buffer as ArrayBuffer, start, place.length);
    return new kind(file.buffer.slice(start, start + place.length * kind.BYTES_PER_ELEMENT) as ArrayBuffer);
  };
  const whole = JSON.parse(file.toString('utf8', ALIGNED, ALIGNED + head), read) as {
    format: string;
    tenant: string;
    rankings: StoredRankings;
  };
  if (whole.format !== FORMAT) throw new Error(`the kept index of passages has the format "${whole.format}"`);
  if (whole.tenant !== tenant) throw new Error('the kept index of passages is of another organisation');
  return whole.rankings;
}

function roundedUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNED) * ALIGNED;
}
