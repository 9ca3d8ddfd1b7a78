import { expect, it } from 'vitest';
import { HOUR_MS } from '../../engine/model/time.ts';
import { inWords } from '../../recommender/words.ts';
import { changeDays, YEARS, ZONES } from '../engine/model/clock-changes.ts';
import { contextOf } from './context.ts';

it('tomorrow is the next day of the calendar on every day on which clocks change, in every zone', () => {
  for (const oracle of ZONES)
    for (const year of YEARS)
      for (const { from_ms, slots } of changeDays(oracle, year).filter((day) => day.slots !== 96)) {
        const end_ms = from_ms + (slots / 4) * HOUR_MS;
        // At the first and the last half hour of such a day 24 hours on is not the next day.
        for (const at_ms of [from_ms + HOUR_MS / 2, end_ms - HOUR_MS / 2]) {
          const context = { ...contextOf(() => null), at_ms, time_zone: oracle.zone };
          const instants = [end_ms - HOUR_MS, end_ms, end_ms + 24 * HOUR_MS];
          const said = inWords(context, { en: (f) => instants.map(f.time).join(), de: () => '' }).en;
          // Clocks change on Sundays, so that the day after tomorrow is a Tuesday everywhere.
          expect(said).toBe('23:00,tomorrow 00:00,Tuesday 00:00');
        }
      }
});
