/**
 * A regression that learns online: least squares that forget, held near a plain start, in which errors much larger than
 * usual count less (Huber 1964), so that a fault does not become what is usual. Keeps the usual size of its errors.
 */
import { DAY_HOURS } from '../features/panel.ts';
import { solveCholesky } from '../forecast/linear-ridge.ts';

const WEEK_HOURS = 7 * DAY_HOURS;
const VISITS = 12;

export type RegressionOptions = {
  /** Share of what was learned that is left an hour later. */
  forget: number;
  /** Hours of evidence that the start is worth. */
  firmness: number;
  /** Errors above so many times the usual count less. */
  robust: number;
};

export type Regression = {
  expect(x: readonly number[]): number;
  /** Usual size of the error at this hour of the day; NaN before two hours were seen. */
  usual(hour: number): number;
  learn(x: readonly number[], value: number, error: number, hour: number): void;
  /** Takes what was learned into use. */
  solve(): void;
};

export function createRegression(start: readonly number[], o: RegressionOptions): Regression {
  const n = start.length;
  const [gram, moments] = [new Float64Array(n * n), new Float64Array(n)];
  const sizes = new Float64Array(DAY_HOURS).fill(NaN);
  let weights = Float64Array.from(start);
  let [seen, size] = [0, 0];

  function usual(hour: number): number {
    if (seen < 2) return NaN;
    const near = (by: number) => {
      const known = sizes[(hour + by + DAY_HOURS) % DAY_HOURS]!;
      return Number.isNaN(known) ? size : known;
    };
    return 0.6 * ((near(-1) + 2 * near(0) + near(1)) / 4) + 0.4 * size + 1e-9;
  }

  function follow(error: number, hour: number, usually: number): void {
    const one = Number.isNaN(usually) ? Math.abs(error) : Math.min(Math.abs(error), 2 * o.robust * usually);
    size += (one - size) / Math.min(WEEK_HOURS, seen + 1);
    const known = sizes[hour]!;
    sizes[hour] = Number.isNaN(known) ? one : known + (one - known) / Math.min(VISITS, 2 + seen / DAY_HOURS);
  }

  return {
    expect: (x) => x.reduce((sum, value, k) => sum + value * weights[k]!, 0),
    usual,
    learn(x, value, error, hour) {
      const usually = usual(hour);
      const weight = Number.isNaN(usually) ? 1 : Math.min(1, (o.robust * usually) / Math.max(1e-12, Math.abs(error)));
      for (let i = 0; i < n; i++) {
        moments[i] = o.forget * moments[i]! + weight * x[i]! * value;
        for (let j = 0; j <= i; j++) {
          const sum = o.forget * gram[i * n + j]! + weight * x[i]! * x[j]!;
          gram[i * n + j] = sum;
          gram[j * n + i] = sum;
        }
      }
      seen = o.forget * seen + weight;
      follow(error, hour, usually);
    },
    solve() {
      const [a, b] = [gram.slice(), moments.slice()];
      for (let i = 0; i < n; i++) {
        // Held near the start: the more, the less was seen.
        const hold = (o.firmness * (gram[i * n + i]! + 1e-9)) / Math.max(1, seen) + 1e-9;
        a[i * n + i]! += hold;
        b[i]! += hold * start[i]!;
      }
      solveCholesky(a, b, n);
      if (b.every(Number.isFinite)) weights = b;
    },
  };
}
