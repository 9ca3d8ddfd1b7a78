import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEmbeddedPassages } from '../../../connectors/passages/embedded/embedded.ts';
import { packRankings, unpackRankings } from '../../../connectors/passages/embedded/ranking-file.ts';
import { createRanking } from '../../../engine/rag/bm25.ts';
import { passage } from '../../contracts/passages.ts';

describe('the kept index', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'luna-kept-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const german = { language: 'de', section: '§ 14a Steuerung', document: 'gesetz', document_title: 'EnWG' } as const;
  const fill = async () => {
    const index = createEmbeddedPassages({ dir });
    await index.add('a', [passage('act:0', 'A battery is charged at night.')], {
      ...{ fingerprint: 'f1', vectors: [Float32Array.of(0.6, 0.8)] },
    });
    await index.add('a', [passage('gesetz:0', 'Die Netzentgelte werden reduziert, mit Reduzierung.', german)]);
    const asked = ['battery', 'Netzentgeltreduzierung', '§ 14a EnWG'];
    const found = await Promise.all(asked.map((text) => index.search('a', text, 5)));
    await index.close();
    return { asked, found };
  };

  it('answers after a start as it did before, without being given anything', async () => {
    const { asked, found } = await fill();
    const again = createEmbeddedPassages({ dir });
    expect(await Promise.all(asked.map((text) => again.search('a', text, 5)))).toEqual(found);
    expect(found.map((hits) => hits[0]?.passage.id)).toEqual(['act:0', 'gesetz:0', 'gesetz:0']);
    expect(await again.contents?.('a')).toContainEqual({
      document: 'act',
      version: '1',
      fingerprint: 'f1',
      passages: 1,
    });
    const query = { text: 'nothing of it', vector: Float32Array.of(0.6, 0.8), weight: 0.5 };
    expect((await again.search('a', query, 1))[0]?.meaning).toBeCloseTo(1, 3);
    await again.add('a', [passage('more:0', 'A turbine turns.')]);
    expect((await again.search('a', 'turbine', 1))[0]?.passage.id).toBe('more:0');
    await again.close();
  });

  it('is made anew where its file is damaged or of another organisation', async () => {
    await fill();
    const [name = ''] = await readdir(dir);
    const file = join(dir, name);
    const whole = await readFile(file);
    whole[Math.floor(whole.length / 2)] = (whole[Math.floor(whole.length / 2)] ?? 0) ^ 1;
    await writeFile(file, whole);
    const faults: string[] = [];
    const again = createEmbeddedPassages({ dir, onFault: ({ message }) => faults.push(message) });
    expect(await again.search('a', 'battery', 5)).toEqual([]);
    expect(faults).toEqual(['the kept index of passages is damaged']);
    await again.close();
  });

  it('is written and read in pieces, between which questions are answered', async () => {
    const [en, de] = [createRanking('en').stored(), createRanking('de').stored()];
    const vectors = { dimensions: 8, upper: new Int8Array(9 * 1024 ** 2).fill(7), lower: [new Int8Array([1, 2, 3])] };
    const none = { places: new Int32Array(0), scales: new Int32Array(0) };
    const rankings = { en: { ...en, vectors: { ...vectors, ...none } }, de: { ...de, stems: ['netz', 'entgelt'] } };
    const pieces = [...packRankings(rankings, 'a')];
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(4 * 1024 ** 2);
    let turns = 0;
    const again = await unpackRankings(Buffer.concat(pieces), 'a', async () => {
      turns += 1;
    });
    expect(turns).toBeGreaterThanOrEqual(3);
    expect(again).toEqual(rankings);
    await expect(unpackRankings(Buffer.concat(pieces), 'b', async () => {})).rejects.toThrow(/another organisation/);
  });

  it('goes with the last document', async () => {
    await fill();
    const again = createEmbeddedPassages({ dir });
    await again.remove('a', 'act');
    await again.remove('a', 'gesetz');
    await again.close();
    expect(await readdir(dir)).toEqual([]);
  });
});
