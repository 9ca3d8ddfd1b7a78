/** Random searches by many tenants in one index: none may find what is another's, whatever was asked before. */
import { createEmbeddedPassages } from '../../connectors/passages/embedded/embedded.ts';
import type { Passage, PassageIndex } from '../../engine/ports.ts';
import { createRetriever } from '../../engine/rag/retriever.ts';
import { createRandom, type Random } from '../../engine/random.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'Foreign passages in random searches: --searches N (100000), --tenants N (12), --seed N. Errors and the texts of hits count too.';

const WORDS =
  'grid meter tariff battery charge operator supplier connection network fee levy reading storage plant section notice limit power price contract Netzentgelt Zähler Speicher Betreiber Anschluss Strom Umlage Frist Anlage Steuer Messung Vertrag Lieferant Abrechnung'.split(
    ' ',
  );
const DOCUMENTS = 6;
const PASSAGES = 8;
const DIMENSIONS = 16;
const CHANGE_EVERY = 250;

/** Stands in every passage of the tenant, and nowhere else. */
const secretOf = (tenant: string) => `secret${tenant}end`;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const searches = Number(options.searches ?? 100_000);
  const tenants = Array.from({ length: Number(options.tenants ?? 12) }, (_, n) => `tenant${n}`);
  const random = createRandom(Number(options.seed ?? 1));
  const index = createEmbeddedPassages();
  for (const tenant of tenants) for (let n = 0; n < DOCUMENTS; n += 1) await addDocument(index, tenant, n, random);
  const retrieve = createRetriever({ index, weight: async () => 0.4, embedder: () => embedderOf(random) });
  let foreign = 0;
  for (let n = 0; n < searches; n += 1) {
    const tenant = pick(tenants, random);
    if (n % CHANGE_EVERY === 0) await change(index, tenant, random);
    foreign += await foreignIn(index, retrieve, tenant, questionOf(tenants, random), random);
    if (n % 20_000 === 0) progress(`${n} searches, ${foreign} foreign`);
  }
  await index.close();
  return { searches, foreign };
}

/** Every letter that came back is looked through for another tenant's secret. */
async function foreignIn(
  index: PassageIndex,
  retrieve: ReturnType<typeof createRetriever>,
  tenant: string,
  question: string,
  random: Random,
): Promise<number> {
  const found = await (random() < 0.5
    ? retrieve(tenant, question, { limit: 1 + Math.floor(10 * random()) })
    : index.search(tenant, { text: question, versions: new Map([[`d${Math.floor(6 * random())}`, '1']]) }, 10)
  ).catch((error: Error) => ({ error: `${error.stack}` }));
  const rest = JSON.stringify(found).replaceAll(secretOf(tenant), '');
  return rest.includes('secrettenant') ? 1 : 0;
}

function questionOf(tenants: readonly string[], random: Random): string {
  const words = Array.from({ length: 1 + Math.floor(6 * random()) }, () => pick(WORDS, random));
  // Half of them ask for another's secret by name.
  if (random() < 0.5) words.push(secretOf(pick(tenants, random)));
  if (random() < 0.2) words.push(`§ ${1 + Math.floor(9 * random())}`);
  return words.join(' ');
}

async function change(index: PassageIndex, tenant: string, random: Random): Promise<void> {
  const n = Math.floor(DOCUMENTS * random());
  if (random() < 0.3) await index.remove(tenant, `d${n}`);
  else await addDocument(index, tenant, n, random);
}

/** Ids are the same for all tenants, as when they upload the same files. */
async function addDocument(index: PassageIndex, tenant: string, n: number, random: Random): Promise<void> {
  const passages = Array.from({ length: PASSAGES }, (_, i): Passage => {
    const text = `${secretOf(tenant)} ${Array.from({ length: 20 }, () => pick(WORDS, random)).join(' ')}`;
    const language = n % 2 === 0 ? 'en' : 'de';
    const place = { section: `§ ${i + 1} ${secretOf(tenant)}`, page: i + 1, start: 0, end: text.length };
    return { id: `d${n}:1:${i}`, document: `d${n}`, document_title: 'Act', version: '1', ...place, text, language };
  });
  await index.add(tenant, passages, { vectors: passages.map(() => vectorOf(random)) });
}

function embedderOf(random: Random) {
  return { embed: async (texts: readonly string[]) => texts.map(() => vectorOf(random)) };
}

function vectorOf(random: Random): Float32Array {
  const vector = Float32Array.from({ length: DIMENSIONS }, () => random() - 0.5);
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return vector.map((value) => value / length);
}

function pick<One>(all: readonly One[], random: Random): One {
  return all[Math.floor(random() * all.length)] as One;
}
