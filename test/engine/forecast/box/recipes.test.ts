import { describe, expect, it } from 'vitest';
import { createDayMix } from '../../../../engine/forecast/box/day-mix.ts';
import { createDirect } from '../../../../engine/forecast/box/direct.ts';
import type { History } from '../../../../engine/forecast/box/model-port.ts';
import { gridOf, localInstant, slotsOfHours } from '../../../../engine/forecast/box/slot-panel.ts';
import { createDayProfiles } from '../../../../engine/forecast/day-profiles.ts';
import { populationStability } from '../../../../engine/forecast/drift.ts';
import { comparePaired } from '../../../../engine/forecast/paired.ts';
import { HOUR_MS, instantOf, localTime, SLOT_MS } from '../../../../engine/model/time.ts';
import { createRandom } from '../../../../engine/random.ts';

const TZ = 'Europe/Berlin';
const DAY_MS = 24 * HOUR_MS;

/** A works with weekends, weather and noise, that ends at `end_ms`. */
function history(days: number, end_ms: number, seed = 3, change?: (at_ms: number, value: number) => number): History {
  const random = createRandom(seed);
  const n = days * 96;
  const at_ms = Float64Array.from({ length: n }, (_, i) => end_ms + (i - n) * SLOT_MS);
  const values = at_ms.map((at) => {
    const { hour } = localTime(at, TZ);
    const weekday = new Date(at + HOUR_MS).getUTCDay();
    const works = weekday === 0 || weekday === 6 ? 0.4 : 1;
    const value = 1000 + works * (3000 + 1500 * Math.sin(((hour - 6) / 24) * 2 * Math.PI)) + 300 * (random() - 0.5);
    return change?.(at, value) ?? value;
  });
  const columns = { at_ms, values, quality: new Int32Array(n) };
  return { kind: 'load', columns, from_ms: end_ms, time_zone: TZ, holidays: [] };
}

const NOW = instantOf(TZ, 2026, 3, 28, 14, 30);

describe('recipes of the box', { timeout: 60_000 }, () => {
  it('the mix is the same for the same data and seed, and explains itself', () => {
    const recipe = createDayMix('load', 'day-ahead');
    const known = history(45, NOW);
    const [a, b] = [recipe.train(known, 1, () => {}), recipe.train(known, 1, () => {})];
    const text = JSON.stringify(a.artefact);
    expect(JSON.stringify(b.artefact)).toBe(text);
    const live = recipe.revive(JSON.parse(text));
    const hours = live.forecast(known);
    expect(hours).toHaveLength(24);
    const { base, contributions } = live.explain(known, hours[18]!.day, 18);
    expect(contributions.reduce((sum, { adds }) => sum + adds, base)).toBeCloseTo(hours[18]!.mean, 6);
    // What a live model remembers spares it the days since its training, and changes nothing.
    const later = history(49, NOW + 4 * DAY_MS);
    const without = recipe.revive(JSON.parse(text)).forecast(later);
    const walking = recipe.revive(JSON.parse(text));
    walking.forecast(history(48, NOW + 3 * DAY_MS));
    const memory = structuredClone(walking.memory());
    expect(recipe.revive(JSON.parse(text), memory).forecast(later)).toEqual(without);
    for (const { quantiles } of hours) expect([...quantiles].sort((x, y) => x - y)).toEqual(quantiles);
  });

  it('what comes after the midnight of its origin changes nothing of the day ahead', () => {
    const recipe = createDayMix('load', 'day-ahead');
    const midnight = localInstant(TZ, Math.floor((NOW + HOUR_MS) / DAY_MS), 0);
    const { artefact } = recipe.train(history(45, midnight - DAY_MS), 1, () => {});
    const text = JSON.stringify(artefact);
    const other = history(45, NOW, 3, (at, value) => (at >= midnight ? 9e6 : value));
    const [a, b] = [history(45, NOW), other].map((one) => recipe.revive(JSON.parse(text)).forecast(one));
    expect(b!.map(({ mean }) => mean)).toEqual(a!.map(({ mean }) => mean));
  });

  it('14 days of history are enough to be no worse than the mean of seven days', () => {
    const model = createDayProfiles();
    let [ours, mean] = [0, 0];
    for (const seed of [1, 2, 3, 4])
      for (let day = 0; day < 7; day++) {
        const origin = instantOf(TZ, 2026, 3, 9 + day);
        const known = history(14, origin, seed);
        const truth = history(1, origin + DAY_MS, seed);
        const points = model.forecast({
          ...{ history: known.columns, from_ms: origin, slots: 96, time_zone: TZ, quantiles: [], floor: 0 },
        });
        const week = (i: number) =>
          Array.from({ length: 7 }, (_, k) => known.columns.values[(7 + k) * 96 + i]!).reduce((a, b) => a + b, 0) / 7;
        for (const [i, point] of points.entries()) {
          ours += Math.abs(point.mean - truth.columns.values[i]!);
          mean += Math.abs(week(i) - truth.columns.values[i]!);
        }
      }
    expect(ours).toBeLessThanOrEqual(mean);
  });

  it('what a forecaster remembers of its bands changes nothing', () => {
    const recipe = createDirect(createDayProfiles(), 'day-ahead');
    const { artefact } = recipe.train(history(40, NOW), 1, () => {});
    const walking = recipe.revive(artefact);
    walking.forecast(history(43, NOW + 3 * DAY_MS));
    const later = history(45, NOW + 5 * DAY_MS);
    expect(recipe.revive(artefact, walking.memory()).forecast(later)).toEqual(recipe.revive(artefact).forecast(later));
    // What it knows of other values counts for nothing.
    const foreign = recipe.revive(artefact);
    foreign.forecast(history(43, NOW + 3 * DAY_MS, 8));
    expect(recipe.revive(artefact, foreign.memory()).forecast(later)).toEqual(recipe.revive(artefact).forecast(later));
    expect(walking.memory()!.day).toBe(gridOf(later).first_day + gridOf(later).days - 3);
  });

  it('a day on which clocks change has 92 or 100 slots', () => {
    for (const [day, slots] of [
      [instantOf(TZ, 2026, 3, 29), 92],
      [instantOf(TZ, 2026, 10, 25), 100],
    ] as const) {
      const known = history(20, day);
      const grid = gridOf(known);
      const hours = createDirect(createDayProfiles(), 'day-ahead')
        .revive({ model: 'day-profiles/1', trained_day: Infinity })
        .forecast(known);
      const ofDay = hours.filter((one) => one.day === grid.first_day + grid.days - 1);
      expect(slotsOfHours(known, grid, ofDay, { slots: 120, floor: 0 })).toHaveLength(slots);
    }
  });
});

describe('paired errors', () => {
  const noise = createRandom(5);
  const champion = Float64Array.from({ length: 28 }, () => 100 + 20 * (noise() - 0.5));

  it('a real gain is told from chance', () => {
    const better = champion.map((loss) => loss - 10 + 5 * (noise() - 0.5));
    const won = comparePaired(champion, better, createRandom(1));
    expect(won.dm_p).toBeLessThan(0.01);
    expect(won.low).toBeGreaterThan(0);
    const same = champion.map((loss) => loss + 20 * (noise() - 0.5));
    expect(comparePaired(champion, same, createRandom(1)).low).toBeLessThan(0);
  });

  it('days in a row that hang together count for less', () => {
    const steady = champion.map((loss, k) => loss - (k % 2 === 0 ? 12 : -6));
    const block = champion.map((loss, k) => loss - (k < 14 ? 12 : -6));
    const [a, b] = [steady, block].map((one) => comparePaired(champion, one, createRandom(1)));
    expect(b!.dm_p).toBeGreaterThan(a!.dm_p);
    expect(b!.low).toBeLessThan(a!.low);
  });

  it('refuses a handful of days', () => {
    expect(() => comparePaired(champion.subarray(0, 9), champion.subarray(0, 9), createRandom(1))).toThrow(/9 days/);
  });
});

describe('population stability', () => {
  const random = createRandom(7);
  const values = (n: number, of: () => number) => Float64Array.from({ length: n }, of);

  it('is small for the same, large for another population, and silent with too little', () => {
    const before = values(1000, random);
    expect(populationStability(before, values(300, random))).toBeLessThan(0.1);
    expect(
      populationStability(
        before,
        values(300, () => random() + 0.5),
      ),
    ).toBeGreaterThan(0.25);
    expect(populationStability(before, values(20, random))).toBeNull();
    expect(
      populationStability(
        values(1000, () => 0),
        values(300, () => 0),
      ),
    ).toBeLessThan(0.1);
  });
});
