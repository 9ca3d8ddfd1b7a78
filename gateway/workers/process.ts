/**
 * Tasks in processes of their own, for work on disks that may hang (a share whose server is away). A thread would not
 * do: threads of one process share the few that wait for its files, and a hung one cannot be ended.
 */
import { join } from 'node:path';
import { UnavailableError } from '../../engine/errors.ts';
import { unpackError } from './carried-error.ts';
import { type Child, startChild } from './child.ts';
import type { Workers } from './pool.ts';
import type { TaskOutcome } from './task.ts';

const TASK = /^[a-z][a-z0-9-]*$/;
const TIMEOUT_MS = 120_000;
const BOUNDS = { heap_MB: 1024, nice: 10 };

type Order = { file: string; input: unknown };

/** @param options `folder`: where the task files lie */
export function createTaskProcesses({ folder = import.meta.dirname }: { folder?: string } = {}): Workers {
  const running = new Set<Child<Order, TaskOutcome>>();
  return {
    async run<Output>(
      task: string,
      input: unknown,
      { signal, timeout_ms = TIMEOUT_MS }: { signal?: AbortSignal; timeout_ms?: number } = {},
    ): Promise<Output> {
      if (!TASK.test(task)) throw new Error(`${task} is no task`);
      signal?.throwIfAborted();
      const child = startChild<Order, TaskOutcome>('process-task.ts', [], BOUNDS);
      running.add(child);
      try {
        const outcome = await child.ask({ file: join(folder, `${task}.ts`), input }, { wait_ms: timeout_ms, signal });
        if (typeof outcome === 'object') {
          if ('error' in outcome) throw unpackError(outcome.error);
          return outcome.output as Output;
        }
        if (outcome === 'interrupted' && signal?.aborted) throw signal.reason;
        throw outcome === 'late' ? late(task, timeout_ms) : early(task, child);
      } finally {
        running.delete(child);
        // Whatever came of it.
        child.end();
      }
    },
    async close() {
      for (const child of running) child.end();
    },
  };
}

function late(task: string, timeout_ms: number): Error {
  const message = `${task} took longer than ${timeout_ms / 1000} s and was stopped.`;
  return Object.assign(new UnavailableError(message, 'Does its disk or share answer?'), { kind: 'slow' });
}

function early(task: string, { process, lastWords }: Child<Order, TaskOutcome>): Error {
  const message = `${task} ended early (${process.signalCode ?? process.exitCode ?? 'not started'})${lastWords()}.`;
  return Object.assign(new UnavailableError(message, 'Is the memory of the box used up?'), { kind: 'ended' });
}
