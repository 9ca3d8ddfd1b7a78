import { describe, expect, it } from 'vitest';
import { qualityStrip, sparkLine } from '../../web/charts/spark.ts';

const points = (...values: number[]) => values.map((value, i) => ({ at_ms: 1000 * i, value }));
const path = (values: number[]) => / d="([^"]*)"/.exec(String(sparkLine(points(...values), 'load')))?.[1];

describe('spark line', () => {
  it('runs from the first to the last value between lowest and highest', () => {
    expect(path([0, 10, 5])).toBe('M0 100L500 0L1000 50');
  });
  it('is empty for nothing and one value, and lies in the middle for a value that stands still', () => {
    expect(path([])).toBeUndefined();
    expect(path([7])).toBeUndefined();
    expect(path([-3, -3])).toBe('M0 50L1000 50');
  });
  it('draws no more points than its width shows, and always the last', () => {
    const line = path(Array.from({ length: 1000 }, (_, i) => Math.sin(i)))!;
    expect(line.match(/[ML]/g)!.length).toBeLessThanOrEqual(62);
    expect(line).toMatch(/L1000 \d+$/);
  });
});

describe('quality strip', () => {
  it('joins equal neighbours and keeps every cell', () => {
    const strip = String(qualityStrip(['good', 'good', 'missing', 'left-out', 'to-come'], 'words <b>'));
    expect(
      [...strip.matchAll(/class="cell ([\w-]+)" x="(\d+)" y="\d+" width="(\d+)"/g)].map(([, ...found]) => found),
    ).toEqual([
      ['good', '0', '2'],
      ['missing', '2', '1'],
      ['left-out', '3', '1'],
      ['to-come', '4', '1'],
    ]);
    expect(strip).toContain('aria-label="words &lt;b&gt;"');
    expect(strip).toContain('viewBox="0 0 5 10"');
  });
  it.each([92, 100])('holds a day of %d cells', (cells) => {
    expect(String(qualityStrip(Array(cells).fill('good'), ''))).toContain(`viewBox="0 0 ${cells} 10"`);
  });
});
