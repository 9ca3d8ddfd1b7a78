/** A sample of `bench -- flips`, and what must hold for every one of its starts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../engine/random.ts';
import { chooseFlip, makeSample, requireHarmless, startWith } from './flips.bench.ts';

describe('a damaged byte in the journal', () => {
  it.each([
    { state: 'closed', closed: true },
    { state: 'killed', closed: false },
  ])('costs at most the record it hit, and the segment is named (a journal that was $state)', async ({ closed }) => {
    const dir = await mkdtemp(join(tmpdir(), 'luna-flips-'));
    const random = createRandom(11);
    try {
      const sample = await makeSample(dir, random, closed);
      for (let n = 0; n < 40; n++) {
        const flip = chooseFlip(sample.folder, random);
        const outcome = await startWith(dir, sample, flip, n % 2 === 1);
        expect({ flip, lost: outcome.lost_outside_segment }).toEqual({ flip, lost: 0 });
        requireHarmless(flip, outcome);
        // The promise is 5 s (bench), and 20 ms are usual.
        expect(outcome.start_s).toBeLessThan(15);
      }
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
