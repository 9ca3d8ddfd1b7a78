/** Traps of single providers in hand-written answers: what the shared cases cannot show. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEnergyCharts } from '../../../connectors/prices/energy-charts.ts';
import { createEntsoe } from '../../../connectors/prices/entsoe.ts';
import { createErcot } from '../../../connectors/prices/ercot.ts';
import { hourStart } from '../../../connectors/prices/ercot-time.ts';
import { createOctopus } from '../../../connectors/prices/octopus.ts';
import { createTibber } from '../../../connectors/prices/tibber.ts';
import { HOUR_MS, SLOT_MS } from '../../../engine/model/time.ts';
import { openPriceServer, type PriceServer } from '../../../gateway/demo/price-server.ts';
import { demand_MW, ERCOT_ACCOUNT } from '../../../gateway/demo/shapes/ercot.ts';
import { type CannedServer, openCannedServer } from './canned-server.ts';

const signal = AbortSignal.timeout(20_000);
const at = (text: string) => Date.parse(text);
let canned: CannedServer;
beforeAll(async () => {
  canned = await openCannedServer();
});
afterAll(() => canned.close());

describe('ENTSO-E documents', () => {
  const day = { from_ms: at('2026-01-10T23:00Z'), to_ms: at('2026-01-11T23:00Z') };
  const request = { area: 'DE-LU', market: 'day-ahead', ...day, signal } as const;
  const fetch = () => createEntsoe({ base_url: canned.url, token: 't' }).fetch(request);
  const series = (position: number | null, points: string, resolution = 'PT15M', curve = 'A03', currency = 'EUR') => `
    <TimeSeries><contract_MarketAgreement.type>A01</contract_MarketAgreement.type>
    <currency_Unit.name>${currency}</currency_Unit.name><price_Measure_Unit.name>MWH</price_Measure_Unit.name>
    ${position === null ? '' : `<classificationSequence_AttributeInstanceComponent.position>${position}</classificationSequence_AttributeInstanceComponent.position>`}
    <curveType>${curve}</curveType><Period><timeInterval><start>2026-01-10T23:00Z</start><end>2026-01-11T23:00Z</end></timeInterval>
    <resolution>${resolution}</resolution>${points}</Period></TimeSeries>`;
  const point = (position: number, amount: number | string) =>
    `<Point><position>${position}</position><price.amount>${amount}</price.amount></Point>`;
  const document = (...parts: string[]) =>
    `<?xml version="1.0"?><Publication_MarketDocument xmlns="urn:x:7:3">${parts.join('')}</Publication_MarketDocument>`;

  it('fills A03 gaps in the middle and to the end of the interval', async () => {
    canned.answer(document(series(1, point(1, 50) + point(5, -3.5) + point(90, 12))));
    const { slots } = await fetch();
    expect(slots).toHaveLength(96);
    expect(slots.slice(0, 6).map(({ value }) => value)).toEqual([50, 50, 50, 50, -3.5, -3.5]);
    expect(slots.slice(88).map(({ value }) => value)).toEqual([-3.5, 12, 12, 12, 12, 12, 12, 12]);
  });

  it('does not fill the gaps of curve A01', async () => {
    canned.answer(document(series(1, point(1, 50) + point(3, 60), 'PT60M', 'A01')));
    const { slots } = await fetch();
    expect(slots.slice(3, 9).map(({ value }) => value)).toEqual([50, null, null, null, null, 60]);
  });

  it('takes the coupled auction of two, whichever comes first', async () => {
    canned.answer(document(series(2, point(1, 999)), series(1, point(1, 50))));
    expect(new Set((await fetch()).slots.map(({ value }) => value))).toEqual(new Set([50]));
    canned.answer(document(series(1, point(1, 50)), series(2, point(1, 999))));
    expect(new Set((await fetch()).slots.map(({ value }) => value))).toEqual(new Set([50]));
    canned.answer(document(series(2, point(1, 999))));
    expect((await fetch()).slots).toEqual([]);
  });

  it('prefers quarters over the hours beside them', async () => {
    canned.answer(document(series(null, point(1, 10) + point(2, 20)), series(null, point(1, 77), 'PT60M')));
    const { slots } = await fetch();
    expect(slots.slice(0, 3).map(({ value }) => value)).toEqual([10, 20, 20]);
    canned.answer(document(series(null, point(1, 77), 'PT60M'), series(null, point(1, 10) + point(2, 20))));
    expect((await fetch()).slots.slice(0, 3).map(({ value }) => value)).toEqual([10, 20, 20]);
  });

  it('names the currency of the document and refuses a mixture', async () => {
    canned.answer(document(series(1, point(1, 50), 'PT60M', 'A03', 'PLN')));
    expect((await fetch()).currency).toBe('PLN');
    canned.answer(document(series(1, point(1, 50)), series(1, point(1, 50), 'PT15M', 'A03', 'PLN')));
    await expect(fetch()).rejects.toThrow(/mixes currencies/);
  });

  it('knows an acknowledgement without data from one with a fault', async () => {
    const told = (code: string, text: string) =>
      `<Acknowledgement_MarketDocument><Reason><code>${code}</code><text>${text}</text></Reason></Acknowledgement_MarketDocument>`;
    canned.answer(told('999', 'No matching data found for Data item Energy Prices [12.1.D]'));
    expect((await fetch()).slots).toEqual([]);
    canned.answer(told('999', 'No matching data found'), 400);
    expect((await fetch()).slots).toEqual([]);
    canned.answer(told('999', 'Unexpected error occurred.'));
    await expect(fetch()).rejects.toThrow(/Unexpected error occurred/);
  });

  it('reads one point, one period and one series as lists', async () => {
    canned.answer(document(series(1, point(1, 42), 'PT60M')));
    expect((await fetch()).slots.map(({ value }) => value)).toEqual(Array(96).fill(42));
  });
});

describe('Energy-Charts answers', () => {
  const from_ms = at('2025-09-30T20:00Z');
  const fetch = () =>
    createEnergyCharts({ base_url: canned.url }).fetch({
      area: 'DE-LU',
      market: 'day-ahead',
      from_ms,
      to_ms: from_ms + 6 * HOUR_MS,
      signal,
    });
  const answer = (minutes: number[], price: (number | null)[], unit = 'EUR / MWh') =>
    canned.answer(JSON.stringify({ unix_seconds: minutes.map((m) => from_ms / 1000 + m * 60), price, unit }));

  it('spreads hours and keeps quarters where the market changes between', async () => {
    answer([0, 60, 120, 135, 150, 165, 180], [1, 2, 3, 4, null, -6, 7]);
    const { slots } = await fetch();
    expect(slots.map(({ value }) => value)).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 3, 4, null, -6, 7]);
    expect(slots[12]?.at_ms).toBe(from_ms + 12 * SLOT_MS);
  });

  it('leaves a hole among quarters open', async () => {
    answer([0, 15, 60, 120, 135], [1, 2, 3, 4, 5]);
    expect((await fetch()).slots.map(({ at_ms }) => (at_ms - from_ms) / SLOT_MS)).toEqual([0, 1, 4, 8, 9]);
  });

  it('refuses other units and lists of different length', async () => {
    answer([0, 60], [1, 2], 'ct / kWh');
    await expect(fetch()).rejects.toThrow(/not per MWh/);
    answer([0, 60], [1]);
    await expect(fetch()).rejects.toThrow(/2 instants but 1 prices/);
    canned.answer('{"price": "soon"}');
    await expect(fetch()).rejects.toThrow(/another shape.*unix_seconds/);
  });
});

describe('ERCOT', () => {
  let server: PriceServer;
  const { user, password, key } = ERCOT_ACCOUNT;
  const open = (account = { user, password, key }) =>
    createErcot({ base_url: server.urls.ercot, token_url: server.urls['ercot-token'], ...account });
  beforeAll(async () => {
    const truth = { price: () => 1, step_ms: () => SLOT_MS };
    server = await openPriceServer({ truth, now: () => 0 });
  });
  afterAll(() => server.close());

  it('counts hours by their end in local time, with both passes of the doubled hour', () => {
    expect(hourStart('2026-07-01', 1, false)).toBe(at('2026-07-01T05:00Z'));
    expect(hourStart('2026-07-01', 24, false)).toBe(at('2026-07-02T04:00Z'));
    expect(hourStart('2026-11-01', 2, false)).toBe(at('2026-11-01T06:00Z'));
    expect(hourStart('2026-11-01', 2, true)).toBe(at('2026-11-01T07:00Z'));
    expect(hourStart('2026-11-01', 3, false)).toBe(at('2026-11-01T08:00Z'));
    expect(hourStart('2026-03-08', 2, false)).toBe(at('2026-03-08T07:00Z'));
    expect(hourStart('2026-03-08', 3, false)).toBeNull();
    expect(hourStart('2026-03-08', 4, false)).toBe(at('2026-03-08T08:00Z'));
    // a flag on an hour that is not doubled changes nothing
    expect(hourStart('2026-07-01', 2, true)).toBe(at('2026-07-01T06:00Z'));
    expect(() => hourStart('2026-07-01', 25, false)).toThrow(/does not exist/);
  });

  it('gives system demand, actual and forecast, on a day of 25 hours', async () => {
    const range = { from_ms: at('2026-11-01T05:00Z'), to_ms: at('2026-11-02T06:00Z'), signal };
    for (const kind of ['actual', 'forecast'] as const) {
      const hours = await open().fetchDemand({ kind, ...range });
      expect(hours).toHaveLength(25);
      for (const { at_ms, power_MW } of hours) expect(power_MW).toBeCloseTo(demand_MW(at_ms), 6);
    }
  });

  it('signs in once, and says which credential is wrong', async () => {
    const before = server.calls('ercot-token');
    const provider = open();
    const request = { area: 'HB_NORTH', market: 'day-ahead', from_ms: 0, to_ms: 24 * HOUR_MS, signal } as const;
    await provider.fetch(request);
    await provider.fetch(request);
    expect(server.calls('ercot-token') - before).toBe(1);
    await expect(open({ user, password: 'wrong', key }).fetch(request)).rejects.toThrow(/refuses our account/);
    await expect(open({ user, password, key: 'wrong' }).fetch(request)).rejects.toThrow(/refuses our credentials/);
    expect(createErcot({ user, password, key: null }).serves('HB_NORTH')).toBe(false);
  });
});

describe('tokens and pages', () => {
  it('Tibber says that its token is wrong although the status is 200', async () => {
    const errors = [{ message: 'invalid token', extensions: { code: 'UNAUTHENTICATED' } }];
    canned.answer(JSON.stringify({ data: null, errors }));
    const provider = createTibber({ base_url: canned.url, token: 'x' });
    const request = { area: 'TIBBER', market: 'day-ahead', from_ms: 0, to_ms: HOUR_MS, signal } as const;
    await expect(provider.fetch(request)).rejects.toThrow(/refuses our token/);
    expect(createTibber({ token: null }).serves('TIBBER')).toBe(false);
  });

  it('Octopus is read over many pages', async () => {
    const truth = { price: () => 100, step_ms: () => SLOT_MS };
    const server = await openPriceServer({ truth, now: () => 0 });
    const to_ms = 60 * 24 * HOUR_MS;
    const request = { area: 'A', market: 'day-ahead', from_ms: 0, to_ms, signal } as const;
    const { slots } = await createOctopus({ base_url: server.urls.octopus }).fetch(request);
    await server.close();
    expect(slots).toHaveLength(60 * 96);
    // products, then two pages of 1,500 half hours
    expect(server.calls('octopus')).toBe(3);
  });
});
