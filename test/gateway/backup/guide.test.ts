/** The commands of docs/guides/backup-and-restore.md, in its order, with paths of the test's own. */
import { exec } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { copyTemplate } from '../../setup/database.ts';

const ROOT = join(import.meta.dirname, '../../..');
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'luna-guide-'));
  await writeFile(join(root, 'passphrase'), 'a passphrase of the guide\n', { mode: 0o600 });
});
afterAll(() => rm(root, { recursive: true, force: true }));

it('does what the guide says', async () => {
  const guide = await readFile(join(ROOT, 'docs/guides/backup-and-restore.md'), 'utf8');
  const commands = [...guide.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, command = '']) => command.trim());
  expect(commands).toHaveLength(5);
  const home = join(root, 'home');
  await promisify(exec)(`mkdir -p ${home}`);
  await copyTemplate(home);
  const env = {
    ...{ PATH: process.env.PATH, LUNA_HOME: home, LUNA_LOG_LEVEL: 'error' },
    ...{ LUNA_BACKUP_DIR: join(root, 'backups'), LUNA_BACKUP_PASSPHRASE_FILE: join(root, 'passphrase') },
  };
  const said: string[] = [];
  let before = '';
  for (const command of commands) {
    const ours = command
      .replaceAll('/mnt/backups', join(root, 'backups'))
      .replaceAll('/etc/luna/passphrase', join(root, 'passphrase'))
      .replaceAll('/srv/', `${root}/`)
      .replaceAll('2026-03-01T12:00Z', before)
      .replaceAll('./luna ', `${process.execPath} --disable-warning=ExperimentalWarning gateway/main.ts `);
    const run = () => promisify(exec)(ours, { cwd: ROOT, env });
    said.push((await run()).stdout);
    if (said.length > 1) continue;
    // Another one, which is later than what `--until` asks for below.
    before = new Date().toISOString();
    await run();
  }
  expect(said[0]).toMatch(/^Backup 000001_\S+ in .*rows/);
  expect(said[1]).toMatch(/is whole/);
  expect(said[2]).toMatch(/tables with \d+ rows are as the backup says/);
  const [, backup, reached] = /^Restored \S*\/(\S+) into .*, up to (\S+)\.$/m.exec(said[3] ?? '') ?? [];
  expect(backup).toMatch(/^000001_/);
  expect(reached! <= before, `${reached} is not after ${before}`).toBe(true);
  expect(said[2]).toMatch(/^Restored \S*\/000002_/);
  expect(said[4]).toMatch(/What was in the home lies in/);
  expect(await readdir(join(root, 'luna'))).toEqual(expect.arrayContaining(['postgres', 'series.duckdb', 'journal']));
}, 180_000);
