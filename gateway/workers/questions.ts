/** Questions that are under way in the worker of the series store: its own work gives way to them. */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';

export type Questions = {
  /** Counts `work` as under way until it has settled. */
  ask<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Takes up the questions that have arrived and resolves when all are answered and none has followed for a moment: who
   * puts one after another does not wait for a piece of work between each two. After `limit_ms` at the latest.
   */
  answered(limit_ms: number): Promise<void>;
};

/** How long the next question of a row takes to come. */
const FOLLOW_MS = 4;

export function createQuestions(follow_ms = FOLLOW_MS): Questions {
  let open = 0;
  let asked = 0;
  let waiting: (() => void)[] = [];
  const settled = (limit_ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(done, limit_ms);
      function done() {
        clearTimeout(timer);
        waiting = waiting.filter((other) => other !== done);
        resolve();
      }
      waiting.push(done);
    });
  let looked_at = 0;
  return {
    async ask(work) {
      open++;
      asked++;
      try {
        return await work();
      } finally {
        open--;
        if (open === 0) for (const done of waiting.splice(0)) done();
      }
    },
    async answered(limit_ms) {
      const end_ms = performance.now() + limit_ms;
      await turn();
      while (asked !== looked_at || open > 0) {
        looked_at = asked;
        const left_ms = end_ms - performance.now();
        if (left_ms <= 0) return;
        if (open > 0) await settled(left_ms);
        else await sleep(Math.min(follow_ms, left_ms));
      }
    },
  };
}
