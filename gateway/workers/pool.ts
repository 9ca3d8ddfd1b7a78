/** Heavy pure work off the serving thread. Each task is a file in this folder whose default export takes the input. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Piscina } from 'piscina';
import { InvalidDataError, UnavailableError } from '../../engine/errors.ts';
import { unpackError } from './carried-error.ts';
import type { TaskOutcome } from './task.ts';

/** Heavy pure work off the serving thread (piscina). Each task is a file in gateway/workers/. */
export interface Workers {
  run<Output>(task: string, input: unknown, options?: { signal?: AbortSignal; timeout_ms?: number }): Promise<Output>;
  close(): Promise<void>;
}

const TASK = /^[a-z][a-z0-9-]*$/;
const TIMEOUT_MS = 120_000;
const QUEUE_LIMIT = 1000;
/** A PDF or a model that needs more ends its own thread, not the box. */
const HEAP_MB = 1024;

export type WorkersOptions = {
  threads?: number;
  /** Where the task files lie. */
  folder?: string;
  /** Heap of one thread. */
  heap_MB?: number;
};

/** Threads start with the first task and end after half a minute without one. */
export function createWorkers(options: WorkersOptions = {}): Workers {
  const { threads, folder = import.meta.dirname, heap_MB = HEAP_MB } = options;
  const pool = new Piscina({
    filename: join(import.meta.dirname, 'task.ts'),
    minThreads: 0,
    maxThreads: threads ?? Math.max(1, Math.min(4, availableParallelism() - 1)),
    idleTimeout: 30_000,
    maxQueue: QUEUE_LIMIT,
    resourceLimits: { maxOldGenerationSizeMb: heap_MB },
  });
  return {
    async run<Output>(
      task: string,
      input: unknown,
      { signal, timeout_ms = TIMEOUT_MS }: { signal?: AbortSignal; timeout_ms?: number } = {},
    ): Promise<Output> {
      if (!TASK.test(task)) throw new Error(`${task} is no task`);
      const deadline = AbortSignal.timeout(timeout_ms);
      const stop = signal ? AbortSignal.any([signal, deadline]) : deadline;
      const outcome = await pool
        .run({ file: join(folder, `${task}.ts`), input }, { signal: stop })
        .catch((error: Error) => {
          throw translated(error, task, { timeout_ms, heap_MB, deadline });
        });
      return unpacked<Output>(outcome as TaskOutcome);
    },
    close: () => pool.destroy(),
  };
}

type Limits = { timeout_ms: number; heap_MB: number; deadline: AbortSignal };

function translated(error: Error, task: string, { timeout_ms, heap_MB, deadline }: Limits): Error {
  if (deadline.aborted)
    return new UnavailableError(
      `${task} took longer than ${timeout_ms / 1000} s and was stopped.`,
      'Try smaller input.',
    );
  if (/out of memory|memory limit/i.test(`${error.message} ${(error as { code?: string }).code ?? ''}`))
    return new InvalidDataError(`${task} needed more than ${heap_MB} MB and was stopped.`, 'Try smaller input.');
  if (/queue/i.test(error.message))
    return new UnavailableError('Too much work is waiting.', 'Try again in a minute.', { cause: error });
  return error;
}

function unpacked<Output>(outcome: TaskOutcome): Output {
  if ('output' in outcome) return outcome.output as Output;
  throw unpackError(outcome.error);
}
