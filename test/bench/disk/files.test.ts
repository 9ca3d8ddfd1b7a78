/** Every module that writes files of its own, on a small disk that is filled to the last byte and gets room again. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { canMount, runInNamespace } from './small-disk.ts';

it.skipIf(!canMount())(
  'a full disk costs nothing that was kept at any place that writes, refuses in words, and each goes on by itself',
  async () => {
    const lines = await runInNamespace(
      ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'files-main.ts')],
      () => {},
    );
    const outcomes = lines.map((line) => JSON.parse(line) as { site: string; faults: string[] });
    expect(outcomes).toHaveLength(15);
    expect(outcomes.filter(({ faults }) => faults.length > 0)).toEqual([]);
  },
  120_000,
);
