/**
 * What a ranking keeps of its passages: the passage itself as bytes, its terms in order, whose document it belongs to.
 * A passage has a slot, a number that counts up; one that goes leaves an empty slot behind.
 */
import type { Passage } from '../ports.ts';
import { type Column, createColumn, createPages, type Pages } from './pages.ts';

/** One version of a document. */
export type HeldVersion = {
  document: string;
  version: string;
  /** What the document is called, each as the stems of the name. */
  names: string[][];
  /** What its owner said when it was put in; tells whether it is still the same. */
  fingerprint: string;
  /** Answers where nobody asks for another version: the one that came last. */
  current: boolean;
  /** Its title says that it is a former version of a law. */
  former: boolean;
  passages: number;
  /** Being put in, or on its way out: no question finds it. */
  hidden: boolean;
};

export type StoredPassages = {
  versions: HeldVersion[];
  owners: Int32Array;
  places: Int32Array;
  lengths: Int32Array;
  sequences: Int32Array;
  counts: Int32Array;
  sections: Int32Array;
  bytes: Uint8Array[];
  terms: Int32Array[];
};

export type PassageStore = ReturnType<typeof createPassageStore>;

const BYTES = 1 << 20;
const TERMS = 1 << 17;
/** The owner of an empty slot. */
export const GONE = -1;

export function createPassageStore(stored?: StoredPassages) {
  const versions: HeldVersion[] = stored?.versions.map((one) => ({ ...one })) ?? [];
  const owners: Column = createColumn(stored?.owners);
  const places: Column = createColumn(stored?.places);
  const lengths: Column = createColumn(stored?.lengths);
  const sequences: Column = createColumn(stored?.sequences);
  const counts: Column = createColumn(stored?.counts);
  const sections: Column = createColumn(stored?.sections);
  /** Passages of each section. */
  const sizes: number[] = [];
  for (const section of sections.view()) sizes[section] = (sizes[section] ?? 0) + 1;
  let open_section = '';
  const bytes: Pages<Uint8Array> = createPages(Uint8Array, BYTES, stored?.bytes);
  const terms: Pages<Int32Array> = createPages(Int32Array, TERMS, stored?.terms);
  const slotsOf = new Map<number, number[]>();
  owners.view().forEach((owner, slot) => {
    if (owner !== GONE) listIn(slotsOf, owner).push(slot);
  });

  return {
    versions,
    /** Slots so far, the empty ones included. */
    get slots() {
      return owners.length;
    },
    owners,
    /** Terms in each slot's passage. */
    counts,
    /** The section of each slot: a number that passages of one section share. */
    sections,
    sizes: sizes as readonly number[],
    slotsOf: (owner: number): readonly number[] => slotsOf.get(owner) ?? [],
    /** A number for a version that is put in; hidden until it is complete. */
    open({ document, version }: Pick<Passage, 'document' | 'version'>): number {
      const free = versions.findIndex(({ passages, hidden }) => passages === 0 && !hidden);
      const made = { document, version, names: [], fingerprint: '', current: false, former: false };
      const entry = { ...made, passages: 0, hidden: true };
      if (free !== -1) versions[free] = entry;
      else versions.push(entry);
      return free !== -1 ? free : versions.length - 1;
    },
    /** @param section passages of one section come one after another. @returns its slot */
    push(owner: number, section: string, passage: Uint8Array, sequence: Int32Array): number {
      const slot = owners.length;
      const key = `${owner} ${section}`;
      if (section === '' || key !== open_section) sizes.push(0);
      open_section = key;
      sizes[sizes.length - 1] = (sizes.at(-1) ?? 0) + 1;
      sections.push(sizes.length - 1);
      const place = bytes.reserve(passage.length);
      bytes.at(place, passage.length).set(passage);
      const start = terms.reserve(sequence.length);
      terms.at(start, sequence.length).set(sequence);
      owners.push(owner);
      places.push(place);
      lengths.push(passage.length);
      sequences.push(start);
      counts.push(sequence.length);
      listIn(slotsOf, owner).push(slot);
      const held = versions[owner];
      if (held) held.passages += 1;
      return slot;
    },
    /** Empties slots of a version, at most so many, the newest first. @returns them */
    empty(owner: number, most: number): number[] {
      const held = versions[owner];
      const all = slotsOf.get(owner);
      if (!held || !all) return [];
      const going = all.splice(Math.max(0, all.length - most));
      for (const slot of going) owners.set(slot, GONE);
      held.passages -= going.length;
      if (all.length === 0) slotsOf.delete(owner);
      return going;
    },
    /** Not a copy. */
    sequenceOf: (slot: number): Int32Array => terms.at(sequences.get(slot), counts.get(slot)),
    /** Not a copy. */
    bytesOf: (slot: number): Uint8Array => bytes.at(places.get(slot), lengths.get(slot)),
    stored: (): StoredPassages => ({
      versions,
      ...{ owners: owners.view(), places: places.view(), lengths: lengths.view() },
      ...{
        sequences: sequences.view(),
        counts: counts.view(),
        sections: sections.view(),
        bytes: bytes.used(),
        terms: terms.used(),
      },
    }),
  };
}

export function listIn<Key>(map: Map<Key, number[]>, key: Key): number[] {
  const known = map.get(key);
  if (known) return known;
  const made: number[] = [];
  map.set(key, made);
  return made;
}
