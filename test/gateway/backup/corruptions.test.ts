/** A sample of `bench -- backup`: whatever was changed, the backup is refused, and what is wrong is named. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkBackup } from '../../../gateway/backup/check.ts';
import { KNOWN, PASSPHRASE } from './rig.ts';
import { openSpoilt, type SpoiltBackup, spoil } from './spoil.ts';

let backup: SpoiltBackup;
beforeAll(async () => {
  backup = await openSpoilt();
}, 120_000);
afterAll(() => backup?.end());

it('refuses each of 40 spoilt backups, and takes the whole one before and after', async () => {
  const whole = () => checkBackup(backup.dir, { passphrase: PASSPHRASE, migrations: KNOWN });
  expect((await whole()).rounds).toHaveLength(2);
  const wrong: string[] = [];
  const tally = await spoil(backup, { from: 0, count: 40, seed: 1 }, (line) => wrong.push(line));
  expect(wrong).toEqual([]);
  expect(tally).toEqual({ corruptions: 40, refused: 40, accepted: 0 });
  expect((await whole()).rounds).toHaveLength(2);
}, 120_000);
