/** Artefacts brought back to life in a thread; the ones used last are kept, for they come again every 15 minutes. */
import type { Horizon, LiveModel, SeriesKind, WalkMemory } from '../../engine/forecast/box/model-port.ts';
import { recipeNamed } from '../../engine/forecast/box/recipes.ts';

export type StoredModel = {
  run: string;
  recipe: string;
  horizon: Horizon;
  /** JSON. */
  artefact: string;
  /** Of its last forecast: spares it the days since it was trained. */
  memory?: WalkMemory;
};

const MOST = 24;
const kept = new Map<string, LiveModel>();

/** @throws InvalidDataError where the artefact is not what the recipe made. */
export function liveModel(kind: SeriesKind, { run, recipe, horizon, artefact, memory }: StoredModel): LiveModel {
  const key = `${run} ${artefact.length}`;
  const known = kept.get(key);
  kept.delete(key);
  const model = known ?? recipeNamed(kind, horizon, recipe).revive(JSON.parse(artefact), memory);
  kept.set(key, model);
  if (kept.size > MOST) kept.delete(kept.keys().next().value!);
  return model;
}
