/** The embedded index at 100,000 passages: how fast it answers and starts, and how much memory it takes. */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Passage } from '../../engine/ports.ts';
import type { BenchOptions, BenchResult } from './options.ts';
import type { ScaleFigures, ScaleOrder } from './rag/scale-child.ts';
import { scaleData } from './rag/scale-data.ts';

export const about =
  'Retrieval among ObliQA and noisy copies: --chunks N (100000), --questions N (500), --seed N. Needs LUNA_BENCH_DATA.';

/** A law that is taken in while questions are asked. */
const INGESTED = 1500;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const data = process.env.LUNA_BENCH_DATA;
  if (!data) return { p95_ms: null, skipped: 'LUNA_BENCH_DATA does not point to the benchmark data' };
  const chunks = Number(options.chunks ?? 100_000);
  const count = Number(options.questions ?? 500);
  const seed = Number(options.seed ?? 1);
  const texts = evenly(scaleData(data, 1, seed).questions, count);
  const more = scaleData(data, Math.min(INGESTED, chunks), seed + 1).passages.map((one) => ({
    ...one,
    document: 'new',
  }));
  const figures: Record<string, ScaleFigures> = {};
  for (const vectors of [false, true]) {
    const dir = mkdtempSync(join(tmpdir(), 'luna-rag-scale-'));
    try {
      const order = { data, dir, chunks, seed, vectors, questions: count };
      await runPart({ ...order, part: 'build' }, [], []);
      progress(`${chunks} passages kept${vectors ? ' with vectors' : ''}`);
      const found = await runPart({ ...order, part: 'ask' }, texts, more);
      if (!found) throw new Error('no figures came back');
      figures[vectors ? 'vectors' : 'words'] = found;
      progress(JSON.stringify(found));
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
  const { words, vectors } = figures;
  const rounded = (value: number | undefined) => (value === undefined ? null : Math.round(value * 100) / 100);
  return {
    p95_ms: rounded(words?.p95_ms),
    p95_vectors_ms: rounded(vectors?.p95_ms),
    rss_mb: rounded(words?.rss_mb),
    rss_vectors_mb: rounded(vectors?.rss_mb),
    start_s: rounded(Math.max(words?.start_s ?? 0, vectors?.start_s ?? 0)),
    ingest_delay_max_ms: rounded(Math.max(words?.ingest_delay_max_ms ?? 0, vectors?.ingest_delay_max_ms ?? 0)),
    ...{ chunks, questions: texts.length },
  };
}

function evenly(all: readonly string[], count: number): string[] {
  const step = Math.max(1, Math.floor(all.length / count));
  return all.filter((_, i) => i % step === 0).slice(0, count);
}

function runPart(order: ScaleOrder, texts: readonly string[], more: readonly Passage[]): Promise<ScaleFigures | null> {
  return new Promise((done, fail) => {
    const child = fork(join(import.meta.dirname, 'rag/scale-child.ts'), {
      execArgv: ['--disable-warning=ExperimentalWarning', '--max-old-space-size=4096'],
    });
    child.once('message', ({ figures, error }: { figures: ScaleFigures | null; error?: string }) =>
      error ? fail(new Error(error)) : done(figures),
    );
    child.once('error', fail);
    child.once('exit', (code) => fail(new Error(`the part ${order.part} ended with ${code}`)));
    child.send({ order, texts, more });
  });
}
