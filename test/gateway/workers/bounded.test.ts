import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBounded } from '../../../gateway/workers/bounded.ts';
import { createUploadReader, type UploadReader } from '../../../gateway/workers/upload-reader.ts';

const isLinux = process.platform === 'linux';
const BOUNDS = { memory_MB: 100, stall_ms: 9000, timeout_ms: 60_000, remedy: 'Split it.' };

const childrenOf = (pid: number) =>
  readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' '))
    .filter(Boolean);

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

describe('a bounded process', () => {
  let folder = '';
  let uploads: UploadReader;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'luna-bounded-'));
    uploads = createUploadReader({ folder });
  });
  afterAll(async () => {
    await uploads.close();
    await rm(folder, { recursive: true });
  });

  it('reads one file after the other, each with what is wrong with it', async () => {
    for (let i = 0; i < 15; i++)
      expect(await uploads.devices('devices:\n  - id: a\n    connection: { kind: push }\n')).toHaveLength(1);
    await expect(uploads.devices('devices: [')).rejects.toThrow(/no valid YAML/);
    expect(process.listenerCount('exit')).toBeLessThan(10);
  });

  it.runIf(isLinux)(
    'keeps one process warm over files that are well and files that are not, and replaces one that was ended',
    async () => {
      const bounded = createBounded<object, unknown>({ task: 'read-upload', ...BOUNDS });
      const read = async (yaml: string) => {
        const outcome: unknown[] = [];
        try {
          for await (const item of bounded.run({ kind: 'devices', yaml })) outcome.push(item);
        } catch (error) {
          outcome.push((error as Error).message);
        }
        return outcome;
      };
      const readers = () => childrenOf(process.pid).filter((pid) => /bounded-child/.test(commandOf(pid)));
      const before = new Set(readers());
      const mine = () => readers().filter((pid) => !before.has(pid));
      expect(await read('devices: [')).toEqual([expect.stringMatching(/no valid YAML/)]);
      const warm = mine();
      expect(warm).toHaveLength(1);
      for (let i = 0; i < 20; i++) expect(await read(i % 2 ? `devices: [${'{'.repeat(i)}` : 'a: 1')).toHaveLength(1);
      expect(mine()).toEqual(warm);
      process.kill(Number(warm[0]), 'SIGKILL');
      await expect.poll(mine).toEqual([]);
      expect(await read('devices:\n  - id: a\n    connection: { kind: push }\n')).toHaveLength(1);
      expect(mine()).not.toEqual(warm);
      await bounded.close();
      expect(mine()).toEqual([]);
    },
  );

  it('may read its file and the program, nothing else', async () => {
    const [own, other] = [join(folder, 'own.csv'), join(folder, 'other.csv')];
    for (const path of [own, other]) await writeFile(path, 'at,meter,power_W\n2026-01-01T00:00:00Z,hall,1\n');
    expect((await uploads.preview({ path: own })).columns).toEqual(['at', 'meter', 'power_W']);
    const bounded = createBounded<object, unknown>({ task: 'read-upload', ...BOUNDS });
    const stray = bounded.run({ kind: 'preview', path: other }, { readable: [own] });
    await expect(stray.next()).rejects.toThrow(/restricted|permission|Access/i);
    await bounded.close();
  });

  it('says how it broke off, and the next one works', async () => {
    const bounded = createBounded<object, unknown>({ task: 'no-such-task', ...BOUNDS });
    await expect(bounded.run({}).next()).rejects.toThrow(/broke off.*Error/);
    await bounded.close();
  });

  it('ends when nobody asks for its result any more', async () => {
    const bounded = createBounded<object, unknown>({ task: 'read-upload', ...BOUNDS });
    const stop = new AbortController();
    const reading = bounded.run({ kind: 'devices', yaml: 'a: 1' }, { signal: stop.signal }).next();
    stop.abort();
    await expect(reading).rejects.toThrow(/interrupted/);
    await bounded.close();
  });

  it.runIf(isLinux)(
    'does not outlive a box that was killed while it worked',
    async () => {
      const box = spawn(process.execPath, [join(import.meta.dirname, 'orphan.ts')], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      await once(box.stdout, 'data');
      const children = () => readFileSync(`/proc/${box.pid}/task/${box.pid}/children`, 'utf8').trim();
      await expect.poll(children, { timeout: 15_000 }).not.toBe('');
      const reader = children().split(' ')[0]!;
      // Until it works: some ticks of processor time.
      const busy = () => Number(readFileSync(`/proc/${reader}/stat`, 'utf8').split(' ')[13]) > 50;
      await expect.poll(busy, { timeout: 15_000 }).toBe(true);
      box.kill('SIGKILL');
      await expect.poll(() => existsSync(`/proc/${reader}`), { timeout: 8000 }).toBe(false);
    },
    40_000,
  );
});
