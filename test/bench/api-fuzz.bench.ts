/** Section 4: fuzzed requests of every route against a whole box in this process. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createFuzz, documentOf, FUZZED, type FuzzResult } from '../gateway/access/fuzz.ts';
import { seeded } from '../gateway/access/seeded.ts';
import { openWorld } from '../gateway/access/world.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'fuzzed requests a route: (--requests 10000 --seed N --only PART_OF_A_ROUTE --but PART_OF_A_ROUTE --shard 1/2 of the routes --state FILE to go on where it was ended)';

type State = { seed: number; requests: number; routes: Record<string, FuzzResult> };

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const { requests = '10000', seed = '1', only = '', but, shard = '1/1', state: file } = options;
  const [part, parts] = String(shard).split('/').map(Number) as [number, number];
  const state: State = { seed: Number(seed), requests: Number(requests), routes: {} };
  if (file && existsSync(file)) {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as State;
    if (kept.seed === state.seed && kept.requests === state.requests) state.routes = kept.routes;
  }
  const world = await openWorld();
  try {
    const document = await documentOf(world);
    for (const [n, rule] of FUZZED.entries()) {
      const isOurs = n % parts === part - 1;
      const isAsked = isOurs && rule.route.includes(only) && (but === undefined || !rule.route.includes(but));
      if (!isAsked || state.routes[rule.route]) continue;
      const fuzz = createFuzz(world, document, seeded(state.seed * 1000 + n), progress);
      const begun = performance.now();
      state.routes[rule.route] = await fuzz(rule, state.requests);
      if (file) writeFileSync(file, JSON.stringify(state));
      const { taken } = state.routes[rule.route]!;
      const each_ms = ((performance.now() - begun) / state.requests).toFixed(2);
      progress(`${rule.route}: ${each_ms} ms a request, ${Math.round((100 * taken) / state.requests)} % taken`);
    }
  } finally {
    await world.remove();
  }
  const all = Object.values(state.routes);
  const sum = (of: (one: FuzzResult) => number) => all.reduce((total, one) => total + of(one), 0);
  return {
    ...{ routes: all.length, requests: sum((one) => one.requests), server_errors: sum((one) => one.server_errors) },
    ...{ foreign_rows: sum((one) => one.foreign_rows), slow_over_5s: sum((one) => one.slow_over_5s) },
  };
}
