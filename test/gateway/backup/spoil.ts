/** Spoils a backup again and again and asks each time whether it would be restored. Shared by the test and the bench. */

import { InvalidDataError } from '../../../engine/errors.ts';
import { createRandom } from '../../../engine/random.ts';
import { checkBackup } from '../../../gateway/backup/check.ts';
import { corrupt } from './corruptions.ts';
import { KNOWN, openRig, PASSPHRASE, type Rig, T0 } from './rig.ts';

export type SpoiltBackup = Rig & { dir: string; other: string };

/** A backup that was continued twice, and another one of the same box. */
export async function openSpoilt(): Promise<SpoiltBackup> {
  const rig = await openRig();
  await rig.record('m', T0, [1, 2, 3]);
  await rig.drain();
  await rig.files.write('acme', 'rules.pdf', Buffer.from('a document'));
  await rig.record('m', T0 + 60_000, [4]);
  await rig.backup();
  const other = rig.newest();
  await rig.round();
  await rig.record('m', T0 + 120_000, [5]);
  await rig.backup();
  await rig.record('m', T0 + 180_000, [6]);
  await rig.round();
  await rig.record('m', T0 + 240_000, [7]);
  await rig.round();
  return { ...rig, dir: rig.newest(), other };
}

export type Tally = { corruptions: number; refused: number; unnamed: number; accepted: number };

/**
 * @param kinds one for each number; left out: drawn by the seed
 * @param wrong told of each that was accepted, or refused without naming what is wrong
 */
export async function spoil(
  { dir, other }: Pick<SpoiltBackup, 'dir' | 'other'>,
  { from, count, seed, kinds }: { from: number; count: number; seed: number; kinds?: readonly string[] },
  wrong: (line: string) => void,
  each: (tally: Tally) => Promise<void> | void = () => {},
): Promise<Tally> {
  const tally: Tally = { corruptions: 0, refused: 0, unnamed: 0, accepted: 0 };
  for (let n = from; n < count; n++) {
    const { kind, named, undo } = await corrupt({ dir, other, random: createRandom(seed * 1_000_003 + n) }, kinds?.[n]);
    const said = await checkBackup(dir, { passphrase: PASSPHRASE, migrations: KNOWN }).then(
      () => null,
      (error: Error) => error,
    );
    await undo();
    tally.corruptions++;
    const text =
      said instanceof InvalidDataError
        ? [said.message, ...said.faults.map((f) => `${f.where} ${f.problem}`)].join('\n')
        : '';
    if (named.test(text)) tally.refused++;
    else {
      if (said === null) tally.accepted++;
      else tally.unnamed++;
      wrong(`${n} ${kind}: expected ${named}, got ${said === null ? 'no refusal' : `${said.name} ${said.message}`}`);
    }
    await each(tally);
  }
  return tally;
}
