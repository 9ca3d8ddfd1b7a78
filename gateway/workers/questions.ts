/** Questions that are under way in the worker of the series store: its own work gives way to them. */
import { setImmediate as turn } from 'node:timers/promises';

export type Questions = {
  /** Counts `work` as under way until it has settled. */
  ask<T>(work: () => Promise<T>): Promise<T>;
  /** Takes up the questions that have arrived and resolves when all are answered, after `limit_ms` at the latest. */
  answered(limit_ms: number): Promise<void>;
};

export function createQuestions(): Questions {
  let open = 0;
  let waiting: (() => void)[] = [];
  return {
    async ask(work) {
      open++;
      try {
        return await work();
      } finally {
        open--;
        if (open === 0) for (const done of waiting.splice(0)) done();
      }
    },
    async answered(limit_ms) {
      await turn();
      if (open === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, limit_ms);
        function done() {
          clearTimeout(timer);
          waiting = waiting.filter((other) => other !== done);
          resolve();
        }
        waiting.push(done);
      });
    },
  };
}
