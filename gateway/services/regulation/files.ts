/** The files of a version: what was uploaded, its text and where the text stands on the pages. */
import type { FileStore } from '../../../engine/ports.ts';
import type { Segment } from '../../../engine/rag/flow.ts';
import { type StoredText, unpackLayout, unpackText } from '../../document-text.ts';

/** Texts of documents that were asked for last stay in memory. */
const TEXTS_KEPT = 8;

export type DocumentFiles = {
  writeOriginal(tenant: string, sha256: string, bytes: Uint8Array): Promise<void>;
  readOriginal(tenant: string, sha256: string): Promise<Uint8Array>;
  writeText(tenant: string, sha256: string, packed: { text: Uint8Array; layout: Uint8Array }): Promise<void>;
  text(tenant: string, sha256: string): Promise<StoredText>;
  layout(tenant: string, sha256: string): Promise<Segment[]>;
  remove(tenant: string, sha256: string): Promise<void>;
};

export function createDocumentFiles(files: FileStore): DocumentFiles {
  const texts = new Map<string, StoredText>();
  const name = (sha256: string, part: string) => `documents/${sha256}/${part}`;
  return {
    writeOriginal: (tenant, sha256, bytes) => files.write(tenant, name(sha256, 'original'), bytes),
    readOriginal: (tenant, sha256) => files.read(tenant, name(sha256, 'original')),
    async writeText(tenant, sha256, { text, layout }) {
      await files.write(tenant, name(sha256, 'layout.json.gz'), layout);
      await files.write(tenant, name(sha256, 'text.json.gz'), text);
      texts.delete(`${tenant} ${sha256}`);
    },
    async text(tenant, sha256) {
      const key = `${tenant} ${sha256}`;
      const known = texts.get(key) ?? (await unpackText(await files.read(tenant, name(sha256, 'text.json.gz'))));
      texts.delete(key);
      texts.set(key, known);
      for (const oldest of texts.keys()) {
        if (texts.size <= TEXTS_KEPT) break;
        texts.delete(oldest);
      }
      return known;
    },
    layout: async (tenant, sha256) => unpackLayout(await files.read(tenant, name(sha256, 'layout.json.gz'))),
    async remove(tenant, sha256) {
      texts.delete(`${tenant} ${sha256}`);
      for (const part of ['original', 'text.json.gz', 'layout.json.gz']) await files.remove(tenant, name(sha256, part));
    },
  };
}
