/** A killed box leaves its postmaster running, and with it a `postmaster.pid` that stops the next start. */
import { execFile } from 'node:child_process';
import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Well within the time that closing the box may take. */
const GENTLE_MS = 2000;
const LOCKS = ['postmaster.pid', '.s.PGSQL.5432.lock', '.s.PGSQL.5432'];

/**
 * Ends the postmaster that a killed box left on this data folder, and no other process: a process id that went to
 * somebody else only costs the stale file. Call it only while holding LUNA_HOME (control socket).
 * @param marker an argument that our postmaster of this folder, and none other, was started with
 * @returns whether there was one
 */
export async function endLeftover(dataDir: string, marker: string): Promise<boolean> {
  const pidFile = join(dataDir, 'postmaster.pid');
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0]);
  // A dead one's files Postgres handles itself, with a look at the shared memory.
  if (!Number.isInteger(pid) || pid <= 1 || !send(pid, 0)) return false;
  if (await isPostmasterOf(pid, dataDir, marker)) {
    await endPostmaster(pid);
    return true;
  }
  // For Postgres the process id is in use, be it by somebody else or by a dead one whom nobody buried.
  for (const name of LOCKS) await rm(join(dataDir, name), { force: true });
  return false;
}

/** Fast shutdown, then the harder ways; resolves when the process is gone. */
export async function endPostmaster(pid: number): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (!send(pid, signal)) return;
    const deadline_ms = Date.now() + GENTLE_MS;
    while (Date.now() < deadline_ms) {
      if (!(await isAlive(pid))) return;
      await sleep(10);
    }
  }
}

async function isPostmasterOf(pid: number, dataDir: string, marker: string): Promise<boolean> {
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => null);
  const line = await commandLine(pid);
  if (!/postgres/.test(line)) return false;
  return cwd === null ? line.includes(marker) : cwd === (await realpath(dataDir));
}

async function commandLine(pid: number): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return run('ps', ['-o', 'args=', '-p', String(pid)]).then(
      ({ stdout }) => stdout,
      () => '',
    );
  }
}

/** A zombie is dead: whoever started it was killed, and the container's first process buries nobody. */
async function isAlive(pid: number): Promise<boolean> {
  if (!send(pid, 0)) return false;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return !/\) [ZX] /.test(stat);
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
