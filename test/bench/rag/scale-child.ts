/** A process of its own for one part of the bench rag-scale, so that its memory is only its own: `build` or `ask`. */
import { createEmbeddedPassages } from '../../../connectors/passages/embedded/embedded.ts';
import type { Passage } from '../../../engine/ports.ts';
import { createHashingEmbedder, scaleData } from './scale-data.ts';

export type ScaleOrder = {
  part: 'build' | 'ask';
  data: string;
  dir: string;
  chunks: number;
  questions: number;
  seed: number;
  vectors: boolean;
};
export type ScaleFigures = { start_s: number; p95_ms: number; rss_mb: number; ingest_delay_max_ms: number };

const TENANT = 'bench';
const WEIGHT = 0.4;
const LIMIT = 10;
const WARM_UP = 20;
const PER_ADD = 1000;

async function build({ data, dir, chunks, seed, vectors }: ScaleOrder): Promise<void> {
  const { passages } = scaleData(data, chunks, seed);
  const index = createEmbeddedPassages({ dir, save_after_ms: 3_600_000 });
  const embed = createHashingEmbedder();
  for (let at = 0; at < passages.length; at += PER_ADD) {
    const some = passages.slice(at, at + PER_ADD);
    await index.add(TENANT, some, vectors ? { vectors: some.map(({ text }) => embed(text)) } : {});
  }
  await index.close();
}

/** The questions come from a file, so that the passages are only in the index. */
async function ask(order: ScaleOrder, texts: readonly string[], more: readonly Passage[]): Promise<ScaleFigures> {
  const embed = createHashingEmbedder();
  const queries = texts.map((text) => ({ text, ...(order.vectors ? { vector: embed(text), weight: WEIGHT } : {}) }));
  const began = performance.now();
  const index = createEmbeddedPassages({ dir: order.dir, save_after_ms: 3_600_000 });
  const first = await index.search(TENANT, queries[0] ?? 'start', LIMIT);
  const start_s = (performance.now() - began) / 1000;
  if (first.length === 0) throw new Error('the kept index finds nothing');
  for (const query of queries.slice(0, WARM_UP)) await index.search(TENANT, query, LIMIT);
  const times: number[] = [];
  for (const query of queries) {
    const asked = performance.now();
    await index.search(TENANT, query, LIMIT);
    times.push(performance.now() - asked);
  }
  times.sort((a, b) => a - b);
  const rss_mb = process.resourceUsage().maxRSS / 1024;
  const vectors = order.vectors ? { vectors: more.map(({ text }) => embed(text)) } : {};
  const delays = await askWhile(index.add(TENANT, more, vectors), async (n) => {
    await index.search(TENANT, queries[n % queries.length] ?? 'start', LIMIT);
  });
  return { start_s, p95_ms: times[Math.floor(0.95 * times.length)] ?? 0, rss_mb, ingest_delay_max_ms: delays };
}

/** The longest that a question waited while something was taken in. */
async function askWhile(ingest: Promise<void>, question: (n: number) => Promise<void>): Promise<number> {
  let done = false;
  const ended = ingest.finally(() => {
    done = true;
  });
  let longest = 0;
  for (let n = 0; !done; n += 1) {
    const asked = performance.now();
    await new Promise((next) => setImmediate(next));
    await question(n);
    longest = Math.max(longest, performance.now() - asked);
  }
  await ended;
  return longest;
}

process.once('message', (message: { order: ScaleOrder; texts: string[]; more: Passage[] }) => {
  const { order, texts, more } = message;
  const work = order.part === 'build' ? build(order) : ask(order, texts, more);
  work.then(
    (figures) => process.send?.({ figures: figures ?? null }, () => process.exit(0)),
    (error: Error) => process.send?.({ error: `${error.stack}` }, () => process.exit(1)),
  );
});
