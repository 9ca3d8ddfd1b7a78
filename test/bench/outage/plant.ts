/** The readings of an outage: meters that each send one reading a second, written into the journal by its own writer. */
import { join } from 'node:path';
import { openJournal } from '../../../connectors/journal/journal.ts';
import type { ReadingGroup } from '../../../engine/model/reading.ts';
import { createRandom } from '../../../engine/random.ts';
import { openCountFile } from '../../../gateway/services/count-file.ts';

export type Outage = {
  /** Names of the meter points, which are those of their devices. */
  meters: readonly string[];
  from_ms: number;
  seconds: number;
  seed: number;
};

/** Every second meter is a register, the others tell power. */
export const isRegister = (index: number) => index % 2 === 0;
/** What the register of a meter counts in a second, in steps that a double adds up exactly. */
const STEPS_kWh = 1 / 4096;
export function registerAt(seed: number, index: number, second: number): number {
  const per_s = 1 + ((seed + index) % 3);
  return 1000 + index + second * per_s * STEPS_kWh;
}

const BATCH = 2_000;

/** Writes what all meters would have sent, at full speed. @returns bytes of the journal for it */
export async function writeJournal(home: string, outage: Outage, onShare: (share: number) => void): Promise<number> {
  const journal = await openJournal({
    ...{ dir: join(home, 'journal'), max_bytes: 2 ** 40, segment_bytes: 32 * 1024 * 1024 },
    replay_bytes: 0,
  });
  const before = journal.stats().bytes;
  const random = createRandom(outage.seed);
  let groups: ReadingGroup[] = [];
  for (let second = 0; second < outage.seconds; second++) {
    const at_ms = outage.from_ms + second * 1000;
    for (const [index, meter] of outage.meters.entries()) {
      const [quantity, value] = isRegister(index)
        ? ['import_kWh', registerAt(outage.seed, index, second)]
        : ['power_W', Math.round(5000 * random())];
      groups.push({
        ...{ tenant: 'default', source: 'mqtt', device: meter, received_ms: at_ms + 40, delivery: second + index },
        readings: [{ meter, quantity, at_ms, value, quality: 0 }],
      });
    }
    if (groups.length < BATCH) continue;
    await journal.append(groups);
    groups = [];
    if (second % 3600 < BATCH / outage.meters.length) onShare(second / outage.seconds);
  }
  await journal.append(groups);
  const { bytes, last_seq } = journal.stats();
  await journal.close();
  await writeCounts(home, outage.meters.length * outage.seconds, last_seq);
  return bytes - before;
}

/** What a box that took these readings would have written down of them once a second. */
async function writeCounts(home: string, readings: number, seq: number): Promise<void> {
  const file = await openCountFile(join(home, 'counts'));
  const saved = (await file.read()) as { came: Record<string, { accepted: number; rejected: number }> } | null;
  if (saved) await file.save({ ...saved, seq, came: { ...saved.came, mqtt: { accepted: readings, rejected: 0 } } });
  await file.close();
}
