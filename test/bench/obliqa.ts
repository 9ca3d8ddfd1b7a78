/** ObliQA (RegNLP): 40 rulebooks as passages, and questions with the passages that answer them. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, inflateRawSync } from 'node:zlib';
import type { Passage } from '../../engine/ports.ts';
import { meanQuality, type Quality, qualityOf } from '../../engine/rag/retrieval-quality.ts';
import type { Retriever } from '../../engine/rag/retriever.ts';

export type GoldQuestion = { text: string; gold: ReadonlySet<string> };
type StoredPassage = { DocumentID: number; PassageID: string; Passage: string };
type StoredQuestion = { Question: string; Passages: StoredPassage[] };

/** The development questions, or files of the same shape: questions as JSON, documents as JSON, a folder or a zip of them. */
export function readObliQA(
  data: string,
  files: { questions?: string; documents?: string } = {},
): { passages: Passage[]; questions: GoldQuestion[] } {
  const folder = join(data, 'regulation/qa');
  const texts = textsOf(files.documents ?? join(folder, 'ObliQA_documents.zip'));
  const passages = texts.flatMap((text) => (JSON.parse(text) as StoredPassage[]).map(passageOf));
  const stored = JSON.parse(
    plain(files.questions ?? join(folder, 'ObliQA_dev.json.gz')).toString(),
  ) as StoredQuestion[];
  const questions = stored.map(({ Question, Passages }) => ({ text: Question, gold: new Set(Passages.map(idOf)) }));
  return { passages, questions };
}

function textsOf(path: string): string[] {
  if (statSync(path).isDirectory())
    return readdirSync(path)
      .filter((name) => /\.json(\.gz)?$/.test(name))
      .sort()
      .map((name) => plain(join(path, name)).toString());
  return path.endsWith('.zip') ? filesOfZip(readFileSync(path), /^(?!__MACOSX).*\.json$/) : [plain(path).toString()];
}

function plain(path: string): Buffer {
  const bytes = readFileSync(path);
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
}

function idOf({ DocumentID, PassageID }: StoredPassage): string {
  return `${DocumentID}|${PassageID}`;
}

function passageOf(stored: StoredPassage): Passage {
  const text = stored.Passage;
  const place = { document: String(stored.DocumentID), document_title: '', version: '1', page: null, section: '' };
  return { id: idOf(stored), ...place, text, start: 0, end: text.length, language: 'en' };
}

export type Scores = Quality & { p95_ms: number };

export async function scoreRetrieval(retrieve: Retriever, questions: readonly GoldQuestion[]): Promise<Scores> {
  const each: Quality[] = [];
  const times: number[] = [];
  for (const { text, gold } of questions) {
    const begun = performance.now();
    const { hits } = await retrieve('bench', text, { limit: 10 });
    times.push(performance.now() - begun);
    const is = hits.map(({ passage }) => gold.has(passage.id));
    each.push(qualityOf(is, gold.size));
  }
  times.sort((a, b) => a - b);
  return { ...meanQuality(each), p95_ms: times[Math.floor(0.95 * times.length)] ?? 0 };
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
