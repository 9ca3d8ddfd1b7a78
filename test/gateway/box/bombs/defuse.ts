/** Sends a bomb to a running box and watches what it costs: seconds, memory, and how long other requests wait. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bomb } from './bomb.ts';

export type Target = { url: string; key: string; pid: number };
export type Defused = {
  name: string;
  /** Until the box had said what it makes of it. */
  seconds: number;
  /** Growth of the box's resident memory at its highest. */
  peak_MB: number;
  /** The longest that a look at the box's health took meanwhile. */
  longest_wait_ms: number;
  /** HTTP status, for a document with what became of it. */
  outcome: string;
};

const WATCH_EVERY_MS = 40;
const GIVE_UP_MS = 60_000;

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
  let [peak, longest_ms, watching] = [before, 0, true];
  const loop = (async () => {
    while (watching) {
      const begun = performance.now();
      const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(GIVE_UP_MS) }).catch(() => null);
      const waited_ms = answer?.ok ? performance.now() - begun : GIVE_UP_MS;
      longest_ms = Math.max(longest_ms, waited_ms);
      await sleep(WATCH_EVERY_MS);
    }
  })();
  const look = setInterval(() => {
    peak = Math.max(peak, residentOf(pid));
  }, WATCH_EVERY_MS);
  return {
    async end() {
      watching = false;
      clearInterval(look);
      await loop;
      return { peak_MB: (peak - before) / 1000, longest_wait_ms: longest_ms };
    },
  };
}

/** In kB: the box and the processes of ours that it started; Postgres keeps out of this. */
function residentOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return [String(pid), ...children].reduce((sum, one) => sum + ownResidentOf(one), 0);
}

function ownResidentOf(pid: string): number {
  try {
    if (!/\bnode\b/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))) return 0;
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
