/** Progress of a bench that takes hours: written after each step, so that an interrupted run goes on. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** What a bench may keep: nothing that JSON does not. */
export type Progress<State> = { state: State; save(): void };

/**
 * Reads the file that `--state` names, where there is one of the same bench and seed.
 * @throws when the file is of another run, so that figures of two runs are not mixed
 */
export function openProgress<State extends object>(
  path: string | undefined,
  run: string,
  fresh: State,
): Progress<State> {
  if (path === undefined) return { state: fresh, save: () => {} };
  let state = fresh;
  if (existsSync(path)) {
    const kept = JSON.parse(readFileSync(path, 'utf8')) as { run: string; state: State };
    if (kept.run !== run)
      throw new Error(`${path} keeps the progress of "${kept.run}", not of "${run}": remove it first`);
    state = kept.state;
  }
  const progress: Progress<State> = {
    state,
    save() {
      writeFileSync(`${path}.tmp`, JSON.stringify({ run, state: progress.state }));
      renameSync(`${path}.tmp`, path);
    },
  };
  return progress;
}
