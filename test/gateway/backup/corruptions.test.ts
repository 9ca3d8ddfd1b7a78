/** A sample of `bench -- backup`: whatever was changed, the backup is refused, and what is wrong is named. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkBackup } from '../../../gateway/backup/check.ts';
import { KIND_NAMES } from './corruptions.ts';
import { KNOWN, PASSPHRASE } from './rig.ts';
import { openSpoilt, type SpoiltBackup, spoil } from './spoil.ts';

let backup: SpoiltBackup;
beforeAll(async () => {
  backup = await openSpoilt();
}, 120_000);
afterAll(() => backup?.end());

it('refuses a backup that was spoilt, in each way there is, and takes the whole one before and after', async () => {
  const whole = () => checkBackup(backup.dir, { passphrase: PASSPHRASE, migrations: KNOWN });
  expect((await whole()).rounds).toHaveLength(2);
  const wrong: string[] = [];
  const order = { from: 0, count: KIND_NAMES.length, seed: 1, kinds: KIND_NAMES };
  const tally = await spoil(backup, order, (line) => wrong.push(line));
  expect(wrong).toEqual([]);
  const n = KIND_NAMES.length;
  expect(tally).toEqual({ corruptions: n, refused: n, unnamed: 0, accepted: 0 });
  expect((await whole()).rounds).toHaveLength(2);
}, 120_000);
