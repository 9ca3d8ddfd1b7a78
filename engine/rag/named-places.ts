/** Looks up the places of laws that a question names, among the documents that it names (§ 14a EnWG) or all. */
import type { Passage } from '../ports.ts';
import { definitionsAsked } from './definitions.ts';
import { placesOf } from './law-names.ts';
import { GONE, listIn, type PassageStore } from './ranking-store.ts';
import { holdsParagraph, type Reference, type ReferenceKey, referencesOf } from './references.ts';
import type { Analyzer } from './terms.ts';

/** How exactly a passage is what the question names. */
export const NAMED = { defined: 0.5, section: 1, paragraph: 2, law_section: 3, law_paragraph: 4 } as const;
/** A point of the named paragraph, on top. */
const POINT = 0.5;
/** Passages of one place that are looked into for the paragraph. */
const MOST = 400;

/** Pairs of slot and number of a key. */
export type StoredPlaces = { keys: Int32Array; key_names: string[] };

export type NamedPlaces = {
  add(slot: number, keys: readonly ReferenceKey[]): void;
  /** Once the passages of a file are back. */
  restore(stored: StoredPlaces): void;
  stored(): StoredPlaces;
  /** Versions that the question calls by name. */
  lawsIn(question: string, answers: (owner: number) => boolean): Set<number>;
  /** Passages at the places that a question names, the more exactly the higher. */
  in(question: string, answers: (owner: number) => boolean): Map<number, number>;
};

export function createNamedPlaces(
  store: PassageStore,
  analyzer: Analyzer,
  passageAt: (slot: number) => Passage,
): NamedPlaces {
  const byKey = new Map<ReferenceKey, number[]>();

  function add(slot: number, keys: readonly ReferenceKey[]): void {
    for (const key of keys) listIn(byKey, key).push(slot);
  }

  /** Versions whose name stands in the text, with the first place. */
  function namedIn(text: string, answers: (owner: number) => boolean): { owner: number; at: number }[] {
    const stems = analyzer.terms(text).map(({ stem }) => stem);
    return store.versions.flatMap(({ names, passages }, owner) => {
      if (passages === 0 || !answers(owner)) return [];
      const at = Math.min(...names.flatMap((name) => placesOf(name, stems)));
      return Number.isFinite(at) ? [{ owner, at }] : [];
    });
  }

  /** The law that follows the reference comes first; otherwise any that the question names. */
  function lawsOf(question: string, references: readonly Reference[], i: number, answers: (owner: number) => boolean) {
    const after = question.slice(references[i]?.end ?? 0, references[i + 1]?.start ?? question.length);
    const near = namedIn(after, answers);
    const first = Math.min(...near.map(({ at }) => at));
    if (near.length > 0) return new Set(near.filter(({ at }) => at === first).map(({ owner }) => owner));
    return new Set(namedIn(question, answers).map(({ owner }) => owner));
  }

  function exactness(slot: number, { paragraph, point }: Reference, law: boolean): number {
    const passage = paragraph === null && point === null ? null : passageAt(slot);
    const holds = passage !== null && paragraph !== null && holdsParagraph(passage.section, passage.text, paragraph);
    const points = passage !== null && point !== null && holdsParagraph('', passage.text, point) ? POINT : 0;
    if (law) return points + (holds ? NAMED.law_paragraph : NAMED.law_section);
    return points + (holds ? NAMED.paragraph : NAMED.section);
  }

  /** Passages that define the longest term of the question that any defines. */
  function defining(question: string, answers: (owner: number) => boolean): number[] {
    const laws = new Set(namedIn(question, answers).map(({ owner }) => owner));
    for (const keys of definitionsAsked(question, analyzer)) {
      const slots = keys
        .flatMap((key) => byKey.get(key) ?? [])
        .filter((slot) => {
          const owner = store.owners.get(slot);
          return owner !== GONE && answers(owner) && (laws.size === 0 || laws.has(owner));
        });
      if (slots.length > 0) return slots.slice(0, MOST);
    }
    return [];
  }

  return {
    add,
    restore({ keys, key_names }) {
      for (let i = 0; i < keys.length; i += 2)
        if (store.owners.get(keys[i] ?? 0) !== GONE) add(keys[i] ?? 0, [key_names[keys[i + 1] ?? 0] ?? '']);
    },
    stored() {
      const key_names = [...byKey.keys()];
      const keys = key_names.flatMap((name, i) => (byKey.get(name) ?? []).flatMap((slot) => [slot, i]));
      return { keys: Int32Array.from(keys), key_names };
    },
    lawsIn: (question, answers) => new Set(namedIn(question, answers).map(({ owner }) => owner)),
    in(question, answers) {
      const found = new Map<number, number>();
      const references = referencesOf(question);
      references.forEach((reference, i) => {
        const laws = lawsOf(question, references, i, answers);
        // The only annex is one of a law; without one the word may mean a plant.
        if (reference.key === 'annex:' && laws.size === 0) return;
        const slots = (byKey.get(reference.key) ?? []).filter((slot) => {
          const owner = store.owners.get(slot);
          return owner !== GONE && answers(owner) && (laws.size === 0 || laws.has(owner));
        });
        for (const slot of slots.slice(0, MOST))
          found.set(slot, Math.max(found.get(slot) ?? 0, exactness(slot, reference, laws.size > 0)));
      });
      if (references.length === 0) for (const slot of defining(question, answers)) found.set(slot, NAMED.defined);
      return found;
    },
  };
}
