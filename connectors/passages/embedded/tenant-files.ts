/** One file a tenant with its rankings; written whole or not at all, some time after the last change and at the end. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createRanking } from '../../../engine/rag/bm25.ts';
import type { Rankings } from './embedded.ts';
import { packRankings, unpackRankings } from './ranking-file.ts';
import { turn, WORDS_PER_TURN } from './turns.ts';

export type TenantFiles = {
  has(tenant: string): Promise<boolean>;
  /** null where there is none, or it is damaged or of another format: it is made anew then. */
  load(tenant: string): Promise<Rankings | null>;
  save(tenant: string, rankings: Rankings): Promise<void>;
  remove(tenant: string): Promise<void>;
  /** Calls `save` some time after the last change. */
  later(tenant: string, save: () => Promise<void>): void;
  /** Writes what still waits. */
  close(save: (tenant: string) => Promise<void>): Promise<void>;
};

const SAVE_AFTER_MS = 20_000;

export function createTenantFiles(options: {
  dir: string;
  save_after_ms?: number;
  onFault?: (error: Error, tenant: string) => void;
}): TenantFiles {
  const { dir, save_after_ms = SAVE_AFTER_MS, onFault = () => {} } = options;
  const waiting = new Map<string, NodeJS.Timeout>();
  const pathOf = (tenant: string) => join(dir, `${createHash('sha256').update(tenant).digest('hex')}.index`);

  return {
    has: (tenant) =>
      stat(pathOf(tenant)).then(
        () => true,
        () => false,
      ),
    async load(tenant) {
      const bytes = await readFile(pathOf(tenant)).catch(() => null);
      if (!bytes) return null;
      try {
        const { en, de } = await unpackRankings(bytes, tenant, turn);
        await turn();
        const english = createRanking('en', en);
        await turn();
        const rankings = { en: english, de: createRanking('de', de) };
        for (const ranking of Object.values(rankings)) while (!ranking.settle(WORDS_PER_TURN)) await turn();
        return rankings;
      } catch (error) {
        onFault(error as Error, tenant);
        return null;
      }
    },
    async save(tenant, rankings) {
      const pieces = packRankings({ en: rankings.en.stored(), de: rankings.de.stored() }, tenant);
      await writeWhole(dir, pathOf(tenant), pieces).catch((error: Error) => onFault(error, tenant));
    },
    async remove(tenant) {
      clearTimeout(waiting.get(tenant));
      waiting.delete(tenant);
      await rm(pathOf(tenant), { force: true });
    },
    later(tenant, save) {
      clearTimeout(waiting.get(tenant));
      const run = () => {
        waiting.delete(tenant);
        save().catch((error: Error) => onFault(error, tenant));
      };
      waiting.set(tenant, setTimeout(run, save_after_ms).unref());
    },
    async close(save) {
      const left = [...waiting.keys()];
      for (const timer of waiting.values()) clearTimeout(timer);
      waiting.clear();
      for (const tenant of left) await save(tenant).catch((error: Error) => onFault(error, tenant));
    },
  };
}

/** Read as it was or as it is, never in part. */
async function writeWhole(dir: string, path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}.draft`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      for (const piece of pieces) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
