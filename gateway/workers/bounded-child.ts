/** The process that takes strangers' files apart: one order at a time, an item whenever the box asks for the next. */
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Answer, Order } from './bounded.ts';
import { packError } from './carried-error.ts';

type Task = { default(input: unknown): AsyncGenerator<unknown> | Generator<unknown> };

const task = (await import(pathToFileURL(process.argv[2] ?? '').href)) as Task;
let items: AsyncGenerator<unknown> | Generator<unknown> | null = null;

process.on('message', async (order: Order) => {
  if ('input' in order) items = task.default(order.input);
  tell(await nextOf());
});
// The box is gone: nobody waits for what is read here.
process.on('disconnect', () => process.exit(0));
// A file that keeps this thread busy for ever would not let it hear that.
const watchdog = new Worker(
  `setInterval(() => process.ppid === ${process.ppid} || process.kill(process.pid, 'SIGKILL'), 500)`,
  {
    ...{ eval: true, stderr: true, resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 2 } },
  },
);
watchdog.unref();
await new Promise((done) => watchdog.once('online', done));
tell({ ready: true });

async function nextOf(): Promise<Answer> {
  try {
    const { done, value } = (await items?.next()) ?? { done: true, value: undefined };
    return done ? { done: true } : { item: value };
  } catch (error) {
    return { error: packError(error) };
  }
}

function tell(answer: Answer): void {
  process.send?.(answer);
}
