/** Scores models on the days since they were trained, each forecast from what was known at its origin. */
import { InvalidDataError } from '../../engine/errors.ts';
import type { DayScore, History } from '../../engine/forecast/box/model-port.ts';
import { liveModel, type StoredModel } from './live-models.ts';

export type ScoreTask = { history: History; models: (StoredModel & { from_day: number })[] };
/** By run; `fault` where an artefact could not be brought back. */
export type ScoreResult = { run: string; scores: DayScore[]; fault: string | null }[];

export default function scoreModels({ history, models }: ScoreTask): ScoreResult {
  return models.map((model) => {
    try {
      return { run: model.run, scores: liveModel(history.kind, model).scores(history, model.from_day), fault: null };
    } catch (error) {
      // A state that fits no model fails in ways of its own; it must not stop the others.
      const fault = error instanceof Error ? error.message : String(error);
      return { run: model.run, scores: [], fault: error instanceof InvalidDataError ? null : fault };
    }
  });
}
