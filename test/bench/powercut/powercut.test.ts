/** Samples of `bench -- powercut`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../engine/random.ts';
import { run } from '../powercut.bench.ts';
import { cutPower, type DiskOperation } from './disk-model.ts';
import { cutJournalPower } from './in-process.ts';
import { canRecord } from './trace.ts';

describe('power cuts', () => {
  it('lose no acknowledged reading of the journal, and raise no false alarm of a damaged disk', async () => {
    const root = await mkdtemp(join(tmpdir(), 'luna-cuts-'));
    try {
      const { acknowledged, ...rest } = await cutJournalPower(root, 100, createRandom(7));
      expect(rest).toEqual({ cuts: 100, lost: 0, duplicated: 0, quarantined: 0 });
      expect(acknowledged).toBeGreaterThan(5000);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });

  it.skipIf(!canRecord())(
    'lose no acknowledged reading of journal and series store together, as the box runs them',
    { timeout: 60_000 },
    async () => {
      const { acknowledged, ...rest } = await run({ cuts: '2', seed: '5' }, () => {});
      expect(rest).toEqual({ cuts: 2, lost: 0, duplicated: 0 });
      expect(acknowledged).toBeGreaterThan(100);
    },
  );
});

describe('the model of a power cut', () => {
  const outcomes = (operations: DiskOperation[]) => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 400; seed++) {
      const image = cutPower(new Map(), operations, createRandom(seed));
      seen.add([...image].map(([path, bytes]) => `${path}=${bytes?.toString('latin1')}`).join(' '));
    }
    return [...seen].sort();
  };
  const created: DiskOperation[] = [
    { op: 'create', file: 1, path: 'a' },
    { op: 'write', file: 1, offset: 0, bytes: Buffer.from('old') },
    { op: 'begin sync', file: 1, sync: 1 },
    { op: 'end sync', file: 1, sync: 1 },
  ];
  const named: DiskOperation[] = [
    { op: 'begin sync folder', path: '.', sync: 2 },
    { op: 'end sync folder', path: '.', sync: 2 },
  ];

  it('keeps what was synced, and a name only when its folder was', () => {
    expect(outcomes(created)).toEqual(['', 'a=old']);
    expect(outcomes([...created, ...named])).toEqual(['a=old']);
  });

  it('lets a write that was not synced survive, vanish, or leave zeros', () => {
    const more: DiskOperation = { op: 'write', file: 1, offset: 3, bytes: Buffer.from('new') };
    expect(outcomes([...created, ...named, more])).toEqual(['a=old', 'a=old\0\0\0', 'a=oldnew']);
  });

  it('counts only a sync that had ended, and only what was written before it began', () => {
    const more: DiskOperation = { op: 'write', file: 1, offset: 0, bytes: Buffer.from('new') };
    const begun: DiskOperation = { op: 'begin sync', file: 1, sync: 3 };
    const ended: DiskOperation = { op: 'end sync', file: 1, sync: 3 };
    expect(outcomes([...created, ...named, more, begun])).toEqual(['a=new', 'a=old']);
    expect(outcomes([...created, ...named, begun, more, ended])).toEqual(['a=new', 'a=old']);
    expect(outcomes([...created, ...named, more, begun, ended])).toEqual(['a=new']);
  });

  it('brings a removed or renamed file back where the folder was not synced', () => {
    expect(outcomes([...created, ...named, { op: 'remove', path: 'a' }])).toEqual(['', 'a=old']);
    expect(outcomes([...created, ...named, { op: 'rename', from: 'a', to: 'b' }])).toEqual(['a=old', 'b=old']);
  });
});
