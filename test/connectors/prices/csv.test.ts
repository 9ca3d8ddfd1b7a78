import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPriceProviders } from '../../../connectors/prices/catalogue.ts';
import { createCsvPrices, decodePriceCsv } from '../../../connectors/prices/csv.ts';

const context = { area: 'DE-LU', time_zone: 'Europe/Berlin', currency: 'EUR' };
const at = (text: string) => Date.parse(text);
const valuesOf = (csv: string) => decodePriceCsv(csv, context).slots.map(({ value }) => value);

describe('price tables', () => {
  it('reads instants per MWh and spreads hours', () => {
    const { slots, currency } = decodePriceCsv('at,price\n2026-06-14T10:00Z,-12.5\n2026-06-14T11:00Z,\n', context);
    expect(slots.map(({ value }) => value)).toEqual([-12.5, -12.5, -12.5, -12.5, null, null, null, null]);
    expect(slots[0]?.at_ms).toBe(at('2026-06-14T10:00Z'));
    expect(currency).toBe('EUR');
  });

  it('knows units per kWh, in cents, and the currency from the header', () => {
    const [series] = ['at,price_SEK_kWh\n2026-06-14T10:00Z,1.25\n2026-06-14T10:15Z,1.5\n'].map((csv) =>
      decodePriceCsv(csv, context),
    );
    expect(series?.currency).toBe('SEK');
    expect(series?.slots.map(({ value }) => value)).toEqual([1250, 1500]);
    expect(valuesOf('at;Preis ct/kWh\n2026-06-14T10:00Z;28,5\n2026-06-14T10:15Z;1.028,5\n')).toEqual([285, 10285]);
  });

  it('puts local times on both passes of the doubled hour', () => {
    const walls = ['00:00', '01:00', '02:00', '02:00', '03:00'];
    const csv = `Datum;EUR/MWh\n${walls.map((wall, i) => `25.10.2026 ${wall};${i}`).join('\n')}`;
    const { slots } = decodePriceCsv(csv, context);
    expect(slots).toHaveLength(20);
    expect(
      slots.filter((_, i) => i % 4 === 0).map(({ at_ms, value }) => [new Date(at_ms).toISOString(), value]),
    ).toEqual([
      ['2026-10-24T22:00:00.000Z', 0],
      ['2026-10-24T23:00:00.000Z', 1],
      ['2026-10-25T00:00:00.000Z', 2],
      ['2026-10-25T01:00:00.000Z', 3],
      ['2026-10-25T02:00:00.000Z', 4],
    ]);
  });

  it('leaves a hole of the table open', () => {
    const csv = 'at,price\n2026-06-14T10:00Z,1\n2026-06-14T10:15Z,2\n2026-06-14T12:00Z,3\n2026-06-14T12:15Z,4\n';
    expect(valuesOf(csv)).toEqual([1, 2, 3, 4]);
  });

  it('names the line of each fault and loads nothing', () => {
    const csv = 'at,price\n2026-06-14T10:00Z,1\nsoon,2\n2026-06-14T12:07Z,3\n2026-06-14T13:00Z,dear\n';
    const error = (() => {
      try {
        return decodePriceCsv(csv, context);
      } catch (reason) {
        return reason as { faults: { where: string }[]; message: string };
      }
    })() as { faults: { where: string }[]; message: string };
    expect(error.faults.map(({ where }) => where)).toEqual(['line 3', 'line 4', 'line 5']);
    expect(error.message).toMatch(/3 faults, the first in line 3: `soon`/);
  });

  it.each([
    ['', /no prices/],
    ['a,b\n1,2\n', /no time or no price/],
    ['at,price\n"2026', /no CSV table/],
  ])('refuses %j with words', (csv, words) => expect(() => decodePriceCsv(csv, context)).toThrow(words));
});

describe('files in the folder', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'luna-prices-'));
    await writeFile(join(folder, 'AT.csv'), 'at,price\n2026-06-14T10:00Z,5\n2026-06-14T11:00Z,6\n');
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('serves the areas whose file lies there', async () => {
    const range = {
      from_ms: at('2026-06-14T10:30Z'),
      to_ms: at('2026-06-14T11:30Z'),
      signal: AbortSignal.timeout(5000),
    };
    const provider = createCsvPrices(folder);
    const found = await provider.fetch({ area: 'AT', market: 'day-ahead', ...range });
    expect(found.slots.map(({ value }) => value)).toEqual([5, 5, 6, 6]);
    expect((await provider.fetch({ area: 'FR', market: 'day-ahead', ...range })).slots).toEqual([]);
    expect(provider.serves('../../etc/passwd')).toBe(false);
  });
});

describe('catalogue', () => {
  const settings = {
    home: '/nowhere',
    provider_urls: {},
    entsoe_token: null,
    tibber_token: null,
    ercot_user: null,
    ercot_password: null,
    ercot_key: null,
  };
  it('makes the configured sources in their order and refuses unknown ones', () => {
    const names = ['smard', 'energy-charts', 'entsoe'];
    const providers = createPriceProviders({ ...settings, price_sources: names });
    expect(providers.map(({ name }) => name)).toEqual(names);
    // without a token ENTSO-E serves nobody
    expect(providers.map((provider) => provider.serves('DE-LU'))).toEqual([true, true, false]);
    expect(() => createPriceProviders({ ...settings, price_sources: ['oracle'] })).toThrow(/oracle/);
  });
});
