/** What runs in a worker thread: loads the task's file once and carries errors over with their class and remedy. */
import { pathToFileURL } from 'node:url';
import { type CarriedError, packError } from './carried-error.ts';

type Order = { file: string; input: unknown };
type TaskModule = { default: (input: unknown) => unknown };
export type TaskOutcome = { output: unknown } | { error: CarriedError };

export default async function runTask({ file, input }: Order): Promise<TaskOutcome> {
  try {
    const task = (await import(pathToFileURL(file).href)) as TaskModule;
    return { output: await task.default(input) };
  } catch (error) {
    return { error: packError(error) };
  }
}
