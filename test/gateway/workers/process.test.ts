/** Work that hangs, dies or is given up ends with its process, and the box goes on. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createTaskProcesses } from '../../../gateway/workers/process.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'luna-process-'));
  const errors = join(import.meta.dirname, '../../../engine/errors.ts');
  const tasks = {
    double: 'export default (n) => 2 * n;',
    // As a call into a share whose server is away: nothing in its process runs on.
    hang: `import { writeFileSync } from 'node:fs';
      export default (file) => { writeFileSync(file, String(process.pid)); for (;;); };`,
    die: 'export default () => process.exit(3);',
    fail: `import { UnavailableError } from ${JSON.stringify(errors)};
      export default () => { throw Object.assign(new UnavailableError('full', 'Free space.'), { kind: 'folder_full' }); };`,
  };
  for (const [name, text] of Object.entries(tasks)) await writeFile(join(folder, `${name}.ts`), text);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const pidIn = (file: string) =>
  vi.waitFor(async () => Number((await readFile(file, 'utf8')).match(/^\d+$/)![0]), { timeout: 20_000 });
const isGone = (pid: number) => vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000 });

it('carries what came of it, errors with their remedy and kind', async () => {
  const processes = createTaskProcesses({ folder });
  expect(await processes.run('double', 21)).toBe(42);
  await expect(processes.run('fail', null)).rejects.toMatchObject({
    ...{ name: 'UnavailableError', message: 'full', remedy: 'Free space.', kind: 'folder_full' },
  });
  await expect(processes.run('../double', 1)).rejects.toThrow(/is no task/);
}, 60_000);

it('one that hangs is ended at its deadline, and says so', async () => {
  const processes = createTaskProcesses({ folder });
  const file = join(folder, 'pid-1');
  const hanging = processes.run('hang', file, { timeout_ms: 5000 });
  await expect(hanging).rejects.toMatchObject({ kind: 'slow', message: expect.stringMatching(/longer than 5 s/) });
  // Under load it may not have come as far as to hang.
  const pid = Number(await readFile(file, 'utf8').catch(() => '0'));
  if (pid > 0) await isGone(pid);
}, 60_000);

it('one that is given up, or left when the box closes, is ended', async () => {
  const processes = createTaskProcesses({ folder });
  const [first, second] = [join(folder, 'pid-2'), join(folder, 'pid-3')];
  const stop = new AbortController();
  const given_up = processes.run('hang', first, { signal: stop.signal });
  const left = processes.run('hang', second);
  left.catch(() => {});
  const pids = [await pidIn(first), await pidIn(second)];
  stop.abort(new Error('closing'));
  await expect(given_up).rejects.toThrow('closing');
  await isGone(pids[0]!);
  await processes.close();
  await expect(left).rejects.toMatchObject({ kind: 'ended' });
  await isGone(pids[1]!);
}, 60_000);

it('one that dies says so', async () => {
  await expect(createTaskProcesses({ folder }).run('die', null)).rejects.toMatchObject({
    ...{ kind: 'ended', message: 'die ended early (3).' },
  });
}, 60_000);
