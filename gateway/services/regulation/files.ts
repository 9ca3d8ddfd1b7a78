/** The files of a version: what was uploaded, its text and where the text stands on the pages. */
import type { FileStore } from '../../../engine/ports.ts';
import type { Segment } from '../../../engine/rag/flow.ts';
import { type StoredText, unpackLayout, unpackText } from '../../document-text.ts';

/** Texts of documents that were asked for last stay in memory. */
const TEXTS_KEPT = 8;

export type DocumentFiles = {
  writeOriginal(tenant: string, sha256: string, bytes: Uint8Array): Promise<void>;
  readOriginal(tenant: string, sha256: string): Promise<Uint8Array>;
  /** What one reader made of a file stands beside what another made of it: an older one answers until it is replaced. */
  writeText(of: Reading, packed: { text: Uint8Array; layout: Uint8Array }): Promise<void>;
  /** Rejects NotFoundError while that reader has not read it. */
  text(of: Reading): Promise<StoredText>;
  layout(of: Reading): Promise<Segment[]>;
  removeText(of: Reading): Promise<void>;
  /** The original and what these readers made of it. */
  remove(tenant: string, sha256: string, readers: readonly (string | null)[]): Promise<void>;
};
/** `reader` null: one from before they had names. */
export type Reading = { tenant: string; sha256: string; reader: string | null };

export function createDocumentFiles(files: FileStore): DocumentFiles {
  const texts = new Map<string, StoredText>();
  const original = (sha256: string) => `documents/${sha256}/original`;
  const name = ({ sha256, reader }: Reading, part: string) =>
    `documents/${sha256}/${reader === null ? '' : `${reader}/`}${part}`;
  const keyOf = (of: Reading) => `${of.tenant} ${name(of, '')}`;
  async function removeText(of: Reading): Promise<void> {
    texts.delete(keyOf(of));
    for (const part of ['text.json.gz', 'layout.json.gz']) await files.remove(of.tenant, name(of, part));
  }
  return {
    writeOriginal: (tenant, sha256, bytes) => files.write(tenant, original(sha256), bytes),
    readOriginal: (tenant, sha256) => files.read(tenant, original(sha256)),
    async writeText(of, { text, layout }) {
      await files.write(of.tenant, name(of, 'layout.json.gz'), layout);
      await files.write(of.tenant, name(of, 'text.json.gz'), text);
      texts.delete(keyOf(of));
    },
    async text(of) {
      const key = keyOf(of);
      const known = texts.get(key) ?? (await unpackText(await files.read(of.tenant, name(of, 'text.json.gz'))));
      texts.delete(key);
      texts.set(key, known);
      for (const oldest of texts.keys()) {
        if (texts.size <= TEXTS_KEPT) break;
        texts.delete(oldest);
      }
      return known;
    },
    layout: async (of) => unpackLayout(await files.read(of.tenant, name(of, 'layout.json.gz'))),
    removeText,
    async remove(tenant, sha256, readers) {
      for (const reader of new Set(readers)) await removeText({ tenant, sha256, reader });
      await files.remove(tenant, original(sha256));
    },
  };
}
