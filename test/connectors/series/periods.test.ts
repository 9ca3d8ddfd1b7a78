import { describe, expect, it } from 'vitest';
import { idsSql } from '../../../connectors/series/periods.ts';

describe('conditions on numbers of series', () => {
  it('is one comparison for one number', () => {
    expect(idsSql([7], 'series')).toBe('series = 7');
  });
  it('is a range for neighbours in any order, named twice or not', () => {
    expect(idsSql([3, 1, 2, 2], 'series')).toBe('(series >= 1 and series <= 3)');
  });
  it('joins a few ranges', () => {
    expect(idsSql([1, 2, 10], 'series')).toBe('((series >= 1 and series <= 2) or series = 10)');
  });
  it('is a list where there would be many ranges', () => {
    expect(idsSql([1, 3, 5, 7, 9], 'series')).toBe('series in (1, 3, 5, 7, 9)');
  });
  it('lets nothing but whole numbers into the text', () => {
    expect(() => idsSql([1.5], 'series')).toThrow(RangeError);
  });
});
