/** Trains one model off the serving thread, and tells how far it is on a channel. */
import { constants, setPriority } from 'node:os';
import { BroadcastChannel } from 'node:worker_threads';
import { isWorkerThread } from 'piscina';
import type { DayScore, History, Horizon } from '../../engine/forecast/box/model-port.ts';
import { recipeNamed } from '../../engine/forecast/box/recipes.ts';

export type TrainTask = { history: History; recipe: string; horizon: Horizon; seed: number; channel: string };
export type TrainResult = { artefact: string; scores: DayScore[] };

/** Progress is told this often at most. */
const EVERY_MS = 200;

/** @throws InvalidDataError with the reason where too little is known. */
export default function trainModel({ history, recipe, horizon, seed, channel }: TrainTask): TrainResult {
  stepBack();
  const said = new BroadcastChannel(channel);
  let last_ms = -Infinity;
  try {
    const { artefact, scores } = recipeNamed(history.kind, horizon, recipe).train(history, seed, (done) => {
      if (performance.now() - last_ms < EVERY_MS) return;
      last_ms = performance.now();
      said.postMessage({ recipe, horizon, done });
    });
    return { artefact: JSON.stringify(artefact), scores };
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
