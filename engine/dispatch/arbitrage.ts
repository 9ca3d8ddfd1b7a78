/** One store against a market for one day: what to charge and discharge when prices are as forecast. */
import { solveInterior } from './interior-point.ts';
import { createStageBuilder, type StageProgram } from './stage-program.ts';

export type MarketStore = {
  /** Most power to and from the market in an hour, and what the store holds, in the same unit (MW, MWh). */
  power: number;
  capacity: number;
  charge_efficiency: number;
  discharge_efficiency: number;
};

export type MarketDay = { charge: Float64Array; discharge: Float64Array };

const ROUNDS = 8;
const BOTH = 1e-6;

/**
 * @param prices one an hour; may be negative
 * @returns the schedule that earns most at these prices, from empty to empty, never both ways in one hour.
 */
export function planMarketDay(prices: readonly number[], store: MarketStore): MarketDay {
  const program = dayProgram(prices, store);
  for (let round = 0; ; round++) {
    const { x } = solveInterior(program, { tolerance: 1e-9 });
    let both = false;
    for (let t = 0; t < prices.length; t++) {
      const [c, d] = [3 * t, 3 * t + 1];
      if (!(x[c]! > BOTH && x[d]! > BOTH)) continue;
      // At a negative price burning pays; the way that is used more stays.
      program.upper[x[c]! >= x[d]! ? d : c] = 0;
      both = true;
    }
    if (both && round < ROUNDS) continue;
    return {
      charge: Float64Array.from(prices, (_, t) => x[3 * t]!),
      discharge: Float64Array.from(prices, (_, t) => x[3 * t + 1]!),
    };
  }
}

/** Columns of hour t: charge 3t, discharge 3t + 1, energy 3t + 2. */
function dayProgram(prices: readonly number[], store: MarketStore): StageProgram {
  const builder = createStageBuilder(prices.length, 1, 1);
  prices.forEach((price, t) => {
    const last = t === prices.length - 1;
    builder.column(price, 0, store.power);
    builder.entry(t, 0, -store.charge_efficiency);
    builder.column(-price, 0, store.power);
    builder.entry(t, 0, 1 / store.discharge_efficiency);
    builder.column(0, 0, last ? 0 : store.capacity);
    builder.entry(t, 0, 1);
    if (!last) builder.entry(t + 1, 0, -1);
  });
  return builder.finish();
}

/** What a schedule earns at the prices that came. */
export function earned({ charge, discharge }: MarketDay, prices: readonly number[]): number {
  return prices.reduce((sum, price, t) => sum + price * (discharge[t]! - charge[t]!), 0);
}
