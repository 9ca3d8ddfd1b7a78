/** Makes one forecast off the serving thread; chooses the model where the caller names none. */
import { InvalidDataError } from '../../engine/errors.ts';
import { chooseModel, type ModelScore } from '../../engine/forecast/choose.ts';
import { createHourlyRidge } from '../../engine/forecast/hourly-ridge.ts';
import { createSeasonalNaive } from '../../engine/forecast/seasonal-naive.ts';
import type { ForecastInput, ForecastPoint } from '../../engine/ports.ts';

export type ForecastTask = ForecastInput & {
  /** Name of the live model, or null: the winner on held-out days is taken. */
  model: string | null;
};
export type ForecastTaskResult = {
  model: string;
  points: ForecastPoint[];
  /** Held-out errors, where the model was chosen now. */
  scores: ModelScore[] | null;
};

/** The first is the one that every other must beat. */
const MODELS = [createSeasonalNaive(), createHourlyRidge()];

/** @throws InvalidDataError with the reason when the history does not suffice for any model. */
export default function forecast({ model: live, ...input }: ForecastTask): ForecastTaskResult {
  const known = MODELS.find((model) => model.name === live);
  const choice = known ? null : chooseModel(MODELS, input);
  const scores = choice?.scores ?? null;
  const model = known ?? choice!.winner;
  try {
    return { model: model.name, points: model.forecast(input), scores };
  } catch (error) {
    // A hole in the newest days can stop the regression; last week is better than nothing.
    if (!(error instanceof InvalidDataError) || model === MODELS[0]) throw error;
    return { model: MODELS[0]!.name, points: MODELS[0]!.forecast(input), scores };
  }
}
