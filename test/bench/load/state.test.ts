import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openProgress } from './state.ts';

it('goes on where an interrupted bench stood, and mixes no two runs', () => {
  const dir = mkdtempSync(join(tmpdir(), 'luna-state-'));
  const path = join(dir, 'state.json');
  const first = openProgress(path, 'crash --seed 1', { kills: 0 });
  first.state.kills = 7;
  first.save();
  first.state.kills = 8;
  expect(openProgress(path, 'crash --seed 1', { kills: 0 }).state).toEqual({ kills: 7 });
  expect(() => openProgress(path, 'crash --seed 2', { kills: 0 })).toThrow(/"crash --seed 1", not of "crash --seed 2"/);
  expect(openProgress(undefined, 'crash --seed 1', { kills: 0 }).state).toEqual({ kills: 0 });
  rmSync(dir, { recursive: true });
});
