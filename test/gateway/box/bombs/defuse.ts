/** Sends a bomb to a running box and watches what it costs: seconds, memory, and how long other requests wait. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bomb } from './bomb.ts';

export type Target = { url: string; key: string; pid: number };
export type Defused = {
  name: string;
  /** Until the box had said what it makes of it. */
  seconds: number;
  /** Growth of the box's resident memory at its highest, with the processes that read for it. */
  peak_MB: number;
  /** Processes that worked on it and are still there. */
  helpers_left: number;
  /** The longest that a look at the box's health took meanwhile. */
  longest_wait_ms: number;
  /** HTTP status, for a document with what became of it. */
  outcome: string;
};

const WATCH_EVERY_MS = 40;
const LOOK_EVERY_MS = 5;
const GIVE_UP_MS = 60_000;
/** One that grew by this read the bomb; others rest after an earlier file. */
const WORKED_kB = 20_000;

export async function defuse({ url, key, pid }: Target, bomb: Bomb): Promise<Defused> {
  const headers = { authorization: `Bearer ${key}` };
  const watch = await watchBox({ url, key, pid });
  const begun = performance.now();
  const answer = await fetch(url + bomb.path, {
    method: 'POST',
    body: bomb.body instanceof FormData ? bomb.body : Buffer.from(bomb.body),
    headers: { ...headers, ...(bomb.type ? { 'content-type': bomb.type } : {}) },
    signal: AbortSignal.timeout(GIVE_UP_MS),
  });
  const text = await answer.text();
  let outcome = `${answer.status} ${text.slice(0, 200)}`;
  if (bomb.document && answer.ok) {
    const { id } = JSON.parse(text) as { id: string };
    outcome = `${answer.status} ${await stateOf(url, headers, id)}`;
    await fetch(`${url}/api/v1/documents/${id}`, { method: 'DELETE', headers });
  }
  const seconds = (performance.now() - begun) / 1000;
  return { name: bomb.name, seconds, ...(await watch.end()), outcome };
}

/** Waits until the document is ready or refused. */
async function stateOf(url: string, headers: Record<string, string>, id: string): Promise<string> {
  const until = performance.now() + GIVE_UP_MS;
  while (performance.now() < until) {
    const answer = await fetch(`${url}/api/v1/documents`, { headers });
    const { documents } = (await answer.json()) as {
      documents: { id: string; state: string; reason: string | null }[];
    };
    const found = documents.find((document) => document.id === id);
    if (found && (found.state === 'ready' || found.state === 'refused')) return `${found.state} ${found.reason ?? ''}`;
    await sleep(50);
  }
  return 'never read';
}

async function watchBox({ url, pid }: Target) {
  const before = residentOf(pid);
  // From here on the highest of the box itself is counted anew (proc_pid_clear_refs(5)).
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const helpers = new Map(helpersOf(pid).map((helper) => [helper, { from: residentOf(helper), peak: 0 }]));
  let [longest_ms, watching] = [0, true];
  const look = setInterval(() => {
    for (const helper of helpersOf(pid)) {
      const known = helpers.get(helper) ?? { from: 0, peak: 0 };
      helpers.set(helper, { ...known, peak: Math.max(known.peak, highestOf(helper)) });
    }
  }, LOOK_EVERY_MS);
  const loop = (async () => {
    while (watching) {
      const begun = performance.now();
      const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(GIVE_UP_MS) }).catch(() => null);
      longest_ms = Math.max(longest_ms, answer?.ok ? performance.now() - begun : GIVE_UP_MS);
      await sleep(WATCH_EVERY_MS);
    }
  })();
  return {
    async end() {
      watching = false;
      clearInterval(look);
      await loop;
      const grown = [...helpers.values()].reduce((sum, { from, peak }) => sum + Math.max(0, peak - from), 0);
      return {
        peak_MB: (highestOf(pid) - before + grown) / 1000,
        longest_wait_ms: longest_ms,
        helpers_left: helpersOf(pid).filter((helper) => {
          const { from, peak } = helpers.get(helper) ?? { from: 0, peak: 0 };
          return peak - from > WORKED_kB;
        }).length,
      };
    },
  };
}

/** The processes of the box that read uploads. */
function helpersOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.map(Number).filter((child) => /bounded-child/.test(textOf(`/proc/${child}/cmdline`)));
}

/** In kB; 0 for a process that is gone. */
function residentOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0);
}

function highestOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
