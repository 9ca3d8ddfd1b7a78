/** The backups of the sample building: five nights on the box's own disk, without keys; one more at the press of a button. */

import { idOf } from '../../gateway/backup/folder.ts';
import type { BackupState } from '../../gateway/services/backups.ts';
import type { Services } from '../../gateway/services.ts';
import { SAMPLE_NOW_MS } from './sample-site.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

export function sampleBackups(change: Partial<BackupState> = {}): Pick<Services, 'backups'> {
  const one = (made_ms: number, n: number) => ({
    ...{ id: idOf(40 - n, made_ms), made_ms, took_ms: 8400 - 300 * n },
    ...{ bytes: 412_300_000 - 2_100_000 * n, rows: 14_201_532 - 38_400 * n, keys: false, database: true, series: true },
    left_out: [],
  });
  const night_ms = SAMPLE_NOW_MS - (SAMPLE_NOW_MS % DAY_MS) + 150 * MINUTE_MS;
  const backups = Array.from({ length: 5 }, (_, n) => one(night_ms - n * DAY_MS, n));
  return {
    backups: {
      state: () => ({
        ...{ enabled: true, folder: '/var/lib/luna/backups', same_disk: true, at: '02:30', every_min: 10 },
        ...{ running_since_ms: null, backups, covered_ms: SAMPLE_NOW_MS - 4 * MINUTE_MS, fault: null, stale: false },
        ...{ passphrase: false, database: true, series: true, ...change },
      }),
      check: () => 'The newest backup is of this night.',
      make: async () => {
        const made = one(SAMPLE_NOW_MS, 0);
        backups.unshift(made);
        return made;
      },
    },
  };
}
