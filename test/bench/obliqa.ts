/** ObliQA (RegNLP): 40 rulebooks as passages, and questions with the passages that answer them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, inflateRawSync } from 'node:zlib';
import type { Passage, PassageIndex } from '../../engine/ports.ts';

export type GoldQuestion = { text: string; gold: ReadonlySet<string> };
type StoredPassage = { DocumentID: number; PassageID: string; Passage: string };
type StoredQuestion = { Question: string; Passages: StoredPassage[] };

/** The development questions only. */
export function readObliQA(data: string): { passages: Passage[]; questions: GoldQuestion[] } {
  const folder = join(data, 'regulation/qa');
  const texts = filesOfZip(readFileSync(join(folder, 'ObliQA_documents.zip')), /^Structured.*\.json$/);
  const passages = texts.flatMap((text) => (JSON.parse(text) as StoredPassage[]).map(passageOf));
  const stored = JSON.parse(
    gunzipSync(readFileSync(join(folder, 'ObliQA_dev.json.gz'))).toString(),
  ) as StoredQuestion[];
  const questions = stored.map(({ Question, Passages }) => ({ text: Question, gold: new Set(Passages.map(idOf)) }));
  return { passages, questions };
}

function idOf({ DocumentID, PassageID }: StoredPassage): string {
  return `${DocumentID}|${PassageID}`;
}

function passageOf(stored: StoredPassage): Passage {
  const text = stored.Passage;
  const place = { document: String(stored.DocumentID), document_title: '', version: '1', page: null, section: '' };
  return { id: idOf(stored), ...place, text, start: 0, end: text.length, language: 'en' };
}

export type Scores = { recall_at_10: number; map_at_10: number; query_p95_ms: number };

export async function scoreRetrieval(index: PassageIndex, questions: readonly GoldQuestion[]): Promise<Scores> {
  let [recall, precision] = [0, 0];
  const times: number[] = [];
  for (const { text, gold } of questions) {
    const begun = performance.now();
    const hits = await index.search('bench', text, 10);
    times.push(performance.now() - begun);
    let found = 0;
    let sum = 0;
    hits.forEach((hit, rank) => {
      if (!gold.has(hit.passage.id)) return;
      found += 1;
      sum += found / (rank + 1);
    });
    recall += found / gold.size;
    precision += sum / Math.min(10, gold.size);
  }
  times.sort((a, b) => a - b);
  const p95 = times[Math.floor(0.95 * times.length)] ?? 0;
  const n = questions.length;
  return { recall_at_10: recall / n, map_at_10: precision / n, query_p95_ms: p95 };
}

/** Just enough of the format (APPNOTE 4.3): the central directory, stored and deflated entries. */
function filesOfZip(zip: Buffer, name: RegExp): string[] {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  let at = zip.readUInt32LE(end + 16);
  const files: string[] = [];
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [method, size] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20)];
    const [names, extra, comment] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32)];
    const offset = zip.readUInt32LE(at + 42);
    if (name.test(zip.toString('utf8', at + 46, at + 46 + names))) {
      const start = offset + 30 + zip.readUInt16LE(offset + 26) + zip.readUInt16LE(offset + 28);
      const packed = zip.subarray(start, start + size);
      files.push((method === 0 ? packed : inflateRawSync(packed)).toString('utf8'));
    }
    at += 46 + names + extra + comment;
  }
  return files;
}
