/** Models whose errors a test decides day by day: training and scoring answer at once, all else is the box's own. */
import { HOUR_MS, SLOT_MS } from '../../engine/model/time.ts';
import type { ModelDeps } from '../../gateway/services/models.ts';

const DAY_MS = 24 * HOUR_MS;
/** UTC is an hour behind the sites of these tests. */
const dayOf = (at_ms: number): number => Math.floor((at_ms + HOUR_MS) / DAY_MS);

/** Mean error of a recipe's forecast on a day (days since 1970). */
export type Errors = Record<string, (day: number) => number>;

/** @param errors asked anew each time: a test changes them. Other recipes are off by 130 and more. */
export function judgedWorkers(errors: () => Errors, now: () => number): Pick<ModelDeps, 'trainers' | 'workers'> {
  const trained_day = dayOf(now());
  const scores = (recipe: string, from: number, to: number) =>
    Array.from({ length: Math.max(0, to - from) }, (_, k) => ({
      ...{ day: from + k, hours: 24, naive_mae: 140, inside90: 0.9, bias: 0 },
      mae: errors()[recipe]?.(from + k) ?? 130 + ((from + k) % 4),
    }));
  return {
    trainers: {
      run: async <Output>(_: string, input: unknown) => {
        const { recipe } = input as { recipe: string };
        return {
          artefact: JSON.stringify({ recipe }),
          scores: scores(recipe, trained_day - 28, trained_day),
          device: 'cpu',
        } as Output;
      },
    },
    workers: {
      run: async <Output>(_: string, input: unknown) => {
        const { models } = input as { models: { run: string; recipe: string; from_day: number }[] };
        return models.map(({ run, recipe, from_day }) => ({
          ...{ run, fault: null },
          scores: scores(recipe, from_day + 1, dayOf(now())),
        })) as Output;
      },
    },
  };
}

/** A load that was measured for some weeks, as `balance` tells it. */
export function measuredLoad(
  value: (at_ms: number) => number,
  from_ms: number,
  now: () => number,
): ModelDeps['balance'] {
  return async (_, kind, from, to) => {
    const n = (to - from) / SLOT_MS;
    const at_ms = Float64Array.from({ length: n }, (_, i) => from + i * SLOT_MS);
    const known = (at: number) => kind === 'load' && at >= from_ms && at < now();
    return { at_ms, values: at_ms.map((at) => (known(at) ? value(at) : NaN)), quality: new Int32Array(n) };
  };
}
