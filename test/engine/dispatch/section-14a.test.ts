/** Figures of the ruling BK6-22-300, annex 1; the examples of groups are those of the works named in section-14a.ts. */
import { describe, expect, it } from 'vitest';
import {
  type ControllableDevice,
  guaranteedMinimum_W,
  simultaneity,
  subjectTo14a,
} from '../../../engine/dispatch/section-14a.ts';

const several = (n: number, kind: ControllableDevice['kind'], power_W: number) =>
  Array.from({ length: n }, (): ControllableDevice => ({ kind, power_W }));

describe('the least power under §14a EnWG', () => {
  it('has the simultaneity factors of section 4.5.2', () => {
    expect([2, 3, 4, 5, 6, 7, 8, 9, 10, 30].map(simultaneity)).toEqual([
      0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45, 0.45, 0.45,
    ]);
  });

  it.each([
    ['nothing', [], 0],
    ['one charger', several(1, 'charger', 11_000), 4200],
    ['a charger and a battery', [...several(1, 'charger', 11_000), ...several(1, 'battery', 10_000)], 7560],
    ['three chargers', several(3, 'charger', 11_000), 4200 + 2 * 0.75 * 4200],
    ['ten chargers', several(10, 'charger', 11_000), 4200 + 9 * 0.45 * 4200],
    ['a large heat pump', several(1, 'heat-pump', 20_000), 8000],
    ['a large heat pump and a charger', [...several(1, 'heat-pump', 20_000), ...several(1, 'charger', 11_000)], 11_360],
    ['a heat pump of exactly 11 kW', several(1, 'heat-pump', 11_000), 4200],
    ['three heat pumps, one device of 15 kW by 2.4.2', several(3, 'heat-pump', 5000), 6000],
    ['two small heat pumps, one device of 6 kW', several(2, 'heat-pump', 3000), 4200],
    [
      'large cooling beside large heat pumps: the larger of the two',
      [...several(2, 'heat-pump', 10_000), ...several(1, 'cooling', 30_000)],
      12_000 + 0.8 * 4200,
    ],
    ['what is not above 4.2 kW', [...several(1, 'charger', 4200), ...several(1, 'heat-pump', 2000)], 0],
  ])('%s', (_name, devices, least_W) => expect(guaranteedMinimum_W(devices)).toBeCloseTo(least_W, 6));

  it('leaves alone what is not subject to it', () => {
    const [small, large] = [several(1, 'battery', 3000), several(1, 'charger', 11_000)];
    expect(subjectTo14a([...small, ...large])).toEqual(large);
    expect(subjectTo14a(several(2, 'cooling', 2200))).toHaveLength(2);
  });
});
