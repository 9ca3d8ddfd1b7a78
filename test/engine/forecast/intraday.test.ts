import { describe, expect, it } from 'vitest';
import { createIntradayRows, trainIntradayRidge, trainIntradayTrees } from '../../../engine/forecast/intraday.ts';
import { createRandom } from '../../../engine/random.ts';

const calendar = { holiday: () => false, special: () => false };
const HOURS = 24 * 90;
const END = 24 * 84;

/** A household whose level of the hour lives on for some hours. */
function household(change?: (values: Float64Array) => void): Float64Array {
  const random = createRandom(6);
  let state = 0;
  const values = Float64Array.from({ length: HOURS }, (_, k) => {
    state = 0.85 * state + random() - 0.5;
    return Math.max(0.1, 1.5 + Math.sin(((k % 24) * Math.PI) / 12) + state);
  });
  change?.(values);
  return values;
}

describe('forecasts of the next hours', () => {
  const make = (lead: number, change?: (values: Float64Array) => void) => {
    const rows = createIntradayRows(household(change), 15_000, calendar);
    return {
      rows,
      trees: trainIntradayTrees(rows, lead, END, { rounds: 60, seed: 1 }),
      ridge: trainIntradayRidge(rows, lead, END),
    };
  };

  it.each([4, 6])('beat persistence %i hours ahead', (lead) => {
    const { rows, trees, ridge } = make(lead);
    const errors = [trees, ridge, (at: number) => rows.filled(at - lead)].map((forecast) => {
      let sum = 0;
      for (let at = END; at < HOURS; at++) sum += Math.abs(forecast(at) - rows.measured(at));
      return sum;
    });
    expect(errors[0]!).toBeLessThan(errors[2]!);
    expect(errors[1]!).toBeLessThan(errors[2]!);
  });

  it('see nothing that comes after their origin: bit-identical whatever it is', () => {
    const [at, lead] = [END + 10, 3];
    const made = make(lead);
    const scrambled = make(lead, (values) => values.fill(900, at - lead + 1));
    expect(scrambled.trees(at)).toBe(made.trees(at));
    expect(scrambled.ridge(at)).toBe(made.ridge(at));
    const known = make(lead, (values) => values.fill(900, at - lead, at - lead + 1));
    expect(known.ridge(at)).not.toBe(made.ridge(at));
  });

  it('fill holes, and say where too little is known', () => {
    const rows = createIntradayRows(
      household((values) => values.fill(NaN, 1000, 1003)),
      15_000,
      calendar,
    );
    expect(rows.filled(1001)).toBe(rows.filled(1001 - 168));
    expect(rows.measured(1001)).toBeNaN();
    expect(() => trainIntradayTrees(rows, 1, 800, { rounds: 5, seed: 1 })).toThrow(/hours/);
    expect(() => trainIntradayRidge(rows, 1, 800)).toThrow(/days/);
  });
});
