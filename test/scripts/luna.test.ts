import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onPath, ROOT } from '../setup/environment.ts';

const MAIN = `
if (process.argv[2] === 'wait') {
  process.on('SIGTERM', () => process.exit(7));
  setInterval(() => {}, 1000);
  console.log('waiting');
} else console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd() }));
`;

/** A checkout that is set up already, with a main program that tells what it was given. */
describe('./luna', () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'luna-sh-')));
  const elsewhere = join(root, 'some where');
  const link = join(elsewhere, 'luna');
  const env = { ...process.env, PATH: [dirname(process.execPath), process.env.PATH].join(delimiter) };

  beforeAll(() => {
    for (const folder of ['scripts', 'gateway', 'node_modules', 'some where']) mkdirSync(join(root, folder));
    for (const file of ['luna', 'scripts/setup.sh', '.node-version']) copyFileSync(join(ROOT, file), join(root, file));
    writeFileSync(join(root, 'gateway/main.ts'), MAIN);
    writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(root, 'package-lock.json'), '{}');
    utimesSync(join(root, 'package-lock.json'), 1, 1);
    writeFileSync(join(root, 'node_modules/.package-lock.json'), '{}');
    symlinkSync('../luna', join(elsewhere, 'first'));
    symlinkSync('first', link);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('works through links, from any folder, and says nothing of its own', () => {
    const { stdout, stderr } = spawnSync(link, ['import', 'a b.csv', ''], { cwd: elsewhere, env, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ args: ['import', 'a b.csv', ''], cwd: elsewhere });
  });

  it('is the program itself for signals and the exit code', async () => {
    const child = spawn(link, ['wait'], { env });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([7, null]);
  });

  it('says in one sentence what is missing', () => {
    const bin = join(root, 'bin');
    mkdirSync(bin);
    for (const tool of ['sh', 'cat', 'dirname', 'uname']) {
      const found = onPath([tool], process.env.PATH);
      if (found) symlinkSync(found, join(bin, tool));
    }
    symlinkSync(process.execPath, join(bin, 'node'));
    utimesSync(join(root, 'node_modules/.package-lock.json'), 0, 0);
    const options = { env: { ...env, PATH: bin }, encoding: 'utf8' } as const;
    const { status, stderr } = spawnSync('/bin/sh', [join(root, 'luna')], options);
    expect([status, stderr]).toEqual([1, 'luna: npm is missing: please install it, then try again.\n']);
  });
});
