/** Keeps the passage index the same as the passages in Postgres: all versions that could be read. */
import type { HeldDocument, PassageIndex } from '../../../engine/ports.ts';
import type { Base } from '../../services.ts';
import { createTurns } from '../in-turn.ts';
import { passagesOfVersion, type ReadyVersion, readyVersions } from './store.ts';

export type PassageLoader = {
  /** Resolves once the tenant's passages are in the index. */
  ready(tenant: string): Promise<void>;
  /** Puts in the versions of a document, or takes it out where none can be read. */
  refresh(tenant: string, document: string): Promise<void>;
  rebuild(tenant: string): Promise<{ documents: number; passages: number }>;
};

/** Tells whether the index holds a version as it is now. */
function fingerprintOf({ document_title, reader, short_names, uploaded_ms }: ReadyVersion): string {
  return JSON.stringify([document_title, reader, short_names, uploaded_ms]);
}

export function createPassageLoader({
  db,
  passages: index,
}: Pick<Base, 'db'> & { passages: PassageIndex }): PassageLoader {
  const loading = new Map<string, Promise<void>>();
  /** Versions of a tenant that are in the index; changes of one tenant go one after another. */
  const known = new Map<string, Set<string>>();
  const inTurn = createTurns();
  const keyOf = ({ document, version }: Pick<ReadyVersion, 'document' | 'version'>) => `${document} ${version}`;

  /** In the order of their upload: which one answers is said with each question. */
  async function put(tenant: string, versions: readonly ReadyVersion[], held: ReadonlyMap<string, HeldDocument>) {
    let passages = 0;
    for (const one of versions) passages += await putVersion(tenant, one, held);
    return passages;
  }

  async function putVersion(tenant: string, one: ReadyVersion, held: ReadonlyMap<string, HeldDocument>) {
    const fingerprint = fingerprintOf(one);
    const before = held.get(keyOf(one));
    const kept = known.get(tenant) ?? new Set<string>();
    known.set(tenant, kept.add(keyOf(one)));
    if (before?.fingerprint === fingerprint && before.passages > 0) return before.passages;
    const found = await db.asTenant(tenant, (sql) => passagesOfVersion(sql, one.document, one.version));
    if (found.length > 0) await index.add(tenant, found, { names: one.short_names, fingerprint });
    else await index.remove(tenant, one.document, one.version);
    return found.length;
  }

  async function heldBy(tenant: string): Promise<Map<string, HeldDocument>> {
    return new Map((await index.contents?.(tenant))?.map((one) => [keyOf(one), one]));
  }

  /** @param anew also what the index says it holds */
  async function load(tenant: string, anew: boolean): Promise<{ documents: number; passages: number }> {
    const versions = await db.asTenant(tenant, readyVersions);
    const held = await heldBy(tenant);
    const wanted = new Set(versions.map(keyOf));
    for (const [key, { document, version }] of held)
      if (!wanted.has(key)) await index.remove(tenant, document, version);
    const byDocument = Map.groupBy(versions, ({ document }) => document);
    let passages = 0;
    for (const group of byDocument.values()) passages += await put(tenant, group, anew ? new Map() : held);
    return { documents: byDocument.size, passages };
  }

  async function refreshOne(tenant: string, document: string): Promise<void> {
    const versions = (await db.asTenant(tenant, readyVersions)).filter((one) => one.document === document);
    if (versions.length === 0) return index.remove(tenant, document);
    const wanted = new Set(versions.map(keyOf));
    for (const key of known.get(tenant) ?? [])
      if (key.startsWith(`${document} `) && !wanted.has(key))
        await index.remove(tenant, document, key.slice(document.length + 1));
    await put(tenant, versions, new Map());
  }

  function ready(tenant: string): Promise<void> {
    const begun = loading.get(tenant);
    if (begun) return begun;
    const loaded = inTurn(tenant, async () => {
      await load(tenant, false);
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
      await inTurn(tenant, () => refreshOne(tenant, document));
    },
    async rebuild(tenant) {
      await ready(tenant);
      return inTurn(tenant, () => load(tenant, true));
    },
  };
}
