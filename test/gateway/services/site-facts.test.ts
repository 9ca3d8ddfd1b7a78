import { describe, expect, it } from 'vitest';
import { createSiteFacts } from '../../../gateway/services/answers/site-facts.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 5, 17, 10);

/** A site in Berlin whose price rises by the hour, with a tariff and limits. */
function facts(more: object = {}) {
  const at_ms = Float64Array.from({ length: 96 }, (_, i) => NOW - 34 * HOUR + (i * HOUR) / 4);
  const columns = { at_ms, values: Float64Array.from(at_ms, (_, i) => 50 + i) };
  return createSiteFacts({
    clock: { now: () => NOW },
    site: { get: () => ({ time_zone: 'Europe/Berlin', currency: 'EUR' }) },
    prices: { site: async () => ({ columns, currency: 'EUR' }) },
    tariffs: {
      current: () => ({
        valid_from: '2026-01-01',
        tariff: { name: 'Day-ahead plus', energy: [{ name: 'Energy' }], standing: [], demand: [], feed_in: [] },
      }),
    },
    plans: { latest: async () => null, settings: async () => ({ import_limit_W: 100_000, export_limit_W: null }) },
    ...{ data: {}, forecasts: {} },
    ...more,
  } as never);
}

describe('what the box knows of its site', () => {
  it.each([
    ['Explain yesterday’s price', 'en', '/prices', /mean price from the grid was .+ lowest .+ highest/],
    ['Wie hoch war der Strompreis gestern?', 'de', '/prices', /im Mittel/],
    ['What is our tariff?', 'en', '/tariff', /“Day-ahead plus”, since .*2026.* Energy: Energy\. Standing charges: –/],
    ['Wie hoch ist unsere Anschlussleistung?', 'de', '/plan', /höchstens 100.*kW, ins Netz höchstens jede Leistung/],
  ] as const)('%s', async (question, language, href, says) => {
    const site = facts();
    expect(site.concerns(question)).toBe(true);
    const sentences = await site.sentences('default', question, language);
    expect(sentences[0]?.text).toMatch(says);
    expect(sentences[0]?.figures?.[0]?.href).toBe(href);
    expect(sentences.every(site.holds)).toBe(true);
    const [first] = sentences;
    expect(site.holds({ ...first!, text: `${first!.text} 4711` })).toBe(false);
  });

  it('says nothing where nothing is known', async () => {
    const site = facts({ tariffs: { current: () => null }, plans: { latest: async () => null } });
    for (const question of ['What is our tariff?', 'How high is our grid limit?', 'Our plan?'])
      expect(await site.sentences('default', question, 'en')).toEqual([]);
  });
});
