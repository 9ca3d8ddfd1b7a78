/** Embeddings of passages and questions: kept by text, made behind the words, and left alone while the model is away. */
import type { EmbeddedAs, Embedder, Passage, PassageIndex, PassageNotes } from '../../../engine/ports.ts';
import type { Base } from '../../services.ts';
import { createTurns } from '../in-turn.ts';
import { dropOtherVectors, keepVectors, knownVectors } from './store.ts';

export type Meanings = {
  /** Identity of the model, null while there is none. */
  model(): Promise<string | null>;
  /** The index whose passages get vectors: at once where they are known, otherwise as soon as they are made. */
  index: PassageIndex;
  /** For a question; the model is not asked again for a while after it failed. */
  embedder(): Pick<Embedder, 'embed'> | null;
  embed(texts: readonly string[], as: EmbeddedAs, signal?: AbortSignal): Promise<Float32Array[]>;
  /** Resolves when nothing is waiting for its vectors. */
  settled(): Promise<void>;
  stop(): Promise<void>;
};

const BATCH = 32;
/** Questions whose vector is remembered: each is searched for several times on its way to an answer. */
const REMEMBERED = 200;
const REST_MS = 60_000;
/** Between what the owner noted and the model that the vectors are of. */
const SEPARATOR = '\n';

export function createMeanings({
  index,
  embedder,
  db,
  log,
}: Pick<Base, 'db' | 'log'> & { index: PassageIndex; embedder: Embedder | null }): Meanings {
  const inTurn = createTurns();
  const stopping = new AbortController();
  const work = new Set<Promise<unknown>>();
  let away_until_ms = 0;
  let identity: { name: string | null; until_ms: number } | null = null;
  let asking: Promise<string | null> | null = null;
  const questions = new Map<string, Promise<Float32Array[]>>();

  /** The vector of a question, made once. */
  function vectorOf(name: string, texts: readonly string[], make: () => Promise<Float32Array[]>) {
    const key = JSON.stringify([name, ...texts]);
    const made = questions.get(key) ?? make();
    questions.set(key, made);
    made.catch(() => questions.delete(key));
    const [oldest] = questions.keys();
    if (questions.size > REMEMBERED && oldest !== undefined) questions.delete(oldest);
    return made;
  }

  async function askModel(): Promise<string | null> {
    const name = await embedder?.identity().catch((error: Error) => {
      log.debug({ err: error }, 'there is no embedding model now');
      return null;
    });
    identity = { name: name ?? null, until_ms: performance.now() + REST_MS };
    return identity.name;
  }

  async function model(): Promise<string | null> {
    if (!embedder) return null;
    if (identity && performance.now() < identity.until_ms) return identity.name;
    asking ??= askModel().finally(() => {
      asking = null;
    });
    return asking;
  }

  async function known(tenant: string, name: string, texts: readonly string[]): Promise<Map<string, Float32Array>> {
    return db.asTenant(tenant, (sql) => knownVectors(sql, name, texts));
  }

  /** Makes what is missing, and puts the passages in again with all of it. */
  async function complete(
    tenant: string,
    name: string,
    passages: readonly Passage[],
    notes: PassageNotes,
  ): Promise<void> {
    if (!embedder) return;
    const texts = [...new Set(passages.map(textOf))];
    const vectors = await known(tenant, name, texts);
    const missing = texts.filter((text) => !vectors.has(text));
    for (let at = 0; at < missing.length; at += BATCH) {
      const batch = missing.slice(at, at + BATCH);
      const made = await embedder.embed(batch, 'document', stopping.signal);
      const found = new Map(batch.flatMap((text, i) => (made[i] ? [[text, made[i]] as const] : [])));
      await db.asTenant(tenant, (sql) => keepVectors(sql, tenant, name, found));
      for (const [text, vector] of found) vectors.set(text, vector);
    }
    if (await isStillHeld(tenant, passages)) await index.add(tenant, passages, noted(notes, name, passages, vectors));
  }

  /** It may have been taken out or replaced meanwhile. */
  async function isStillHeld(tenant: string, passages: readonly Passage[]): Promise<boolean> {
    const held = await index.contents?.(tenant);
    const [first] = passages;
    return held === undefined || held.some((one) => one.document === first?.document && one.version === first?.version);
  }

  function later(tenant: string, name: string, passages: readonly Passage[], notes: PassageNotes): void {
    const done = inTurn(tenant, async () => {
      if (!stopping.signal.aborted) await complete(tenant, name, passages, notes);
    }).catch((error: Error) => {
      if (!stopping.signal.aborted) log.warn({ err: error, tenant_id: tenant }, 'passages stay without embeddings');
    });
    work.add(done);
    done.finally(() => work.delete(done)).catch(() => {});
  }

  const decorated: PassageIndex = {
    async add(tenant, passages, notes = {}) {
      const name = passages.length > 0 ? await model() : null;
      if (!name)
        return index.add(tenant, passages, { ...notes, fingerprint: `${notes.fingerprint ?? ''}${SEPARATOR}` });
      const vectors = await known(tenant, name, passages.map(textOf));
      const all = passages.every((passage) => vectors.has(textOf(passage)));
      await index.add(tenant, passages, noted(notes, all ? name : '', passages, vectors));
      if (!all) later(tenant, name, passages, notes);
    },
    remove: (tenant, document, version) => index.remove(tenant, document, version),
    search: (tenant, question, limit) => index.search(tenant, question, limit),
    ...(index.rarity ? { rarity: index.rarity.bind(index) } : {}),
    ...(index.recall ? { recall: index.recall.bind(index) } : {}),
    ...(index.contents ? { contents: contentsWithout(index, model) } : {}),
    close: () => index.close(),
  };

  return {
    model,
    index: decorated,
    embedder() {
      if (!embedder || performance.now() < away_until_ms) return null;
      return {
        async embed(texts, as, signal) {
          const name = await model();
          if (!name) return [];
          return vectorOf(`${name} ${as}`, texts, () =>
            embedder.embed(texts, as, signal).catch((error: Error) => {
              away_until_ms = performance.now() + REST_MS;
              throw error;
            }),
          );
        },
      };
    },
    async embed(texts, as, signal) {
      return embedder ? embedder.embed(texts, as, signal) : [];
    },
    async settled() {
      while (work.size > 0) await Promise.allSettled([...work]);
      const name = await model();
      if (!name) return;
      const tenants = await db.asSystem((sql) => sql<{ id: string }>('select id from tenant'));
      for (const { id } of tenants) await db.asTenant(id, (sql) => dropOtherVectors(sql, name));
    },
    async stop() {
      stopping.abort();
      await Promise.allSettled([...work]);
      await embedder?.close();
    },
  };
}

/** What the vector is of: headings say what a paragraph is about. */
function textOf({ document_title, section, text }: Passage): string {
  return [document_title, section, text].filter(Boolean).join('\n');
}

function noted(
  notes: PassageNotes,
  name: string,
  passages: readonly Passage[],
  vectors: ReadonlyMap<string, Float32Array>,
): PassageNotes {
  return {
    ...notes,
    fingerprint: `${notes.fingerprint ?? ''}${SEPARATOR}${name}`,
    vectors: passages.map((passage) => vectors.get(textOf(passage)) ?? null),
  };
}

/** What was put in without vectors, or with those of another model, is not what it should be once there is a model. */
function contentsWithout(
  index: PassageIndex,
  model: () => Promise<string | null>,
): NonNullable<PassageIndex['contents']> {
  return async (tenant) => {
    const name = await model();
    const held = (await index.contents?.(tenant)) ?? [];
    return held.map((one) => {
      const cut = one.fingerprint.lastIndexOf(SEPARATOR);
      const [own, of] = [one.fingerprint.slice(0, Math.max(0, cut)), one.fingerprint.slice(cut + 1)];
      return { ...one, fingerprint: name === null || of === name ? own : '' };
    });
  };
}
