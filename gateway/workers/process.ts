/**
 * Tasks in processes of their own, for work on disks that may hang (a share whose server is away). A thread would not
 * do: threads of one process share the few that wait for its files, and a hung one cannot be ended.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { UnavailableError } from '../../engine/errors.ts';
import type { Workers } from '../services.ts';
import { unpackError } from './carried-error.ts';
import type { TaskOutcome } from './task.ts';

const TASK = /^[a-z][a-z0-9-]*$/;
const TIMEOUT_MS = 120_000;
const HEAP_MB = 1024;
/** Below the box itself, which answers meters and browsers meanwhile. */
const NICE = 10;

/** @param options `folder`: where the task files lie */
export function createTaskProcesses({ folder = import.meta.dirname }: { folder?: string } = {}): Workers {
  const running = new Set<ChildProcess>();
  return {
    run<Output>(
      task: string,
      input: unknown,
      { signal, timeout_ms = TIMEOUT_MS }: { signal?: AbortSignal; timeout_ms?: number } = {},
    ): Promise<Output> {
      if (!TASK.test(task)) return Promise.reject(new Error(`${task} is no task`));
      if (signal?.aborted) return Promise.reject(signal.reason);
      const child = start();
      running.add(child);
      child.once('exit', () => running.delete(child));
      child.send({ file: join(folder, `${task}.ts`), input });
      return outcomeOf<Output>(child, { task, timeout_ms, ...(signal && { signal }) });
    },
    async close() {
      for (const child of running) child.kill('SIGKILL');
    },
  };
}

function start(): ChildProcess {
  const child = fork(join(import.meta.dirname, 'process-task.ts'), [], {
    serialization: 'advanced',
    execArgv: ['--disable-warning=ExperimentalWarning', `--max-old-space-size=${HEAP_MB}`],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  try {
    if (child.pid !== undefined) setPriority(child.pid, NICE);
  } catch {
    // It has ended already, or the system does not allow it.
  }
  return child;
}

type Limits = { task: string; timeout_ms: number; signal?: AbortSignal };

/** The process is ended whatever came of it; one that hangs in the kernel ends when its disk lets go of it. */
function outcomeOf<Output>(child: ChildProcess, { task, timeout_ms, signal }: Limits): Promise<Output> {
  return new Promise<Output>((resolve, reject) => {
    const settle = (work: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      child.kill('SIGKILL');
      child.unref();
      work();
    };
    const fail = (message: string, remedy: string, kind: string) =>
      settle(() => reject(Object.assign(new UnavailableError(message, remedy), { kind })));
    const aborted = () => settle(() => reject(signal?.reason));
    const late = () =>
      fail(
        `${task} took longer than ${timeout_ms / 1000} s and was stopped.`,
        'Does its disk or share answer?',
        'slow',
      );
    const timer = setTimeout(late, timeout_ms);
    signal?.addEventListener('abort', aborted, { once: true });
    child.once('message', (outcome: TaskOutcome) =>
      settle(() => ('output' in outcome ? resolve(outcome.output as Output) : reject(unpackError(outcome.error)))),
    );
    child.once('error', (error) => fail(`${task} could not be run: ${error.message}`, 'Try again later.', 'ended'));
    child.once('exit', (code, by) =>
      fail(`${task} ended early (${by ?? code}).`, 'Is the memory of the box used up?', 'ended'),
    );
  });
}
