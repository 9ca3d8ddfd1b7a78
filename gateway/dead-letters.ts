/**
 * Journal groups that the series store refused again and again, one readable file each in `dead-letters` of the home:
 * kept until somebody tries them again.
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { diskFiles, makeFolder, writeWhole } from '../connectors/journal/files.ts';
import { erasedBy } from '../engine/model/erasure.ts';
import type { JournalledGroup } from '../engine/model/reading.ts';

export type DeadLetter = {
  /** Name of its file. */
  id: string;
  refused_ms: number;
  /** What the store said. */
  reason: string;
  group: JournalledGroup;
};

const SUFFIX = '.json';
/** In place of its number, of a group that was put aside before it came into the box's journal. */
export const NOT_JOURNALLED = 0;
const NUMBERS = new Set(['value', 'at_ms', 'from_ms', 'received_ms', 'delivery']);

export function deadLetterFolder(home: string): string {
  return join(home, 'dead-letters');
}

/** Puts a group aside; it is on disk when this resolves. The same group again gives the same file. */
export async function buryGroup(
  dir: string,
  group: JournalledGroup,
  { reason, refused_ms }: Pick<DeadLetter, 'reason' | 'refused_ms'>,
): Promise<void> {
  await makeFolder(diskFiles, dir);
  const text = write(group);
  // A journal that begins anew gives its numbers again.
  const name = `${String(group.seq).padStart(16, '0')}-${crc32(text).toString(16).padStart(8, '0')}${SUFFIX}`;
  const head = JSON.stringify({ refused_ms, reason });
  await writeWhole(diskFiles, dir, join(dir, name), [Buffer.from(`${head.slice(0, -1)},"group":${text}}\n`)]);
}

/** How many there are. */
export async function countDeadLetters(dir: string): Promise<number> {
  return (await names(dir)).length;
}

/** All of them, oldest first. */
export async function readDeadLetters(dir: string): Promise<DeadLetter[]> {
  return Promise.all((await names(dir)).map((name) => readLetter(dir, name)));
}

export async function removeDeadLetter(dir: string, id: string): Promise<void> {
  await rm(join(dir, id + SUFFIX), { force: true });
}

/**
 * Takes out what an erasure of the journal is about: all of its meter points that came before it. Done twice it does no
 * more. A file that cannot be read is left as it is.
 */
export async function eraseDeadLetters(dir: string, erasure: JournalledGroup): Promise<void> {
  const meters = erasedBy(erasure);
  if (meters === undefined) return;
  const gone = meters && new Set(meters);
  for (const id of await names(dir)) {
    const letter = await readLetter(dir, id).catch(() => null);
    if (letter?.group.tenant !== erasure.tenant || !cameBefore(letter.group, erasure)) continue;
    const readings = letter.group.readings.filter(({ meter }) => gone !== null && !gone.has(meter));
    if (readings.length === letter.group.readings.length) continue;
    if (readings.length > 0) await buryGroup(dir, { ...letter.group, readings }, letter);
    await rm(join(dir, id), { force: true });
  }
}

/** By its number, by which the clocks do not matter, or by its time. */
function cameBefore({ seq, received_ms }: JournalledGroup, erasure: JournalledGroup): boolean {
  return (seq !== NOT_JOURNALLED && seq < erasure.seq) || received_ms <= erasure.received_ms;
}

async function readLetter(dir: string, name: string): Promise<DeadLetter> {
  const letter = JSON.parse(await readFile(join(dir, name), 'utf8'), read) as Omit<DeadLetter, 'id'>;
  return { id: name.slice(0, -SUFFIX.length), ...letter };
}

async function names(dir: string): Promise<string[]> {
  const all = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return all.filter((name) => name.endsWith(SUFFIX)).sort();
}

/** JSON knows neither NaN nor infinity, which may be what the store could not take. */
function write(group: JournalledGroup): string {
  return JSON.stringify(group, (_, value) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : (value as unknown),
  );
}

function read(key: string, value: unknown): unknown {
  return NUMBERS.has(key) && typeof value === 'string' ? Number(value) : value;
}
