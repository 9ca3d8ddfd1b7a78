/** What error texts and the guide tell people to type is there to be typed. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');
const read = (path: string) => readFile(join(ROOT, path), 'utf8');

it('options named in the texts of backup and restore exist', async () => {
  const known = [...(await read('gateway/main.ts')).matchAll(/'(--[a-z-]+)[ ']/g)].map(([, name]) => name);
  expect(known).toEqual(expect.arrayContaining(['--until', '--no-log', '--new-folder']));
  const files = [
    ...(await readdir(join(ROOT, 'gateway/backup'))).map((name) => `gateway/backup/${name}`),
    ...(await readdir(join(ROOT, 'gateway/services')))
      .filter((n) => /^backup/.test(n))
      .map((n) => `gateway/services/${n}`),
    ...['connectors/database/embedded/recover.ts', 'connectors/database/embedded/base-backup.ts'],
    ...['docs/guides/backup-and-restore.md', 'web/i18n/en/admin.ts', 'web/i18n/de/admin.ts'],
  ];
  const named: string[] = [];
  for (const file of files)
    for (const [option] of (await read(file)).matchAll(/(?<![\w-])--[a-z][a-z-]+/g)) named.push(`${option} in ${file}`);
  expect(named.length).toBeGreaterThan(5);
  // `bench` has options of its own.
  const bench = /^--(meters|days) in docs/;
  expect(named.filter((one) => !bench.test(one) && !known.includes(one.split(' ')[0]))).toEqual([]);
});
