/** Documents of a folder (.md .txt .html .docx .pdf, plain or gzip), read and indexed as the box does. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createEmbeddedPassages } from '../../../connectors/passages/embedded/embedded.ts';
import type { Passage, PassageIndex } from '../../../engine/ports.ts';
import { documentOfText } from '../../../engine/rag/document.ts';
import type { Language } from '../../../engine/rag/language.ts';
import { namePassages, type PassagePiece } from '../../../engine/rag/passages.ts';
import { type StoredText, unpackText } from '../../../gateway/document-text.ts';
import { formatOf, titleOf } from '../../../gateway/services/regulation/upload.ts';
import { createDocumentReader, type DocumentReader } from '../../../gateway/workers/document-reader.ts';

export const TENANT = 'bench';
export type Corpus = {
  index: PassageIndex;
  /** By name of the file without extensions. */
  texts: Map<string, StoredText>;
  passages: Map<string, Passage>;
};

const READ = /\.(md|txt|html?|docx|pdf)(\.gz)?$/i;

/** The file's own text is its id: `EnWG` of `EnWG.md.gz`. `path` is a folder or one file. */
export async function openCorpus(path: string, progress: (line: string) => void = () => {}): Promise<Corpus> {
  const corpus: Corpus = { index: createEmbeddedPassages(), texts: new Map(), passages: new Map() };
  const reader = createDocumentReader();
  const files = statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((name) => READ.test(name))
        .sort()
        .map((name) => join(path, name))
    : [path];
  try {
    for (const file of files) {
      const base = file.slice(file.lastIndexOf('/') + 1);
      const name = base.replace(READ, '');
      const raw = readFileSync(file);
      const bytes = new Uint8Array(base.endsWith('.gz') ? gunzipSync(raw) : raw);
      const plain = base.replace(/\.gz$/, '');
      const read = await readDocument(reader, plain, bytes);
      const of = { document: name, document_title: titleOf(undefined, plain), version: '1', language: read.language };
      const passages = namePassages(read.passages, of);
      await corpus.index.add(TENANT, passages);
      corpus.texts.set(name, read.stored);
      for (const passage of passages) corpus.passages.set(passage.id, passage);
      progress(`${base}: ${passages.length} passages`);
    }
  } finally {
    await reader.close();
  }
  return corpus;
}

type Read = { language: Language; passages: PassagePiece[]; stored: StoredText };

/** Texts here and at once; what is bounded in the box by a process of its own, there. */
async function readDocument(reader: DocumentReader, name: string, bytes: Uint8Array): Promise<Read> {
  const format = formatOf(name, bytes);
  if (format === 'markdown' || format === 'text') {
    const { text, ...read } = documentOfText(new TextDecoder().decode(bytes), format);
    return { ...read, stored: { text, pages: [] } };
  }
  const { text, ...read } = await reader.read({ bytes, format });
  return { ...read, stored: await unpackText(text) };
}
