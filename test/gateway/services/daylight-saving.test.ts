import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SLOT_MS } from '../../../engine/model/time.ts';
import { periodBounds } from '../../../gateway/services/data.ts';
import { createQualityService, type QualityDeps } from '../../../gateway/services/quality.ts';
import { timeTicks } from '../../../web/charts/scale.ts';
import { createFormat } from '../../../web/format.ts';
import { createTranslate } from '../../../web/i18n/text.ts';
import { allDays, offsetAt, ZONES } from '../../engine/model/clock-changes.ts';
import { changingDays, meters, openDaylightRig } from './daylight-saving-rig.ts';

/** Where clocks change, sums and charts have 92, 96 or 100 quarter hours: against the rules' own words. */
const HOUR_MS = 3_600_000;
let rig: Awaited<ReturnType<typeof openDaylightRig>>;
beforeAll(async () => {
  rig = await openDaylightRig();
});
afterAll(() => rig.close());

describe('daylight saving in sums', () => {
  it('months of every zone begin where the rules say', () => {
    for (const oracle of ZONES) {
      const days = allDays(oracle);
      const [from_ms, to_ms] = [days[0]!.from_ms, days.at(-1)!.from_ms + HOUR_MS];
      const months = days.filter((day) => day.date.endsWith('-01')).map((day) => day.from_ms);
      expect(periodBounds(from_ms, to_ms, 'month', oracle.zone).slice(0, -1)).toEqual(months);
    }
  });

  for (const oracle of ZONES) {
    const query = { meters: ['grid'], quantity: 'import_kWh', tz: oracle.zone };
    it(`${oracle.zone}: the sums of all days of 2020 to 2035 have their quarter hours`, async () => {
      const days = allDays(oracle);
      const range = { from_ms: days[0]!.from_ms, to_ms: days.at(-1)!.from_ms + HOUR_MS };
      const byDay = await rig.data.totals('a', { ...query, ...range, resolution: 'day' });
      expect([...byDay.rows[0]!.values]).toEqual(days.map((day) => day.slots));
    });

    it(`${oracle.zone}: hours of the wall clock, 23, 24 or 25 of four quarters, at every change of 2020 to 2035`, async () => {
      for (const { from_ms, slots } of changingDays(oracle)) {
        const range = { from_ms, to_ms: from_ms + slots * SLOT_MS };
        const { rows } = await rig.data.totals('a', { ...query, ...range, resolution: 'hour' });
        expect([...rows[0]!.values]).toEqual(new Array(slots / 4).fill(4));
      }
    });
  }

  // Where months begin is told of every zone above; here one zone of each offset and rule.
  const kinds = new Map(ZONES.map((oracle) => [`${oracle.standard_h} ${oracle.rule}`, oracle]));
  for (const oracle of kinds.values())
    it(`${oracle.zone}: the sums of the months of 2020 to 2035 have their quarter hours`, async () => {
      const days = allDays(oracle);
      const range = { from_ms: days[0]!.from_ms, to_ms: days.at(-1)!.from_ms + HOUR_MS };
      const query = { meters: ['grid'], quantity: 'import_kWh', tz: oracle.zone, resolution: 'month' as const };
      const months = await rig.data.totals('a', { ...query, ...range });
      const expected = new Map<string, number>();
      for (const { date, slots } of days) expected.set(date.slice(0, 7), (expected.get(date.slice(0, 7)) ?? 0) + slots);
      expect([...months.rows[0]!.values]).toEqual([...expected.values()]);
    });
});

describe('daylight saving in charts', () => {
  it('the time axis has its ticks at every third hour of the wall clock, each once', () => {
    for (const oracle of ZONES) {
      const t = createTranslate('en');
      const format = createFormat({ language: 'en', time_zone: oracle.zone, currency: 'EUR', t });
      for (const { from_ms, slots } of changingDays(oracle)) {
        const range = { from_ms, to_ms: from_ms + slots * SLOT_MS };
        const expected: number[] = [];
        for (let at_ms = from_ms; at_ms <= range.to_ms; at_ms += HOUR_MS) {
          const hour = ((at_ms + offsetAt(oracle, at_ms)) / HOUR_MS) % 24;
          const before = expected.at(-1);
          const again = before !== undefined && at_ms - before === HOUR_MS;
          if (hour % 3 === 0 && !again) expected.push(at_ms);
        }
        expect(timeTicks(range, format.wall).map((tick) => tick.at_ms)).toEqual(expected);
      }
    }
  });

  it('the strip of a day has a cell a quarter hour', async () => {
    for (const oracle of ZONES)
      for (const { from_ms, slots } of changingDays(oracle)) {
        const deps = {
          ...{
            meters,
            clock: { now: () => from_ms + 12 * HOUR_MS },
            site: { get: () => ({ time_zone: oracle.zone }) },
          },
          series: { list: async () => [], slots: rig.store.slots, readings: rig.store.readings },
        } as unknown as QualityDeps;
        const { cells } = await createQualityService(deps).today('a', 'grid');
        expect(cells).toHaveLength(slots);
      }
  });
});
