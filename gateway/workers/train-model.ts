/** Trains one model off the serving thread, and tells how far it is on a channel. */
import { constants, setPriority } from 'node:os';
import { BroadcastChannel } from 'node:worker_threads';
import { isWorkerThread } from 'piscina';
import type { DayScore, History, Horizon } from '../../engine/forecast/box/model-port.ts';
import { recipeNamed } from '../../engine/forecast/box/recipes.ts';
import type { BackendName } from '../../engine/forecast/neural/backend.ts';
import { wasmFolder } from './wasm-folder.ts';

export type TrainTask = {
  history: History;
  recipe: string;
  horizon: Horizon;
  seed: number;
  channel: string;
  /** For networks, in the order in which they are tried. */
  backends?: readonly BackendName[];
};
/** `device`: what computed. */
export type TrainResult = { artefact: string; scores: DayScore[]; device: string };

/** Progress is told this often at most. */
const EVERY_MS = 200;

/** @throws InvalidDataError with the reason where too little is known. */
export default async function trainModel(task: TrainTask): Promise<TrainResult> {
  const { history, recipe, horizon, seed, channel } = task;
  stepBack();
  const said = new BroadcastChannel(channel);
  let last_ms = -Infinity;
  try {
    const tell = (done: number) => {
      if (performance.now() - last_ms < EVERY_MS) return;
      last_ms = performance.now();
      said.postMessage({ recipe, horizon, done });
    };
    const found = recipeNamed(history.kind, horizon, recipe);
    if (!found.trainNetworks) {
      const { artefact, scores } = found.train(history, seed, tell);
      return { artefact: JSON.stringify(artefact), scores, device: 'cpu' };
    }
    // Loaded where networks are trained, and nowhere else: it is large.
    const { createNetworkTrainer } = await import('../../engine/forecast/neural/trainer.ts');
    const trainer = createNetworkTrainer(task.backends ?? ['wasm', 'plain'], wasmFolder());
    const { artefact, scores } = await found.trainNetworks(history, seed, tell, trainer);
    return { artefact: JSON.stringify(artefact), scores, device: trainer.device() };
  } finally {
    said.close();
  }
}

/** Whoever serves goes first. On Linux this concerns the thread alone; elsewhere it may be refused. */
function stepBack(): void {
  // Only a thread of the pool: the main thread serves.
  if (process.platform !== 'linux' || !isWorkerThread) return;
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Trains with the priority that it has.
  }
}
