/**
 * Takes files of strangers apart in a process of its own, which is ended when it needs too much memory, stands still or
 * takes too long: a thread would take the box with it, because some files make the JavaScript engine abort. The process
 * gets no environment and may read nothing but the program and the folders it is given.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { InvalidDataError, UnavailableError } from '../../engine/errors.ts';
import { type CarriedError, unpackError } from './carried-error.ts';
import { type AskBounds, type Child, type Ended, startChild } from './child.ts';

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
      helper.process.once('exit', () => forget(helper));
    }
    helper.wake();
    return helper;
  }
  /** Makes room by ending a process that rests. */
  function retire(): boolean {
    const helper = idle.pop();
    if (helper) {
      all.delete(helper);
      helper.end();
    }
    return helper !== undefined;
  }
  function forget(helper: Helper): void {
    all.delete(helper);
    if (idle.includes(helper)) idle.splice(idle.indexOf(helper), 1);
    waiting.shift()?.();
  }
  function giveBack(helper: Helper, clean: boolean): void {
    if (!clean || closed || helper.growth_MB() > KEPT_GROWTH_MB) return void helper.end();
    idle.push(helper);
    helper.rest(IDLE_MS);
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
    const answer = await asked(helper, order, {
      growth_MB: limit_MB,
      wait_ms: Math.min(bounds.stall_ms, left_ms),
      signal,
    });
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

/** Only from a process that has started: what that takes is no fault of the file. */
async function asked(helper: Helper, order: Order, bounds: AskBounds): Promise<Answer | Ended> {
  if (await helper.started({ wait_ms: READY_MS, signal: bounds.signal })) return helper.ask(order, bounds);
  helper.end();
  return bounds.signal?.aborted ? 'interrupted' : 'late';
}

type Helper = Child<Order, Answer>;

function startHelper({ task, memory_MB }: BoundedOptions, files: readonly string[]): Helper {
  const readable = [...PROGRAM.map((name) => join(ROOT, name)), ...files];
  return startChild('bounded-child.ts', [join(import.meta.dirname, `${task}.ts`)], {
    ...{ heap_MB: memory_MB, locked: { readable, cwd: import.meta.dirname } },
  });
}

async function endOf({ process, end }: Helper): Promise<void> {
  const ended = process.exitCode !== null || process.signalCode !== null ? null : once(process, 'exit');
  end();
  process.ref();
  await ended;
}
