import { describe, expect, it } from 'vitest';
import { createEmbeddedPassages } from '../../../connectors/passages/embedded/embedded.ts';
import type { PassageHit } from '../../../engine/ports.ts';
import { asksForFormer, saysFormer } from '../../../engine/rag/editions.ts';
import { fuse } from '../../../engine/rag/fusion.ts';
import { createGlossary } from '../../../engine/rag/glossary.ts';
import { referencesOf } from '../../../engine/rag/references.ts';
import { bestWeight, qualityOf } from '../../../engine/rag/retrieval-quality.ts';
import { createRetriever } from '../../../engine/rag/retriever.ts';
import { createAnalyzers } from '../../../engine/rag/terms.ts';
import { passage } from '../../contracts/passages.ts';

const keys = (text: string) => referencesOf(text).map(({ key, paragraph, point }) => [key, paragraph, point]);

describe('references', () => {
  it('are read in the usual ways', () => {
    expect(keys('§ 14a Abs. 1 EnWG')).toEqual([['§:14a', '1', null]]);
    expect(keys('§14a')).toEqual([['§:14a', null, null]]);
    expect(keys('Paragraf 110 des Gesetzes')).toEqual([['§:110', null, null]]);
    expect(keys('§ 9 Abs. 2 Satz 1 Nr. 1 EEG')).toEqual([['§:9', '2', '1']]);
    expect(keys('Art. 5(2)')).toEqual([['article:5', '2', null]]);
    expect(keys('Rule 3.2.1')).toEqual([['section:3.2.1', null, null]]);
    expect(keys('§§ 21, 22 und 23 MsbG').map(([key]) => key)).toEqual(['§:21', '§:22', '§:23']);
    expect(keys('Was wird in der Anlage zum EnWG berechnet?')).toEqual([['annex:', null, null]]);
    expect(keys('nach § 14a und 3 Monate später')).toEqual([['§:14a', null, null]]);
  });

  it('find the section of the law that is named, of several that have it', async () => {
    const index = createEmbeddedPassages();
    for (const law of ['EnWG', 'MsbG'])
      await index.add('a', [
        passage(`${law}:0`, `Regeln des ${law} zum Zähler.`, {
          document: law,
          document_title: law,
          section: '§ 29 Zähler',
          language: 'de',
        }),
      ]);
    const first = async (text: string) => (await index.search('a', text, 5)).map((hit) => hit.passage.document);
    expect(await first('Was regelt § 29 EnWG?')).toEqual(['EnWG', 'MsbG']);
    expect(await first('Was regelt § 29 des Messstellenbetriebsgesetzes?')).toEqual(['MsbG', 'EnWG']);
  });
});

describe('former versions', () => {
  it('are known by title, and asked for expressly', () => {
    expect(saysFormer('EnWG_2022_old_version')).toBe(true);
    expect(saysFormer('EEG 2023')).toBe(false);
    expect(asksForFormer('Was sah die alte Fassung (2022) des EnWG vor?')).toBe(true);
    expect(asksForFormer('Was gilt nach dem EnWG Stand 2022?')).toBe(true);
    expect(asksForFormer('Wie hoch ist die Stromsteuer im Jahr 2030?')).toBe(false);
  });
});

describe('fusion', () => {
  const one = (slot: number, words: number, meaning: number | null, named = 0) => ({ slot, words, meaning, named });

  it('adds what is normalised by weight, and puts first what is named', () => {
    const all = [one(1, 10, 0.1), one(2, 1, 0.9), one(3, 0, 0.2, 1)];
    expect(fuse(all, 0).map(({ slot }) => slot)).toEqual([3, 1, 2]);
    expect(fuse(all, 1).map(({ slot }) => slot)).toEqual([3, 2, 1]);
  });

  it('falls to words only where meanings are not clearly better', () => {
    expect(
      bestWeight([
        { weight: 0, quality: 0.8 },
        { weight: 0.4, quality: 0.8001 },
      ]),
    ).toBe(0);
    expect(
      bestWeight([
        { weight: 0, quality: 0.8 },
        { weight: 0.4, quality: 0.7 },
      ]),
    ).toBe(0);
    expect(
      bestWeight([
        { weight: 0, quality: 0.8 },
        { weight: 0.4, quality: 0.83 },
      ]),
    ).toBe(0.4);
  });

  it('measures recall, average precision and reciprocal rank', () => {
    expect(qualityOf([false, true, true], 4)).toEqual({ recall10: 0.5, map10: (1 / 2 + 2 / 3) / 4, mrr10: 0.5 });
  });
});

describe('the glossary', () => {
  const entries = [{ lay: 'Wallbox', legal: ['Ladepunkt für Elektromobile'], language: 'de' as const }];
  const glossary = createGlossary(entries, createAnalyzers());

  it('works both ways, inside longer words too, and in its language only', () => {
    expect(glossary.expansions('Darf meine Wallbox gedrosselt werden?', 'de')).toEqual(['Ladepunkt für Elektromobile']);
    expect(glossary.expansions('Ladepunkte für Elektromobile', 'de')).toEqual(['Wallbox']);
    expect(glossary.expansions('Wallbox', 'en')).toEqual([]);
  });
});

describe('a retriever', () => {
  const hit = (id: string): PassageHit => ({ passage: passage(id, 'text'), score: 1, named: 0 });
  const index = { search: async () => [hit('a:0'), hit('b:0')] };

  it('goes on by words where the model fails, and says so', async () => {
    const faults: string[] = [];
    const embedder = () => ({ embed: () => Promise.reject(new Error('away')) });
    const retrieve = createRetriever({
      ...{ index, embedder, weight: async () => 0.4 },
      onFault: ({ message }) => faults.push(message),
    });
    expect(await retrieve('t', 'question', { limit: 5 })).toMatchObject({ by_meaning: false, hits: { length: 2 } });
    expect(faults).toEqual(['away']);
  });

  it('does not wait for a slow re-ranking, nor take one that loses hits', async () => {
    const with_ = (order: (hits: readonly PassageHit[]) => Promise<PassageHit[]>, within_ms = 5000) =>
      createRetriever({ index, rerank: { order: (_tenant, _question, hits) => order(hits), hits: 10, within_ms } });
    const ids = async (retrieve: ReturnType<typeof with_>) =>
      (await retrieve('t', 'q', { limit: 5 })).hits.map(({ passage: { id } }) => id);
    expect(await ids(with_(async (hits) => [...hits].reverse()))).toEqual(['b:0', 'a:0']);
    expect(await ids(with_(() => new Promise(() => {}), 20))).toEqual(['a:0', 'b:0']);
    expect(await ids(with_(async (hits) => hits.slice(1)))).toEqual(['a:0', 'b:0']);
  });
});
