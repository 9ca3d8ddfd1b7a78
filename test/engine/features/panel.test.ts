import { describe, expect, it } from 'vitest';
import { createDayRows, LEAR_SPEC } from '../../../engine/features/day-ahead.ts';
import { createPanel, knownByDay, weekdayOf } from '../../../engine/features/panel.ts';
import { FIRST_DAY, makeMarket, origin } from '../forecast/panel-fixture.ts';

describe('a view of a panel', () => {
  const { panel, price } = makeMarket(20);

  it('answers what was known at its instant, and NaN for all else', () => {
    const view = panel.viewAt(origin(10));
    expect(view.value(0, 9, 5)).toBe(price[9 * 24 + 5]);
    // Tomorrow's price comes an hour after the origin; the forecasts for tomorrow an hour before.
    expect(view.value(0, 10, 5)).toBeNaN();
    expect(view.value(1, 10, 5)).toBeGreaterThan(0);
    expect(view.value(1, 11, 5)).toBeNaN();
    expect(view.value(0, -1, 0)).toBeNaN();
    expect(panel.viewAt(Infinity).value(0, 20, 0)).toBeNaN();
  });

  it('shows a value that came late only from then on', () => {
    const late = makeMarket(20, 1, ([first]) => {
      first!.known_ms[9 * 24 + 5] = origin(12);
    }).panel;
    expect(late.viewAt(origin(11)).value(0, 9, 5)).toBeNaN();
    expect(late.viewAt(origin(12)).value(0, 9, 5)).toBe(price[9 * 24 + 5]);
    const rows = createDayRows(late, LEAR_SPEC);
    expect(rows.row(10)[5]).toBeNaN();
    expect(rows.row(12)[rows.blocks.find(({ series, lag }) => series === 0 && lag === 3)!.at + 5]).toBe(
      price[9 * 24 + 5],
    );
  });

  it('refuses series of different lengths', () => {
    const values = new Float64Array(48);
    const series = [{ name: 'a', unit: '', values, known_ms: knownByDay(1, () => 0) }];
    expect(() => createPanel({ first_day: 0, series, origin: () => 0 })).toThrow(/48 values/);
  });

  it('knows weekdays: 1970-01-01 was a Thursday', () => {
    expect(weekdayOf(panel, -FIRST_DAY)).toBe(4);
  });
});
