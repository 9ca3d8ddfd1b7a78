import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createLifecycle, keeping, type Part } from '../../gateway/lifecycle.ts';

const log = pino({ level: 'silent' });
const recording = (journal: string[], name: string, extra: Partial<Part> = {}): Part => ({
  name,
  start: () => void journal.push(`start ${name}`),
  close: () => void journal.push(`close ${name}`),
  ...extra,
});

describe('lifecycle', () => {
  it('starts in order and closes in reverse, once', async () => {
    const journal: string[] = [];
    const lifecycle = createLifecycle([recording(journal, 'a'), recording(journal, 'b')], log);
    await lifecycle.start();
    await Promise.all([lifecycle.close(), lifecycle.close()]);
    expect(journal).toEqual(['start a', 'start b', 'close b', 'close a']);
  });

  it('closes what had started, and the failing part too, when a start fails', async () => {
    const journal: string[] = [];
    const failing = recording(journal, 'b', { start: () => Promise.reject(new Error('port taken')) });
    const lifecycle = createLifecycle([recording(journal, 'a'), failing, recording(journal, 'c')], log);
    await expect(lifecycle.start()).rejects.toThrow('port taken');
    expect(journal).toEqual(['start a', 'close b', 'close a']);
  });

  it('goes on past a part that hangs or throws while closing', async () => {
    const journal: string[] = [];
    const hangs = recording(journal, 'b', { close: () => new Promise(() => {}), close_ms: 20 });
    const throws = recording(journal, 'c', {
      close: () => {
        throw new Error('gone');
      },
    });
    const lifecycle = createLifecycle([recording(journal, 'a'), hangs, throws], log);
    await lifecycle.start();
    expect(await lifecycle.close()).toEqual(['b']);
    expect(journal.at(-1)).toBe('close a');
  });

  it('closes within its bound though many parts hang, and what was promised time still gets it', async () => {
    const done: string[] = [];
    const store: Part = {
      name: 'store',
      keep_ms: 2000,
      close: async () => {
        await new Promise((passed) => setTimeout(passed, 200));
        done.push('store');
      },
    };
    const hanging = Array.from({ length: 10 }, (_, n) => ({
      name: `hangs ${n}`,
      close: () => new Promise<void>(() => {}),
    }));
    const lifecycle = createLifecycle([store, ...hanging], log, 3000);
    await lifecycle.start();
    const begun = performance.now();
    const late = await lifecycle.close();
    expect(performance.now() - begun).toBeLessThan(15_000);
    expect(late).toHaveLength(10);
    expect(done).toEqual(['store']);
  });
});

describe('keeping', () => {
  const store = (journal: string[], name: string) => ({ close: async () => void journal.push(`close ${name}`) });

  it('closes what was opened when a later opening fails, the last first', async () => {
    const journal: string[] = [];
    const opening = keeping(async (keep) => {
      keep(store(journal, 'database'));
      keep({ close: () => Promise.reject(new Error('gone')) });
      keep(store(journal, 'journal'));
      throw new Error('disk full');
    });
    await expect(opening).rejects.toThrow('disk full');
    expect(journal).toEqual(['close journal', 'close database']);
  });

  it('closes nothing of what could be opened', async () => {
    const journal: string[] = [];
    expect(await keeping(async (keep) => keep(store(journal, 'a')) && 'box')).toBe('box');
    expect(journal).toEqual([]);
  });
});
