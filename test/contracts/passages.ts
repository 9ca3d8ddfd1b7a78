/** What every passage index does: tenants apart, one version per document, references and compounds found. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Passage, PassageIndex } from '../../engine/ports.ts';

export function passage(id: string, text: string, more: Partial<Passage> = {}): Passage {
  const document = more.document ?? id.split(':')[0] ?? id;
  return {
    ...{ id, document, document_title: document, version: '1', page: 1, section: '', text },
    ...{ start: 0, end: text.length, language: 'en' },
    ...more,
  };
}

const METERING = passage('act:0', 'Smart meters shall be read every 15 minutes by the metering operator.');
const BATTERIES = passage('act:1', 'A battery may be charged from the grid at night when prices are low.');
const TARIFFS = passage('guide:0', 'Network tariffs reflect the costs of the distribution grid.');
const STEUERUNG = passage(
  'gesetz:0',
  'Betreiber erhalten eine Reduzierung ihrer Netzentgelte für steuerbare Einrichtungen.',
  {
    section: '§ 14a Netzorientierte Steuerung',
    language: 'de',
  },
);
const MESSUNG = passage('gesetz:1', 'Der Messstellenbetreiber liest den Zähler ab. Die Steuerung bleibt unberührt.', {
  section: '§ 21 Messung',
  language: 'de',
});
const FEES = passage('gesetz:2', 'Das Netzentgelt wird monatlich abgerechnet.', {
  section: '§ 3 Abrechnung',
  language: 'de',
});
const CHARGING = passage('gesetz:3', 'Die Einspeisevergütung zahlt der Netzbetreiber.', {
  section: '§ 5',
  language: 'de',
});
const FEED = passage('gesetz:4', 'Eine Einspeisung bedarf der Anmeldung; die Vergütung folgt.', {
  section: '§ 6',
  language: 'de',
});

export function passageIndexContract(name: string, open: () => PassageIndex | Promise<PassageIndex>): void {
  describe(`${name} as a passage index`, () => {
    let index: PassageIndex;
    beforeEach(async () => {
      index = await open();
      await index.add('a', [METERING, BATTERIES, TARIFFS, STEUERUNG, MESSUNG, FEES, CHARGING, FEED]);
    });
    afterEach(() => index.close());
    const ids = async (question: string, limit = 5, tenant = 'a') =>
      (await index.search(tenant, question, limit)).map((hit) => hit.passage.id);

    it('puts the passage first that shares the telling words, in other forms too', async () => {
      expect((await ids('When are batteries charged?'))[0]).toBe('act:1');
      expect((await ids('reading of meters'))[0]).toBe('act:0');
    });

    it('gives back the whole passage with a descending score', async () => {
      const hits = await index.search('a', 'costs of the distribution grid', 5);
      expect(hits[0]?.passage).toEqual(TARIFFS);
      const scores = hits.map(({ score }) => score);
      expect(scores).toEqual([...scores].sort((x, y) => y - x));
      expect(scores.every((score) => score > 0)).toBe(true);
    });

    it('keeps to the limit', async () => {
      expect(await ids('grid', 1)).toHaveLength(1);
      expect(await ids('grid', 0)).toEqual([]);
    });

    it('finds nothing for words that no passage has, and for no words at all', async () => {
      expect(await ids('volcano')).toEqual([]);
      expect(await ids('')).toEqual([]);
      expect(await ids('?!')).toEqual([]);
    });

    it('puts a section first that the question names', async () => {
      expect((await ids('Was regelt § 14a zur Messung der Steuerung?'))[0]).toBe('gesetz:0');
      expect((await ids('Steuerung nach § 21'))[0]).toBe('gesetz:1');
    });

    it('finds the parts of a German compound, and the compound by its parts', async () => {
      expect(await ids('Netzentgeltreduzierung')).toContain('gesetz:0');
      expect(await ids('Vergütung der Einspeisung')).toEqual(expect.arrayContaining(['gesetz:3', 'gesetz:4']));
    });

    it('shows a tenant nothing of another', async () => {
      await index.add('b', [passage('b:0', 'Only tenant b knows about geothermal wells.')]);
      expect(await ids('geothermal wells')).toEqual([]);
      expect(await ids('geothermal wells', 5, 'b')).toEqual(['b:0']);
      expect(await ids('battery', 5, 'b')).toEqual([]);
      expect(await ids('battery', 5, 'nobody')).toEqual([]);
    });

    it('takes a document out for its tenant only', async () => {
      await index.add('b', [BATTERIES]);
      await index.remove('a', 'act');
      expect(await ids('battery')).toEqual([]);
      expect((await ids('network tariffs'))[0]).toBe('guide:0');
      expect(await ids('battery', 5, 'b')).toEqual(['act:1']);
      await index.remove('a', 'never-there');
    });

    it('answers from one version of a document, the one added last', async () => {
      await index.add('a', [
        passage('act:2:0', 'Batteries pay no levies from now on.', { document: 'act', version: '2' }),
      ]);
      expect(await ids('smart meters read every 15 minutes')).not.toContain('act:0');
      expect((await ids('battery levies'))[0]).toBe('act:2:0');
    });

    it('holds a passage once, however often it is added', async () => {
      await index.add('a', [TARIFFS]);
      await index.add('a', [TARIFFS, TARIFFS]);
      expect((await ids('network tariffs')).filter((id) => id === 'guide:0')).toHaveLength(1);
    });

    it('puts the nearest in meaning first where meaning counts, and only the words where it does not', async () => {
      const near = passage('near:0', 'Nothing of the words is here.');
      const far = passage('far:0', 'The turbine spins.');
      await index.add('m', [near], { vectors: [Float32Array.of(1, 0)] });
      await index.add('m', [far], { vectors: [Float32Array.of(0, 1)] });
      const asked = { text: 'turbine', vector: Float32Array.of(0.96, 0.28) };
      const first = async (weight: number) => (await index.search('m', { ...asked, weight }, 2))[0];
      expect((await first(0.9))?.passage).toEqual(near);
      expect((await first(0.9))?.meaning).toBeCloseTo(0.96, 3);
      expect((await first(0))?.passage).toEqual(far);
      expect(await index.search('nobody', { ...asked, weight: 0.9 }, 2)).toEqual([]);
      expect(await index.recall?.('m', [Float32Array.of(1, 0)], 1)).toBe(1);
    });

    it('answers from another version, or none, where the question is asked so', async () => {
      await index.add('v', [passage('act:1:0', 'Heat pumps pay a levy.', { document: 'act', version: '1' })]);
      await index.add('v', [passage('act:2:0', 'Heat pumps pay nothing.', { document: 'act', version: '2' })]);
      const from = async (version: string | null) =>
        (await index.search('v', { text: 'heat pumps', versions: new Map([['act', version]]) }, 5)).map(
          (hit) => hit.passage.id,
        );
      expect(await from('1')).toEqual(['act:1:0']);
      expect(await from('2')).toEqual(['act:2:0']);
      expect(await from(null)).toEqual([]);
      await index.remove('v', 'act', '2');
      expect(await from('2')).toEqual([]);
      expect(await from('1')).toEqual(['act:1:0']);
    });

    it('says how telling words are, where it can', async () => {
      if (!index.rarity) return;
      const [grid = 0, tariffs = 0, volcano = 0] = await index.rarity('a', ['grid', 'tariffs', 'volcano'], 'en');
      expect(grid).toBeGreaterThanOrEqual(0);
      expect(tariffs).toBeGreaterThan(grid);
      expect(volcano).toBeGreaterThan(tariffs);
    });
  });
}
