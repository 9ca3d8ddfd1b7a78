/** How fast a whole box answers for its forecasts over HTTP: from memory, from its store, and what it must compute. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startBox } from '../setup/box.ts';
import { makeKey } from './load/box.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'forecasts over HTTP from a box with the demo site: --requests 200 --explained 20 --train (models first)';

const START_MS = 240_000;
const SLOT_MS = 900_000;
const PUBLISHED_SLOTS = 36 * 4;
const SERIES = ['load', 'generation', 'price'] as const;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const [requests, explained] = [Number(options.requests ?? 200), Number(options.explained ?? 20)];
  const box = await startBox({ LUNA_DEMO: '1' });
  try {
    const key = await makeKey(box.home);
    const ask = asking(box.url, key);
    await forecastsThere(ask);
    if (options.train) progress(`trained: ${(await box.luna('train', 'models')).split('\n').length} runs`);
    const planning = [];
    for (const series of SERIES)
      planning.push((await ask(`/api/v1/forecast?series=${series}&horizon=planning`)).took_ms);
    progress(`thirty days, first asked for: ${planning.map(Math.round).join(', ')} ms`);
    const stored = await timed(requests, (k) => {
      // Before the newest was made: nothing of it is in memory.
      const at = new Date(Date.now() - 60_000 - k).toISOString();
      return ask(`/api/v1/forecast?series=${SERIES[k % 3]}&at=${at}`, undefined, [200, 404]);
    });
    const before = await rateOf(ask);
    // Prices are published for up to 35 hours, and nobody forecasts those.
    const ahead = (k: number, series = 'load') =>
      new Date(Date.now() + (1 + (k % 90) + (series === 'price' ? PUBLISHED_SLOTS : 0)) * SLOT_MS).toISOString();
    const cached = await timed(requests, (k) => {
      const series = SERIES[k % 3]!;
      if (k % 4 === 0) return ask(`/api/v1/forecast?series=${series}`);
      if (k % 4 === 1) return ask(`/forecast?series=${series}&at=${ahead(k, series)}`);
      if (k % 4 === 2) return ask('/api/v1/predict', { series, at: ahead(k, series) });
      return ask(`/api/v1/forecast?series=${series}&horizon=planning`);
    });
    const after = await rateOf(ask);
    const batch = await timed(Math.max(5, requests / 10), (k) =>
      ask('/api/v1/predict', {
        requests: Array.from({ length: 96 }, (_, i) => ({ series: 'load', at: ahead(i + k) })),
      }),
    );
    const told = await timed(explained, async (k) => {
      const series = SERIES[k % 3]!;
      const { body } = await ask('/api/v1/predict', { series, at: ahead(3 * k, series) });
      const { id } = body as { id: string };
      return ask(`/api/v1/explain/${id}?format=${k % 2 === 0 ? 'svg' : 'json'}`);
    });
    const uncached = [...stored, ...planning, ...told];
    return {
      cached_p95_ms: p95(cached),
      uncached_p95_ms: p95(uncached),
      ...{ stored_p95_ms: p95(stored), explain_p95_ms: p95(told), batch96_p95_ms: p95(batch) },
      planning_first_ms: Math.round(Math.max(...planning)),
      hit_rate:
        Math.round((1000 * (after.hit - before.hit)) / (after.hit + after.miss - before.hit - before.miss)) / 1000,
      requests,
    };
  } finally {
    await box.remove();
  }
}

type Answer = { body: unknown; took_ms: number };
type Ask = (path: string, body?: unknown, statuses?: readonly number[]) => Promise<Answer>;

function asking(url: string, key: string): Ask {
  const base = url.replace(/\/$/, '');
  return async (path, body, statuses = [200]) => {
    const began = performance.now();
    const answer = await fetch(base + path, {
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const took_ms = performance.now() - began;
    if (!statuses.includes(answer.status)) throw new Error(`${path}: ${answer.status} ${text.slice(0, 200)}`);
    return { body: text.startsWith('{') ? JSON.parse(text) : text, took_ms };
  };
}

async function forecastsThere(ask: Ask): Promise<void> {
  const until = performance.now() + START_MS;
  for (const series of SERIES)
    for (;;) {
      const found = await ask(`/api/v1/forecast?series=${series}`, undefined, [200, 404]);
      if ('points' in (found.body as object)) break;
      if (performance.now() > until) throw new Error(`no forecast of ${series} within ${START_MS / 1000} s`);
      await sleep(500);
    }
}

async function timed(count: number, work: (k: number) => Promise<Answer>): Promise<number[]> {
  const took: number[] = [];
  for (let k = 0; k < count; k++) took.push((await work(k)).took_ms);
  return took;
}

const p95 = (took: readonly number[]): number => {
  const sorted = [...took].sort((a, b) => a - b);
  return Math.round(10 * sorted[Math.min(sorted.length - 1, Math.floor(0.95 * sorted.length))]!) / 10;
};

async function rateOf(ask: Ask): Promise<{ hit: number; miss: number }> {
  const { body } = await ask('/metrics');
  const of = (outcome: string) =>
    Number(new RegExp(`luna_forecast_cache_total\\{outcome="${outcome}"\\} (\\d+)`).exec(String(body))?.[1] ?? 0);
  return { hit: of('hit'), miss: of('miss') };
}
