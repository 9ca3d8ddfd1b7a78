import { describe, expect, it } from 'vitest';
import { createEmbeddedPassages } from '../../../connectors/passages/embedded/embedded.ts';
import { passage, passageIndexContract } from '../../contracts/passages.ts';

passageIndexContract('embedded', createEmbeddedPassages);

describe('embedded passage index', () => {
  it('stays right when most of it was taken out again', async () => {
    const index = createEmbeddedPassages();
    const made = (n: number) => passage(`d${n}:0`, `Clause ${n} speaks of meter number m${n} and the common grid.`);
    await index.add(
      'a',
      Array.from({ length: 2400 }, (_, n) => made(n)),
    );
    for (let n = 0; n < 2300; n += 1) await index.remove('a', `d${n}`);
    expect((await index.search('a', 'meter m2350', 3))[0]?.passage.id).toBe('d2350:0');
    expect(await index.search('a', 'm12', 3)).toEqual([]);
    expect(await index.search('a', 'grid', 5000)).toHaveLength(100);
    await index.add('a', [made(12)]);
    expect((await index.search('a', 'm12', 3)).map((hit) => hit.passage.id)).toEqual(['d12:0']);
  });

  it('lets others have their turn while it takes in a long document', async () => {
    const index = createEmbeddedPassages();
    const words = Array.from({ length: 150 }, (_, n) => `word${n}`).join(' ');
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await index.add(
      'a',
      Array.from({ length: 1000 }, (_, n) => passage(`d:${n}`, `${words} ${n}`)),
    );
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });
});
