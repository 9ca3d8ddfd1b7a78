import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { InvalidDataError, UnavailableError } from '../../../engine/errors.ts';
import { createWorkers } from '../../../gateway/workers/pool.ts';

describe('worker threads', () => {
  const workers = createWorkers({ threads: 1, heap_MB: 64, folder: join(import.meta.dirname, 'tasks') });
  afterAll(() => workers.close());

  it('runs a task and brings its result back', async () => {
    expect(await workers.run('odd', { do: 'add', values: new Float64Array([1, 2, 4]) })).toBe(7);
  });

  it('keeps class, remedy and faults of a refusal', async () => {
    const refusal = await workers.run('odd', { do: 'refuse' }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(InvalidDataError);
    expect(refusal).toMatchObject({ remedy: 'Upload text.', faults: [{ where: 'page 1', problem: 'an image' }] });
    await expect(workers.run('odd', { do: 'crash' })).rejects.toThrow('a fault of ours');
  });

  it('stops an endless task at its deadline and goes on with the next', async () => {
    await expect(workers.run('odd', { do: 'hang' }, { timeout_ms: 300 })).rejects.toThrow(UnavailableError);
    expect(await workers.run('odd', { do: 'add', values: new Float64Array([1]) })).toBe(1);
  });

  it('stops an endless task when whoever asked gives up', async () => {
    const asker = new AbortController();
    const running = workers.run('odd', { do: 'hang' }, { signal: asker.signal });
    setTimeout(() => asker.abort(), 200);
    await expect(running).rejects.toThrow(/abort/i);
    expect(await workers.run('odd', { do: 'add' })).toBe(0);
  });

  it('survives a task that eats all memory', async () => {
    await expect(workers.run('odd', { do: 'eat' })).rejects.toThrow(/needed more than/);
    expect(await workers.run('odd', { do: 'add' })).toBe(0);
  });

  it.each(['../pool', 'Odd', '', 'a/b'])('takes %j for no task', async (task) => {
    await expect(workers.run(task, {})).rejects.toThrow(/is no task/);
  });
});
