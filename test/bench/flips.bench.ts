/**
 * One damaged byte at a time in the journal's folder, then a start. Every record outside the damaged segment must be
 * there, unchanged and once; inside it all but the record that was hit. The damaged segment must be set aside under a
 * name that is told; half of the starts look into the last segment only, and into the others behind it. Half of the
 * journals were closed, half were killed (their last segment is open and has zeros ahead).
 * Every thousandth start is the whole box, whose store is looked at afterwards (flips/whole-box.ts).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '../../connectors/journal/journal.ts';
import { openJournalReader } from '../../connectors/journal/reader.ts';
import { verifySegments } from '../../connectors/journal/verify.ts';
import type { JournalledGroup, ReadingGroup } from '../../engine/model/reading.ts';
import { createRandom, type Random } from '../../engine/random.ts';
import {
  damaged,
  type Flip,
  type FlipOutcome,
  type Folder,
  readFolder,
  type Sample,
  writeFolder,
} from './flips/folder.ts';
import { openDamagedBox } from './flips/whole-box.ts';
import { openProgress } from './load/state.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about = 'damaged bytes in journal files: --flips 500 --seed 1 (--state FILE, --box-every 1000)';

const SEGMENTS = 5;
const BOUNDS = { max_bytes: 2 ** 24, segment_bytes: 16 * 1024 };
/** The other files are small; without this they would hardly be hit. */
const OTHER_FILE = 0.05;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const flips = Number(options.flips ?? 500);
  const seed = Number(options.seed ?? 1);
  const box_every = Number(options['box-every'] ?? 1000);
  const fresh = { flips: 0, lost_outside_segment: 0, start_max_s: 0, lost_inside: 0 };
  const { state, save } = openProgress(options.state, `flips --seed ${seed}`, fresh);
  const dir = await mkdtemp(join(tmpdir(), 'luna-flips-'));
  const box = flips >= box_every ? await openDamagedBox() : null;
  try {
    while (state.flips < flips) {
      const random = createRandom(seed * 1_000_003 + state.flips);
      const sample = await makeSample(dir, random, state.flips % 2 === 0);
      for (let n = 0; n < 100 && state.flips < flips; n++) {
        const flip = chooseFlip(sample.folder, random);
        const outcome = await startWith(dir, sample, flip, n % 2 === 1);
        state.flips++;
        state.lost_outside_segment += outcome.lost_outside_segment;
        state.lost_inside += outcome.lost_inside;
        state.start_max_s = Math.max(state.start_max_s, outcome.start_s);
        if (outcome.lost_outside_segment > 0) progress(`${JSON.stringify({ flip, outcome })}`);
        requireHarmless(flip, outcome);
        if (!box || state.flips % box_every !== 0) continue;
        const whole = await box.startWith(sample, flip);
        progress(`the whole box: ${JSON.stringify({ flip, ...whole })}`);
        requireHarmless(flip, whole);
        state.lost_outside_segment += whole.lost_outside_segment;
        state.start_max_s = Math.max(state.start_max_s, whole.start_s);
      }
      save();
      progress(
        `${state.flips} of ${flips} flips: ${state.lost_outside_segment} lost outside the damaged segment, ` +
          `${state.lost_inside} inside, slowest start ${state.start_max_s.toFixed(2)} s`,
      );
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
    await box?.remove();
  }
  const { lost_outside_segment, start_max_s } = state;
  return { flips: state.flips, lost_outside_segment, start_max_s: Number(start_max_s.toFixed(3)) };
}

/** @throws when a flip cost more than the record it hit, or nobody was told in which segment that was */
export function requireHarmless(flip: Flip, { lost_inside, unnamed }: Omit<FlipOutcome, 'start_s'>): void {
  if (lost_inside > 1) throw new Error(`${lost_inside} records were lost to one byte: ${JSON.stringify(flip)}`);
  if (unnamed) throw new Error(`a record was lost and nobody was told: ${JSON.stringify(flip)}`);
}

/** A journal of some segments of records of many sizes; `closed` or as a kill leaves it. */
export async function makeSample(dir: string, random: Random, closed: boolean): Promise<Sample> {
  await rm(dir, { recursive: true, force: true });
  const journal = await openJournal({ dir, ...BOUNDS });
  for (let n = 1; journal.stats().segments < SEGMENTS; n++) await journal.append([groupOf(n, random)]);
  await journal.release(3);
  let folder = await readFolder(dir);
  await journal.close();
  if (closed) folder = await readFolder(dir);
  await writeFolder(dir, folder);
  const records: Sample['records'] = new Map();
  const segments = [...folder.keys()].filter((name) => name.endsWith('.journal')).sort();
  for (const group of await readRecords(dir)) {
    const segment = segments.findLast((name) => Number(name.slice(0, 16)) <= group.seq)!;
    records.set(group.seq, { text: JSON.stringify(group), segment });
  }
  return { folder, records, last_seq: Math.max(...records.keys()) };
}

/** A byte of a segment, or now and then of another file. */
export function chooseFlip(folder: Folder, random: Random): Flip {
  const names = [...folder.keys()].sort();
  const other = names.filter((name) => !name.endsWith('.journal') && folder.get(name)!.length > 0);
  const some = random() < OTHER_FILE && other.length > 0 ? other : names.filter((name) => name.endsWith('.journal'));
  const file = some[Math.floor(random() * some.length)]!;
  return { file, at: Math.floor(random() * filled(folder.get(file)!)), mask: 1 + Math.floor(random() * 255) };
}

/** Zeros that a file grew by ahead of its records are left out, but for a few. */
function filled(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return Math.min(bytes.length, end + 64);
}

/** Damages one byte, opens the journal, and compares what it holds. */
/** @param large as with a journal so large that only its last segment is checked before the start, the others behind it */
export async function startWith(dir: string, sample: Sample, flip: Flip, large: boolean): Promise<FlipOutcome> {
  await writeFolder(dir, damaged(sample.folder, flip));
  const begun = performance.now();
  const journal = await openJournal({ dir, ...BOUNDS, ...(large ? { check_bytes: 0 } : {}) });
  const start_s = (performance.now() - begun) / 1000;
  const behind: string[] = [];
  await verifySegments(dir, journal.unchecked, { onCorrupt: (name) => behind.push(name), pause: async () => true });
  for (const name of behind) await journal.setAside!(name);
  const { quarantined } = journal.stats();
  const found = new Map((await readRecords(dir)).map((group) => [group.seq, JSON.stringify(group)]));
  const fresh = await journal.append([groupOf(1, () => 0.5)]);
  await journal.close();
  if (fresh <= sample.last_seq)
    throw new Error(`the number ${fresh} was given out twice after ${JSON.stringify(flip)}`);
  const lost = [...sample.records].filter(([seq, { text }]) => found.get(seq) !== text);
  const outside = lost.filter(([, { segment }]) => segment !== flip.file).length;
  const invented = [...found.keys()].filter((seq) => !sample.records.has(seq)).length;
  return {
    lost_outside_segment: outside + invented,
    lost_inside: lost.length - outside,
    unnamed: lost.length > outside && !quarantined.some((name) => name.startsWith(flip.file)),
    start_s,
  };
}

async function readRecords(dir: string): Promise<JournalledGroup[]> {
  const reader = await openJournalReader(dir);
  const all: JournalledGroup[] = [];
  for (;;) {
    const groups = await reader.read(all.at(-1)?.seq ?? 0, 2 ** 20);
    if (groups.length === 0) break;
    all.push(...groups);
  }
  await reader.close();
  return all;
}

function groupOf(n: number, random: Random): ReadingGroup {
  const readings = Array.from({ length: 1 + Math.floor(random() ** 4 * 40) }, (_, i) => ({
    ...{ meter: `meter ${i % 5}`, quantity: i % 2 ? 'import_kWh' : 'power_W', at_ms: 1.78e12 + n * 1000 + i },
    ...{ value: n + i / 100, quality: i % 3 },
  }));
  return {
    tenant: 'default',
    source: 'mqtt',
    device: random() < 0.5 ? 'hall' : null,
    received_ms: 1.78e12 + n,
    readings,
  };
}
