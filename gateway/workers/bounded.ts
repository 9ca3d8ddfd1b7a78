/**
 * Takes files of strangers apart in a process of its own, which is ended when it needs too much memory, stands still or
 * takes too long: a thread would take the box with it, because some files make the JavaScript engine abort. The process
 * gets no environment and may read nothing but the program and the folders it is given.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InvalidDataError, UnavailableError } from '../../engine/errors.ts';
import { type CarriedError, unpackError } from './carried-error.ts';

export type Bounds = {
  /** Growth of the process's resident memory. */
  memory_MB: number;
  /** What each item adds to that: a long file may need more than a short one, once it has shown its length. */
  memory_per_item_MB?: number;
  /** Until the next item. */
  stall_ms: number;
  /** Of work altogether; time in which nobody asks for the next item does not count. */
  timeout_ms: number;
};
export type BoundedOptions = Bounds & {
  /** File in this folder whose default export is a generator: input in, items out. */
  task: string;
  /** Processes at once; orders wait for a free one. */
  at_once?: number;
  /** What people can do about a file that is too much. */
  remedy: string;
};

export type Bounded<Input, Item> = {
  /** @throws InvalidDataError for a file that is malformed or too much, UnavailableError when `signal` ended it. */
  /** `readable`: files that the process may read besides the program; it is not used again then. */
  run(input: Input, options?: { signal?: AbortSignal; readable?: readonly string[] }): AsyncGenerator<Item, void>;
  close(): Promise<void>;
};

export type Order = { input: unknown } | { next: true };
export type Answer = { ready: true } | { item: unknown } | { done: true } | { error: CarriedError };

const ROOT = join(import.meta.dirname, '../..');
/** What a process may read besides the file: the program, nothing that the box keeps. */
const PROGRAM = ['engine/*', 'connectors/*', 'gateway/*', 'recommender/*', 'node_modules/*', 'package.json'];
const READY_MS = 20_000;
const WORDS_KEPT = 4000;
const WATCH_EVERY_MS = 10;
const IDLE_MS = 10_000;
/** A process that has grown is not kept: the next file starts from little memory again. */
const KEPT_GROWTH_MB = 60;

export function createBounded<Input, Item>(options: BoundedOptions): Bounded<Input, Item> {
  const { at_once = 1 } = options;
  const idle: Helper[] = [];
  const all = new Set<Helper>();
  const waiting: (() => void)[] = [];
  let closed = false;

  async function acquire(readable: readonly string[] | undefined): Promise<Helper> {
    while (all.size >= at_once && (readable || idle.length === 0) && !retire())
      await new Promise<void>((go) => waiting.push(go));
    if (closed) throw new UnavailableError('The box is closing.', 'It goes on when the box has started again.');
    const known = readable ? undefined : idle.pop();
    const helper = known ?? startHelper(options, readable ?? []);
    if (!known) {
      all.add(helper);
      helper.child.once('exit', () => forget(helper));
    }
    helper.wake();
    return helper;
  }
  /** Makes room by ending a process that rests. */
  function retire(): boolean {
    const helper = idle.pop();
    if (helper) {
      all.delete(helper);
      helper.child.kill('SIGKILL');
    }
    return helper !== undefined;
  }
  function forget(helper: Helper): void {
    all.delete(helper);
    if (idle.includes(helper)) idle.splice(idle.indexOf(helper), 1);
    waiting.shift()?.();
  }
  function giveBack(helper: Helper, clean: boolean): void {
    if (!clean || closed || helper.growth_MB() > KEPT_GROWTH_MB) return void helper.child.kill('SIGKILL');
    idle.push(helper);
    helper.rest();
    waiting.shift()?.();
  }

  return {
    async *run(input, { signal, readable } = {}) {
      const helper = await acquire(readable);
      let clean = false;
      try {
        yield* work<Item>(helper, input, options, signal, () => {
          clean = readable === undefined;
        });
      } finally {
        giveBack(helper, clean);
      }
    },
    async close() {
      closed = true;
      for (const go of waiting.splice(0)) go();
      await Promise.all([...all].map(endOf));
    },
  };
}

/** @param onEnd called when the process itself has said that it is done, be it with a fault of the file */
async function* work<Item>(
  helper: Helper,
  input: unknown,
  bounds: BoundedOptions,
  signal: AbortSignal | undefined,
  onEnd: () => void,
): AsyncGenerator<Item, void> {
  let order: Order = { input };
  let items = 0;
  let left_ms = bounds.timeout_ms;
  for (;;) {
    const begun = performance.now();
    const limit_MB = bounds.memory_MB + (bounds.memory_per_item_MB ?? 0) * items;
    const answer = await asked(helper, order, { limit_MB, wait_ms: Math.min(bounds.stall_ms, left_ms), signal });
    left_ms -= performance.now() - begun;
    if (answer === 'memory')
      throw new InvalidDataError(`Reading needed more than ${Math.round(limit_MB)} MB and was stopped.`, bounds.remedy);
    if (answer === 'late')
      throw new InvalidDataError(
        `Reading took longer than ${spent(bounds, left_ms)} s and was stopped.`,
        bounds.remedy,
      );
    if (answer === 'died')
      throw new InvalidDataError(`The process that reads it broke off${helper.lastWords()}.`, bounds.remedy);
    if (answer === 'interrupted')
      throw new UnavailableError('Reading was interrupted.', 'It goes on when the box has started again.');
    if (!('item' in answer)) onEnd();
    if ('error' in answer) throw unpackError(answer.error);
    if (!('item' in answer)) return;
    yield answer.item as Item;
    items++;
    order = { next: true };
  }
}

function spent({ stall_ms, timeout_ms }: Bounds, left_ms: number): number {
  return (left_ms <= 0 ? timeout_ms : stall_ms) / 1000;
}

type Ended = 'memory' | 'late' | 'interrupted' | 'died';

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

type Limits = { limit_MB: number; wait_ms: number; signal: AbortSignal | undefined };

/** Sends the order and waits for its answer, or ends the process. */
async function asked(helper: Helper, order: Order, { limit_MB, wait_ms, signal }: Limits) {
  const { child } = helper;
  if (!(await within(helper.ready, READY_MS, signal))) {
    child.kill('SIGKILL');
    return signal?.aborted ? 'interrupted' : 'late';
  }
  let timers: NodeJS.Timeout[] = [];
  const cleared: (() => void)[] = [];
  try {
    return await new Promise<Answer | Ended>((resolve) => {
      const end = (why: Ended) => {
        child.kill('SIGKILL');
        resolve(why);
      };
      const stop = () => end('interrupted');
      const died = () => resolve(signal?.aborted || helper.unwanted ? 'interrupted' : whyDied(child));
      timers = [
        setTimeout(() => end('late'), wait_ms),
        setInterval(() => helper.growth_MB() > limit_MB && end('memory'), WATCH_EVERY_MS),
      ];
      child.once('message', resolve).once('close', died);
      signal?.addEventListener('abort', stop, { once: true });
      cleared.push(
        () => child.off('message', resolve).off('close', died),
        () => signal?.removeEventListener('abort', stop),
      );
      if (signal?.aborted) return stop();
      if (child.exitCode !== null || child.signalCode !== null) return died();
      child.send(order);
    });
  } finally {
    for (const timer of timers) clearTimeout(timer);
    for (const clear of cleared) clear();
  }
}

type Helper = {
  child: ChildProcess;
  ready: Promise<void>;
  /** Resident memory above what it had when it was ready. */
  growth_MB(): number;
  rest(): void;
  wake(): void;
  /** What it wrote before it ended, for a message. */
  lastWords(): string;
  /** It ends because the box closes. */
  unwanted: boolean;
};

function startHelper({ task, memory_MB }: BoundedOptions, readable: readonly string[]): Helper {
  const file = join(import.meta.dirname, `${task}.ts`);
  const allowed = [...PROGRAM.map((name) => join(ROOT, name)), ...readable];
  const child = fork(join(import.meta.dirname, 'bounded-child.ts'), [file], {
    serialization: 'advanced',
    env: {},
    cwd: dirname(file),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [
      `--max-old-space-size=${Math.ceil(memory_MB)}`,
      '--disable-warning=SecurityWarning',
      '--permission',
      '--allow-worker',
      ...allowed.map((path) => `--allow-fs-read=${path}`),
    ],
  });
  let idle: NodeJS.Timeout | undefined;
  let start_MB = Number.POSITIVE_INFINITY;
  const ready = Promise.race([once(child, 'message'), once(child, 'exit')]).then(() => {
    start_MB = residentOf(child.pid);
  });
  child.on('error', () => {});
  let words = '';
  child.stderr?.on('data', (chunk) => {
    words = (words + String(chunk)).slice(-WORDS_KEPT);
  });
  return {
    child,
    ready,
    unwanted: false,
    growth_MB: () => residentOf(child.pid) - start_MB,
    lastWords: () => (/^\w*Error\b.*$/m.exec(words)?.[0] ?? '').replace(/^(?=.)/, ': '),
    rest: () => {
      idle = setTimeout(() => child.kill('SIGKILL'), IDLE_MS);
      idle.unref();
      child.unref();
      child.channel?.unref();
      unrefStream(child.stderr);
    },
    wake: () => {
      clearTimeout(idle);
      child.ref();
      child.channel?.ref();
    },
  };
}

async function endOf(helper: Helper): Promise<void> {
  const { child } = helper;
  helper.unwanted = true;
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.ref();
  child.kill('SIGKILL');
  await ended;
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

/** A pipe keeps a process alive as a socket does. */
function unrefStream(stream: ChildProcess['stderr']): void {
  (stream as { unref?: () => void } | null)?.unref?.();
}
