/** What an hour's forecast was made of, from what was known when it was made. */
import { createDirect } from '../../engine/forecast/box/direct.ts';
import type { History, Horizon } from '../../engine/forecast/box/model-port.ts';
import { DIRECT_MODELS } from '../../engine/forecast/box/recipes.ts';
import { gridOf } from '../../engine/forecast/box/slot-panel.ts';
import type { Explanation } from '../../engine/forecast/port.ts';
import { liveModel, type StoredModel } from './live-models.ts';

/** `model`: a trained run, or the name of a forecaster that needs no training. */
export type ExplainTask = { history: History; at_ms: number; horizon: Horizon; model: StoredModel | string };
export type ExplainResult = Explanation & { day: number; hour: number };

export default function explainForecast({ history, at_ms, horizon, model }: ExplainTask): ExplainResult {
  const grid = gridOf(history);
  const place = grid.placeOf(at_ms);
  const [day, hour] = [grid.first_day + place.day, Math.floor(place.slot / 4)];
  if (typeof model !== 'string') return { day, hour, ...liveModel(history.kind, model).explain(history, day, hour) };
  const direct = DIRECT_MODELS.find(({ name }) => name === model) ?? DIRECT_MODELS[0]!;
  const artefact = { model: direct.name, trained_day: Number.POSITIVE_INFINITY };
  return { day, hour, ...createDirect(direct, horizon).revive(artefact).explain(history, day, hour) };
}
