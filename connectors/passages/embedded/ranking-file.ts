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

/** What is summed or written without a break; questions are answered between two of them. */
const PIECE_BYTES = 4 * 1024 * 1024;

/** @returns pieces to write one after another, each some milliseconds of work; they must not change meanwhile */
export function* packRankings(rankings: StoredRankings, tenant: string): Generator<Uint8Array> {
  const arrays: Cells[] = [];
  const placed = mapped({ format: FORMAT, tenant, rankings }, (value) => {
    const kind = (Object.keys(KINDS) as Kind[]).find((name) => value instanceof KINDS[name]);
    if (!kind) return undefined;
    arrays.push(value as Cells);
    return { array: kind, length: (value as Cells).length } satisfies Place;
  });
  let sum = 0;
  for (const piece of piecesOf(Buffer.from(JSON.stringify(placed)), arrays)) {
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
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
  const over = bytes.length % ALIGNED;
  if (over > 0) yield new Uint8Array(ALIGNED - over);
}

/** @param turn lets others work. @throws Error for a damaged file, another format or another tenant's */
export async function unpackRankings(file: Buffer, tenant: string, turn: () => Promise<void>): Promise<StoredRankings> {
  const end = file.length - ALIGNED;
  if (end < ALIGNED || (await sumOf(file.subarray(0, end), turn)) !== file.readUInt32LE(end))
    throw new Error('the kept index of passages is damaged');
  const head = file.readUInt32LE(0);
  let at = ALIGNED + roundedUp(head);
  const read = (value: unknown): unknown => {
    const place = value as Place | null;
    if (typeof place !== 'object' || place === null || !Object.hasOwn(KINDS, place.array)) return undefined;
    const kind = KINDS[place.array];
    const start = file.byteOffset + at;
    at += roundedUp(place.length * kind.BYTES_PER_ELEMENT);
    // A small file may come from a shared buffer that is not aligned.
    if (start % kind.BYTES_PER_ELEMENT === 0) return new kind(file.buffer as ArrayBuffer, start, place.length);
    return new kind(file.buffer.slice(start, start + place.length * kind.BYTES_PER_ELEMENT) as ArrayBuffer);
  };
  const whole = mapped(JSON.parse(file.toString('utf8', ALIGNED, ALIGNED + head)), read) as {
    format: string;
    tenant: string;
    rankings: StoredRankings;
  };
  if (whole.format !== FORMAT) throw new Error(`the kept index of passages has the format "${whole.format}"`);
  if (whole.tenant !== tenant) throw new Error('the kept index of passages is of another organisation');
  return whole.rankings;
}

async function sumOf(bytes: Uint8Array, turn: () => Promise<void>): Promise<number> {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    sum = crc32(bytes.subarray(at, at + PIECE_BYTES), sum);
    await turn();
  }
  return sum;
}

/** A copy in which `replace` took the place of objects; lists of words, which are long, are left as they are. */
function mapped(value: unknown, replace: (value: unknown) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const other = replace(value);
  if (other !== undefined) return other;
  if (!Array.isArray(value))
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, mapped(one, replace)]));
  const [first] = value as unknown[];
  const isPlain = typeof first !== 'object' || first === null || Array.isArray(first);
  return isPlain ? value : value.map((one) => mapped(one, replace));
}

function roundedUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNED) * ALIGNED;
}
