/** What may happen to the stores of a running appliance, one at a time and two at a time, while meters go on sending. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Part, Stack } from './stack.ts';

/** A server that is frozen is waited for first; then the page says so. */
const SLOW_MS = 15_000;

type How = 'killed' | 'paused' | 'restarted';
export type Fault = { how: How; stores: readonly string[] };

export const STORES = ['questdb', 'postgres', 'minio'] as const;
/** Each of them killed, paused and restarted, and each pair gone at once. */
export const FAULTS: readonly Fault[] = [
  ...(['killed', 'paused', 'restarted'] as const).flatMap((how) => STORES.map((store) => ({ how, stores: [store] }))),
  { how: 'killed', stores: ['questdb', 'postgres'] },
  { how: 'paused', stores: ['questdb', 'minio'] },
  { how: 'killed', stores: ['postgres', 'minio'] },
];

/** Long enough for every probe of the box to see it. */
const AWAY_MS = 12_000;
const BACK_WITHIN_MS = 90_000;
/** Pages that must answer whatever is away; one that needs Postgres may say that it does not work now (503). */
const PAGES = ['/healthz', '/sign-in'];

export type FaultOutcome = {
  /** From the store being well again to every part of the box being well. */
  recover_s: number;
  /** What the box said of its parts meanwhile. */
  said: string[];
  pages_down: string[];
};

/** @returns how the box took it. @throws where it is not whole again in time, or did not notice */
export async function suffer(stack: Stack, { how, stores }: Fault, key: string): Promise<FaultOutcome> {
  const all = [...stores];
  if (how === 'killed') await stack.compose('kill', '-s', 'KILL', ...all);
  if (how === 'paused') await stack.compose('pause', ...all);
  if (how === 'restarted') await stack.compose('restart', ...all);
  const said: string[] = [];
  const pages_down: string[] = [];
  if (how !== 'restarted') {
    await sleep(AWAY_MS);
    const parts = await stack.parts(key);
    said.push(...ill(parts).map(({ name, text }) => `${name}: ${text}`));
    pages_down.push(...(await pagesDown(stack)));
  }
  if (how === 'killed') await stack.compose('start', ...all);
  if (how === 'paused') await stack.compose('unpause', ...all);
  if (how !== 'paused') for (const store of all) await stack.well(store);
  const back_ms = performance.now();
  await untilWhole(stack, key);
  return { recover_s: Math.round((performance.now() - back_ms) / 100) / 10, said, pages_down };
}

const ill = (parts: readonly Part[]) => parts.filter(({ state }) => state !== 'ok');

/** Live values and pages come from memory; only what needs the store that is away may say so. */
async function pagesDown(stack: Stack): Promise<string[]> {
  const down: string[] = [];
  for (const path of PAGES) {
    const answer = await fetch(stack.url + path, { redirect: 'manual', signal: AbortSignal.timeout(SLOW_MS) }).catch(
      (error: Error) => error,
    );
    if (answer instanceof Error) down.push(`${path}: ${answer.message}`);
    else if (answer.status >= 500 && answer.status !== 503) down.push(`${path}: ${answer.status}`);
    else await answer.arrayBuffer();
  }
  return down;
}

async function untilWhole(stack: Stack, key: string): Promise<void> {
  const until_ms = performance.now() + BACK_WITHIN_MS;
  for (;;) {
    const parts = await stack.parts(key);
    // A copy of the backups that was under way is tried again some minutes later.
    const left = ill(parts).filter(({ name }) => name !== 'backups');
    if (parts.length > 0 && left.length === 0) return;
    if (performance.now() > until_ms)
      throw new Error(`the box is not whole again: ${JSON.stringify(parts.length > 0 ? left : 'no answer')}`);
    await sleep(200);
  }
}
