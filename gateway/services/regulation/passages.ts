/** Keeps the passage index the same as the passages in Postgres: of each document the newest version that could be read. */

import type { PassageIndex } from '../../../engine/ports.ts';
import type { Base } from '../../services.ts';
import { createTurns } from '../in-turn.ts';
import { answeringVersions, passagesOfDocument } from './store.ts';

export type PassageLoader = {
  /** Resolves once the tenant's passages are in the index. */
  ready(tenant: string): Promise<void>;
  /** Puts in the answering version of a document, or takes the document out where it has none. */
  refresh(tenant: string, document: string): Promise<void>;
  rebuild(tenant: string): Promise<{ documents: number; passages: number }>;
};

export function createPassageLoader({
  db,
  passages: index,
}: Pick<Base, 'db'> & { passages: PassageIndex }): PassageLoader {
  const loading = new Map<string, Promise<void>>();
  /** Documents of a tenant that are in the index; changes of one tenant go one after another. */
  const known = new Map<string, Set<string>>();
  const inTurn = createTurns();

  async function put(tenant: string, document: string): Promise<number> {
    const passages = await db.asTenant(tenant, (sql) => passagesOfDocument(sql, document));
    const documents = known.get(tenant) ?? new Set<string>();
    known.set(tenant, documents);
    if (passages.length === 0) {
      await index.remove(tenant, document);
      documents.delete(document);
    } else {
      await index.add(tenant, passages);
      documents.add(document);
    }
    return passages.length;
  }

  async function load(tenant: string): Promise<{ documents: number; passages: number }> {
    const versions = await db.asTenant(tenant, answeringVersions);
    let passages = 0;
    for (const { document } of versions) passages += await put(tenant, document);
    return { documents: versions.length, passages };
  }

  function ready(tenant: string): Promise<void> {
    const begun = loading.get(tenant);
    if (begun) return begun;
    const loaded = inTurn(tenant, async () => {
      await load(tenant);
    });
    loading.set(tenant, loaded);
    // A database that was away is asked again by the next question.
    loaded.catch(() => loading.delete(tenant));
    return loaded;
  }

  return {
    ready,
    async refresh(tenant, document) {
      await ready(tenant);
      await inTurn(tenant, () => put(tenant, document));
    },
    async rebuild(tenant) {
      await ready(tenant);
      return inTurn(tenant, async () => {
        for (const document of known.get(tenant) ?? []) await index.remove(tenant, document);
        known.delete(tenant);
        return load(tenant);
      });
    },
  };
}
