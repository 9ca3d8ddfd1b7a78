/** What a batch of journal groups does to the readings that are stored: the same for every store. Pure. */
import { Quality, type QualityFlags } from '../../engine/model/quality.ts';
import type { JournalledGroup } from '../../engine/model/reading.ts';

export type StoredReading = { value: number; quality: QualityFlags; from_ms: number | null };
/** `seq` and `order` name the reading: its group in the journal and its place there. */
export type IncomingReading = StoredReading & { at_ms: number; received_ms: number; seq: number; order: number };
export type ReadingRow = StoredReading & { at_ms: number };
export type ChangeRow = {
  at_ms: number;
  value: number;
  replaced_by: number;
  changed_ms: number;
  seq: number;
  order: number;
};

/** The readings of one series in a batch, in order of arrival. */
export type SeriesBatch = {
  tenant: string;
  meter: string;
  quantity: string;
  readings: IncomingReading[];
  min_ms: number;
  max_ms: number;
};

/** What to write for one series. `from_ms`/`to_ms` span what was touched, interval starts included; `known_seqs` names
 * the group of each reading that changed nothing. */
export type MergedSeries = {
  inserts: ReadingRow[];
  updates: ReadingRow[];
  changes: ChangeRow[];
  known_seqs: number[];
  from_ms: number;
  to_ms: number;
};

/** Sorts readings of groups by series, keeping the order of arrival in each. */
export function batchBySeries(groups: readonly JournalledGroup[]): SeriesBatch[] {
  const tenants = new Map<string, Map<string, Map<string, SeriesBatch>>>();
  const batches: SeriesBatch[] = [];
  for (const group of groups) {
    const meters = child(tenants, group.tenant);
    for (const [order, { meter, quantity, at_ms, from_ms, value, quality }] of group.readings.entries()) {
      const quantities = child(meters, meter);
      let batch = quantities.get(quantity);
      if (!batch) {
        batch = { tenant: group.tenant, meter, quantity, readings: [], min_ms: Infinity, max_ms: -Infinity };
        quantities.set(quantity, batch);
        batches.push(batch);
      }
      const at = Math.round(at_ms);
      const from = from_ms === undefined ? null : Math.round(from_ms);
      batch.readings.push({
        at_ms: at,
        value,
        quality,
        from_ms: from,
        received_ms: group.received_ms,
        seq: group.seq,
        order,
      });
      if (at < batch.min_ms) batch.min_ms = at;
      if (at > batch.max_ms) batch.max_ms = at;
    }
  }
  return batches;
}

function child<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  let found = map.get(key);
  if (!found) {
    found = new Map();
    map.set(key, found);
  }
  return found;
}

/**
 * Lays incoming readings over stored ones, one after another, so that the outcome does not depend on how the journal
 * was cut into batches. The same value again changes nothing; another value replaces the stored one, which goes to
 * the change log, and is marked CHANGED.
 * @param existing what is stored at the instants of `incoming`; instants that are left out are new
 */
export function mergeSeries(
  incoming: readonly IncomingReading[],
  existing: ReadonlyMap<number, StoredReading>,
): MergedSeries {
  const now = new Map<number, ReadingRow>();
  const merged: MergedSeries = {
    ...{ inserts: [], updates: [], changes: [], known_seqs: [], from_ms: Infinity, to_ms: -Infinity },
  };
  for (const reading of incoming) {
    const before = now.get(reading.at_ms) ?? existing.get(reading.at_ms);
    const row = before ? replaced(before, reading, merged.changes) : plain(reading);
    if (!row) {
      merged.known_seqs.push(reading.seq);
      continue;
    }
    now.set(reading.at_ms, row);
    merged.from_ms = Math.min(merged.from_ms, reading.from_ms ?? reading.at_ms);
    if (before?.from_ms != null) merged.from_ms = Math.min(merged.from_ms, before.from_ms);
    merged.to_ms = Math.max(merged.to_ms, reading.at_ms);
  }
  for (const row of now.values()) (existing.has(row.at_ms) ? merged.updates : merged.inserts).push(row);
  return merged;
}

function plain({ at_ms, value, quality, from_ms }: IncomingReading): ReadingRow {
  return { at_ms, value, quality, from_ms };
}

/** The row after `reading`, or null where nothing changes; a differing value is noted in `changes`. */
function replaced(before: StoredReading, reading: IncomingReading, changes: ChangeRow[]): ReadingRow | null {
  const kept = before.quality & Quality.CHANGED;
  const differs = before.value !== reading.value || before.from_ms !== reading.from_ms;
  const quality = reading.quality | kept | (differs ? Quality.CHANGED : 0);
  if (!differs && quality === before.quality) return null;
  if (differs)
    changes.push({
      at_ms: reading.at_ms,
      value: before.value,
      replaced_by: reading.value,
      changed_ms: reading.received_ms,
      seq: reading.seq,
      order: reading.order,
    });
  return { at_ms: reading.at_ms, value: reading.value, quality, from_ms: reading.from_ms };
}
