/**
 * Starts, watches and ends a process of the box's own. Those that take strangers' files apart (bounded.ts) and those
 * that touch disks which may hang (process.ts) differ in their bounds only.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';

export type ChildBounds = {
  heap_MB: number;
  /** Lower than the box itself, which answers meters and browsers meanwhile: 1 to 19. */
  nice?: number;
  /** Locked in: no environment, nothing to write, and of files only these to read (`folder/*` is all below it). */
  locked?: { readable: readonly string[]; cwd: string };
};
/** What one question may take. */
export type AskBounds = {
  wait_ms: number;
  /** Growth of resident memory since `settle`. */
  growth_MB?: number;
  signal?: AbortSignal | undefined;
};
/** Why there is no answer; the process is ended then. */
export type Ended = 'memory' | 'late' | 'interrupted' | 'died';

export type Child<Order, Answer> = {
  readonly process: ChildProcess;
  /** Sends the order and waits for the next message, or ends the process. */
  ask(order: Order, bounds: AskBounds): Promise<Answer | Ended>;
  /** Waits for the first message: it has started. @returns false where it took longer, ended, or `signal` came first */
  started(bounds: Pick<AskBounds, 'wait_ms' | 'signal'>): Promise<boolean>;
  /** Resident memory above what it had when it had started. */
  growth_MB(): number;
  /** Ends it by itself after so long, and lets the box end before that. */
  rest(idle_ms: number): void;
  wake(): void;
  /** What it wrote before it ended, for a message. */
  lastWords(): string;
  /** Ends it at once. What waits for its answer is interrupted. A process that hangs in its disk goes when that lets go. */
  end(): void;
};

const WORDS_KEPT = 4000;
const WATCH_EVERY_MS = 10;

/** @param script file in this folder; `args` go to it */
export function startChild<Order, Answer>(
  script: string,
  args: readonly string[],
  { heap_MB, nice, locked }: ChildBounds,
): Child<Order, Answer> {
  const child = fork(join(import.meta.dirname, script), args, {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [
      `--max-old-space-size=${Math.ceil(heap_MB)}`,
      '--disable-warning=ExperimentalWarning',
      // What strangers' files leave behind is collected soon: it would count against the bound of their memory.
      ...(locked ? ['--max-semi-space-size=4', ...lockOf(locked.readable)] : []),
    ],
    ...(locked ? { env: {}, cwd: locked.cwd } : {}),
  });
  if (nice !== undefined) lower(child, nice);
  let words = '';
  let unwanted = false;
  let idle: NodeJS.Timeout | undefined;
  let start_MB = Number.POSITIVE_INFINITY;
  child.on('error', (error) => {
    words = `Error: ${error.message}`;
  });
  child.stderr?.on('data', (chunk) => {
    words = (words + String(chunk)).slice(-WORDS_KEPT);
  });
  const first = Promise.race([once(child, 'message'), once(child, 'close'), once(child, 'error')]).then(
    () => {
      start_MB = residentOf(child.pid);
    },
    () => {},
  );
  const growth_MB = () => residentOf(child.pid) - start_MB;
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;

  return {
    process: child,
    growth_MB,
    started: ({ wait_ms, signal }) => within(first, wait_ms, signal),
    lastWords: () => (/^\w*Error\b.*$/m.exec(words)?.[0] ?? '').replace(/^(?=.)/, ': '),
    async ask(order, { wait_ms, growth_MB: limit_MB = Number.POSITIVE_INFINITY, signal }) {
      const cleared: (() => void)[] = [];
      try {
        return await new Promise<Answer | Ended>((resolve) => {
          const end = (why: Ended) => {
            child.kill('SIGKILL');
            resolve(why);
          };
          const stop = () => end('interrupted');
          const died = () => resolve(signal?.aborted || unwanted ? 'interrupted' : whyDied(child));
          const late = setTimeout(() => end('late'), wait_ms);
          const watch = setInterval(() => growth_MB() > limit_MB && end('memory'), WATCH_EVERY_MS);
          if (limit_MB === Number.POSITIVE_INFINITY) clearInterval(watch);
          child.once('message', resolve).once('close', died).once('error', died);
          signal?.addEventListener('abort', stop, { once: true });
          cleared.push(
            () => child.off('message', resolve).off('close', died).off('error', died),
            () => signal?.removeEventListener('abort', stop),
            () => clearTimeout(late),
            () => clearInterval(watch),
          );
          if (signal?.aborted) return stop();
          if (hasEnded()) return died();
          child.send(order as object);
        });
      } finally {
        for (const clear of cleared) clear();
      }
    },
    rest(idle_ms) {
      idle = setTimeout(() => child.kill('SIGKILL'), idle_ms);
      idle.unref();
      letGo(child);
    },
    wake() {
      clearTimeout(idle);
      child.ref();
      child.channel?.ref();
    },
    end() {
      unwanted = true;
      if (!hasEnded()) child.kill('SIGKILL');
      letGo(child);
    },
  };
}

function lockOf(readable: readonly string[]): string[] {
  const reads = readable.map((path) => `--allow-fs-read=${path}`);
  return ['--disable-warning=SecurityWarning', '--permission', '--allow-worker', ...reads];
}

function lower(child: ChildProcess, nice: number): void {
  try {
    if (child.pid !== undefined) setPriority(child.pid, nice);
  } catch {
    // It has ended already, or the system does not allow it.
  }
}

/** The box need not wait for it. A pipe keeps a process alive as a socket does. */
function letGo(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
  (child.stderr as { unref?: () => void } | null)?.unref?.();
}

/** The engine aborts when its heap is full. */
function whyDied({ exitCode, signalCode }: ChildProcess): Ended {
  return signalCode === 'SIGABRT' || exitCode === 134 ? 'memory' : 'died';
}

/** @returns false where it took longer or `signal` came first. */
async function within(work: Promise<void>, limit_ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  const limit = AbortSignal.timeout(limit_ms);
  const stop = signal ? AbortSignal.any([signal, limit]) : limit;
  if (stop.aborted) return false;
  return Promise.race([work.then(() => true), once(stop, 'abort').then(() => false)]);
}

/** Resident memory of a process; 0 where the system does not tell (the bound on its heap holds there). */
function residentOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1000;
  } catch {
    return 0;
  }
}
