/** Which model goes live: the one that won on newest days that it had not seen. */
import { InvalidDataError } from '../errors.ts';
import { sameTimeBefore } from '../model/time.ts';
import type { Columns, ForecastInput, ForecastModel } from '../ports.ts';
import { DAY_SLOTS } from './local-grid.ts';

/** Every how many days and how often an origin is held out. */
const EVERY_DAYS = 2;
const ORIGINS = 7;

export type ModelScore = {
  model: string;
  /** Mean absolute error on the held-out slots; null where the model could not forecast all of them. */
  mae: number | null;
  slots: number;
};
export type ModelChoice = { winner: ForecastModel; scores: ModelScore[] };

/**
 * Lets each model forecast the newest days from what was known before them and takes the one with the smallest error.
 * A challenger that could not forecast every held-out day, or is not better, leaves the first model in place.
 * @param models the first is the one to beat.
 */
export function chooseModel(models: readonly ForecastModel[], input: ForecastInput): ModelChoice {
  const slots = Math.min(input.slots, DAY_SLOTS);
  const origins = Array.from({ length: ORIGINS }, (_, k) =>
    sameTimeBefore(input.from_ms, 1 + k * EVERY_DAYS, input.time_zone),
  );
  const scored = models.map((model) => scoreOn(model, input, origins, slots));
  const most = Math.max(...scored.map((score) => score.slots));
  const scores = scored.map((score) => (score.slots < most || score.slots === 0 ? { ...score, mae: null } : score));
  let winner = 0;
  for (let k = 1; k < models.length; k++) {
    const [best, other] = [scores[winner]!.mae, scores[k]!.mae];
    if (other !== null && (best === null || other < best)) winner = k;
  }
  return { winner: models[winner]!, scores };
}

function scoreOn(model: ForecastModel, input: ForecastInput, origins: readonly number[], slots: number): ModelScore {
  let [error, count] = [0, 0];
  for (const from_ms of origins) {
    try {
      const points = model.forecast({
        ...input,
        history: before(input.history, from_ms),
        from_ms,
        slots,
        quantiles: [],
      });
      const actual = valuesAt(input.history, from_ms, input.from_ms);
      for (const point of points) {
        const value = actual.get(point.at_ms);
        if (value === undefined) continue;
        error += Math.abs(value - point.mean);
        count++;
      }
    } catch (cause) {
      if (!(cause instanceof InvalidDataError)) throw cause;
    }
  }
  return { model: model.name, mae: count === 0 ? null : error / count, slots: count };
}

function before({ at_ms, values, quality }: Columns, from_ms: number): Columns {
  let end = at_ms.length;
  while (end > 0 && at_ms[end - 1]! >= from_ms) end--;
  return { at_ms: at_ms.subarray(0, end), values: values.subarray(0, end), quality: quality.subarray(0, end) };
}

function valuesAt({ at_ms, values }: Columns, from_ms: number, to_ms: number): Map<number, number> {
  const found = new Map<number, number>();
  for (let i = at_ms.length - 1; i >= 0 && at_ms[i]! >= from_ms; i--)
    if (at_ms[i]! < to_ms && !Number.isNaN(values[i]!)) found.set(at_ms[i]!, values[i]!);
  return found;
}
