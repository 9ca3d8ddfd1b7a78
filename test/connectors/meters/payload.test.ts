import { describe, expect, it } from 'vitest';
import { parsePath, valueAt } from '../../../connectors/meters/profile/json-path.ts';
import { createPayloadDecoder } from '../../../connectors/meters/profile/payload.ts';
import { compareVersions, madeFor, parseProfile } from '../../../connectors/meters/profile/profile.ts';
import { crc16, decodeTelegram, dsmrTime } from '../../../connectors/meters/profile/telegram.ts';
import { filterWithin, topicMatches } from '../../../connectors/meters/profile/topics.ts';
import { scaled, unitFactor } from '../../../connectors/meters/profile/units.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const entry = { channel: 'main', unit: 'W', sign: 1 as const, invalid: [], plus: [], minus: [], factor: 1 };

describe('JSON paths', () => {
  it.each([
    ['a.b[1].c', { a: { b: [0, { c: 5 }] } }, 5],
    ['params."em:0".act_power', { params: { 'em:0': { act_power: 7 } } }, 7],
    ['"a.b"', { 'a.b': 1 }, 1],
    ['[0]', [3], 3],
    ['a.b', { a: null }, undefined],
    ['constructor.name', {}, undefined],
    ['toString', {}, undefined],
  ])('%s', (path, document, value) => expect(valueAt(document, parsePath(path))).toBe(value));

  it.each(['a..b', 'a[', 'a[x]', '.a', 'a"b'])('refuses %s', (path) =>
    expect(() => parsePath(path)).toThrow(/no JSON path/),
  );
});

describe('units', () => {
  it('knows factors and refuses what does not fit', () => {
    expect(unitFactor('kW', 'power_W')).toBe(1000);
    expect(unitFactor('Wh', 'import_kWh')).toBe(0.001);
    expect(scaled(60_000, unitFactor('Wmin', 'import_kWh') as number)).toBe(1);
    expect(unitFactor('%', 'power_factor_ratio')).toBe(0.01);
    expect(unitFactor('kWh', 'power_W')).toBe('kWh measures energy, but power_W is power');
    expect(unitFactor('furlong', 'power_W')).toMatch(/no unit we know/);
  });
  it('keeps decimals decimal', () => {
    expect(scaled(2589773.39, 0.001)).toBe(2589.77339);
    expect(scaled(2305, 0.1)).toBe(230.5);
    expect(scaled(-2305, -0.1)).toBe(230.5);
  });
});

describe('payload times', () => {
  const decode = (time: Parameters<typeof createPayloadDecoder>[0]['time'], text: string) =>
    createPayloadDecoder({ format: 'json', time, measurements: [{ ...entry, quantity: 'power_W', path: 'p' }] })(
      text,
      NOW,
    );

  it('believes an instant', () => {
    expect(decode({ path: 't', kind: 'unix_s' }, '{"t":1780315200.5,"p":1}')[0]?.at_ms).toBe(1780315200500);
    expect(decode({ path: 't', kind: 'iso' }, '{"t":"2026-06-01T13:59:00+02:00","p":1}')[0]?.at_ms).toBe(NOW - 60_000);
  });
  it.each([
    ['a local time without zone', { path: 't', kind: 'iso' as const }, '{"t":"2026-06-01T12:00:00","p":1}'],
    ['a clock that lost power', { path: 't', kind: 'unix_s' as const }, '{"t":100000,"p":1}'],
    ['a clock far ahead', { path: 't', kind: 'unix_s' as const }, '{"t":1990000000,"p":1}'],
    ['no time', { path: 't', kind: 'unix_s' as const }, '{"p":1}'],
  ])('takes the arrival for %s', (_, time, text) => expect(decode(time, text)[0]?.at_ms).toBe(NOW));
});

describe('payload values', () => {
  const decoder = (...measurements: object[]) =>
    createPayloadDecoder({
      format: 'json',
      measurements: measurements.map((more) => ({ ...entry, quantity: 'power_W', path: 'p', ...more })),
    });
  it('leaves out what is no number, and sentinels', () => {
    for (const p of ['null', 'true', '"nan"', '""', '{}', '[1]', '-9999'])
      expect(decoder({ invalid: [-9999] })(`{"p":${p}}`, NOW)).toEqual([]);
  });
  it('reads numbers in text, adds and subtracts, and takes the first of two ways', () => {
    const decode = decoder({ path: 'total' }, { path: 'in', minus: ['out'] }, { path: 'never' });
    expect(decode('{"in":"2.5","out":1}', NOW).map((reading) => reading.value)).toEqual([1.5]);
    expect(decode('{"total":7,"in":2.5,"out":1}', NOW).map((reading) => reading.value)).toEqual([7]);
    expect(decode('{"in":2.5}', NOW)).toEqual([]);
  });
  it('refuses what is no JSON, with the beginning of it', () => {
    expect(() => decoder({})('Online', NOW)).toThrow('The payload is no JSON: Online');
  });
});

describe('P1 telegrams', () => {
  const body = '/ISk5\\X\r\n\r\n0-0:1.0.0(260601140000S)\r\n1-0:1.7.0(00.244*kW)\r\n!';
  const sum = crc16(Buffer.from(body, 'latin1')).toString(16).toUpperCase().padStart(4, '0');
  it('checks the checksum, also where a bridge turned CRLF into LF', () => {
    expect(decodeTelegram(`${body}${sum}\r\n`).get('1-0:1.7.0')).toEqual(['00.244*kW']);
    expect(decodeTelegram(`${body}${sum}`.replace(/\r/g, '')).size).toBe(2);
    expect(() => decodeTelegram(`${body.replace('244', '245')}${sum}`)).toThrow(/damaged/);
    expect(() => decodeTelegram('1-0:1.7.0(00.244*kW)')).toThrow(/no P1 telegram/);
  });
  it('reads summer and winter time', () => {
    expect(dsmrTime('260601140000S')).toBe(NOW);
    expect(dsmrTime('260101130000W')).toBe(Date.UTC(2026, 0, 1, 12));
    expect(dsmrTime('260601140000')).toBeUndefined();
  });
});

describe('topics', () => {
  it.each([
    ['tele/+/SENSOR', 'tele/a/SENSOR', true],
    ['tele/#', 'tele', true],
    ['tele/#', 'tele/a/b', true],
    ['tele/+', 'tele/a/b', false],
    ['#', '$SYS/x', false],
    ['a/b', 'a/b/c', false],
  ])('%s catches %s: %s', (filter, topic, caught) => expect(topicMatches(filter, topic)).toBe(caught));
  it.each([
    ['luna/#', 'luna/#', true],
    ['luna/+/x', 'luna/#', true],
    ['#', 'luna/#', false],
    ['+/a', 'luna/#', false],
    ['luna-other/#', 'luna/#', false],
    ['a/+', 'a/b', false],
    ['a/b', 'a/+', true],
  ])('%s lies within %s: %s', (filter, allowed, within) => expect(filterWithin(filter, allowed)).toBe(within));
});

describe('profiles', () => {
  it('lists all faults at once', () => {
    const text = `
vendor: V
model: M
transport: mqtt
colour: red
channels: { main: { label: X, role: grid } }
mqtt:
  topics:
    - topic: a
      measurements:
        - { quantity: power_kW, path: p, unit: W }
        - { quantity: power_W, path: p, unit: kWh }
        - { quantity: power_W, path: p, unit: W, chanel: main }`;
    expect(() => parseProfile('x', text)).toThrow(
      /(?=.*unknown key "colour")(?=.*"power_kW" is no quantity)(?=.*kWh measures energy)(?=.*unknown key "chanel")/s,
    );
  });
  it('refuses a section of another transport and a channel that is not there', () => {
    const text = `{vendor: V, model: M, transport: http, mqtt: {topics: [{topic: a, measurements: [{quantity: power_W, path: p, unit: W}]}]}}`;
    expect(() => parseProfile('x', text)).toThrow(
      /(?=.*mqtt: belongs to transport mqtt)(?=.*http: belongs)(?=.*no channel "main")/,
    );
  });
  it('compares firmware by its numbers', () => {
    expect(compareVersions('v1.14.0-gcb84623', '1.9')).toBeGreaterThan(0);
    expect(compareVersions('2.0', '2.0.0')).toBe(0);
    const profile = parseProfile(
      'x',
      `{vendor: V, model: M, transport: mqtt, made_for: {from: "1.0", below: "2"}, mqtt: {}}`,
    );
    expect(madeFor(profile, '1.9.9')).toBe(true);
    expect(madeFor(profile, '2.0')).toBe(false);
    expect(madeFor(profile, '0.9')).toBe(false);
  });
});
