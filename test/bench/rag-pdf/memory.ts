/** Resident memory of this process and of those it started, as the kernel counts it. */
import { readdirSync, readFileSync } from 'node:fs';

/** Megabytes; of this process alone where there is no /proc. */
export function residentMb(): number {
  try {
    return familyOf(process.pid).reduce((sum, pid) => sum + residentOf(pid), 0);
  } catch {
    return process.memoryUsage.rss() / 1e6;
  }
}

/** Looks every `every_ms`; the answer is by how much memory grew at its highest. */
export function watchGrowth(every_ms = 50): () => number {
  const before = residentMb();
  let highest = before;
  const timer = setInterval(() => {
    highest = Math.max(highest, residentMb());
  }, every_ms);
  return () => {
    clearInterval(timer);
    return Math.max(highest, residentMb()) - before;
  };
}

function familyOf(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(familyOf)];
}

/** A process that has just ended holds nothing. */
function residentOf(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1000;
  } catch {
    return 0;
  }
}
