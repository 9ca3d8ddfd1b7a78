import { describe, expect, it } from 'vitest';

type Series = { at: number[]; values: (number | null)[]; marks: ({ names: string[]; leftOut: boolean } | null)[] };
type MeterData = {
  resolutionOf(length_ms: number): string;
  withGaps(points: { at: string; value: number | null; quality: string }[], resolution: string): Series;
  formatOf(
    locale: string,
    unit: string,
    values: (number | null)[],
    digits: number,
  ): { text(value: number): string; ticks(ticks: number[]): string[] };
};
/** The browser's module, which has no types of its own for the compiler. */
const path = '../../web/static/meter-data.js';
const { resolutionOf, withGaps, formatOf }: MeterData = await import(path);

const HOUR = 3_600_000;
const point = (second: number, value: number | null, quality = 'ok') => ({
  at: new Date(Date.UTC(2026, 5, 17) + second * 1000).toISOString(),
  value,
  quality,
});
const plain = (text: string) => text.replaceAll('\u00a0', ' ');

describe('data of the zoomable chart', () => {
  it.each([
    [1, 'raw'],
    [5.9, 'raw'],
    [6, 'slot'],
    [14 * 24 - 1, 'slot'],
    [14 * 24, 'hour'],
    [120 * 24 - 1, 'hour'],
    [120 * 24, 'day'],
  ])('%d hours are shown by %s', (hours, resolution) => expect(resolutionOf(hours * HOUR)).toBe(resolution));

  it('shows silence between readings as a gap', () => {
    const series = withGaps(
      [0, 10, 20, 30, 600, 610].map((second) => point(second, second)),
      'raw',
    );
    expect(series.values).toEqual([0, 10, 20, 30, null, 600, 610]);
    expect(series.at[4]! - series.at[0]!).toBe(315);
  });
  it('does not invent gaps in slots, and keeps their nulls', () => {
    const series = withGaps([point(0, 1), point(900, null), point(9000, 3)], 'slot');
    expect(series.values).toEqual([1, null, 3]);
  });
  it('knows which marks leave a value out', () => {
    const series = withGaps([point(0, 1, 'spike'), point(1, 1, 'estimated+from_power'), point(2, 1)], 'slot');
    expect(series.marks.map((mark) => mark?.leftOut ?? null)).toEqual([true, false, null]);
    expect(series.marks[1]?.names).toEqual(['estimated', 'from_power']);
  });
  it('stands with nothing and with one point', () => {
    expect(withGaps([], 'raw').at).toEqual([]);
    expect(withGaps([point(0, 5)], 'raw').values).toEqual([5]);
  });
  it('writes values and ticks with the digits that are true', () => {
    const power = formatOf('en-GB', 'W', [0, 84_000, null], 0);
    expect(plain(power.text(84_321))).toBe('84.3 kW');
    expect(power.ticks([0, 20_000, 40_000]).map(plain)).toEqual(['0', '20', '40 kW']);
    const small = formatOf('de-DE', 'kWh', [0.4, -2], 0);
    expect(plain(small.text(-1.5))).toBe('−1,50 kWh');
    expect(small.ticks([0, 2.5, 5]).map(plain)).toEqual(['0,0', '2,5', '5,0 kWh']);
    expect(plain(formatOf('en-GB', 'V', [231], 0).text(231.4))).toBe('231 V');
    expect(formatOf('en-GB', 'W', [], 0).ticks([])).toEqual([]);
  });
});
