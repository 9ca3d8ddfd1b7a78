/** One row of a file → readings. */
import { quantityInfo } from '../../../engine/model/quantity.ts';
import type { Reading } from '../../../engine/model/reading.ts';
import { scaled } from '../profile/units.ts';
import { columnFactor, type FileMapping, parseDecimal } from './guess.ts';
import { decodeFileInstant } from './instant.ts';

export type Converted = { readings: Reading[]; problems: string[] };
export type RowConverter = (cells: readonly string[]) => Converted;

type Column = { at: number; name: string; quantity: string; interval: boolean; factor: number };

/** @param mapping without `mappingProblems` for this header. @param time_zone of times that carry none, where the mapping has none. */
export function createRowConverter(
  header: readonly string[],
  mapping: FileMapping,
  time_zone: string | null,
): RowConverter {
  const names = header.map((name) => name.trim());
  const place = (name: string) => names.indexOf(name);
  const times = mapping.at.split(' + ').map(place);
  const from = mapping.from === undefined ? -1 : place(mapping.from);
  const meter = mapping.meter === null ? -1 : place(mapping.meter);
  const columns = Object.entries(mapping.columns).map(([name, quantity]): Column => {
    const factor = columnFactor(name, quantity);
    const interval = quantityInfo(quantity)?.kind === 'interval';
    return { at: place(name), name, quantity, interval, factor: typeof factor === 'number' ? factor : 1 };
  });
  const zone = mapping.time_zone ?? time_zone;
  /** Per meter, for the hour that autumn has twice. */
  const previous = new Map<string, number>();
  const previousFrom = new Map<string, number>();
  return (cells) => {
    const id = (meter < 0 ? mapping.meter_id : cells[meter]?.trim()) ?? '';
    if (id === '') return refused('The meter point is missing.');
    const text = times.map((i) => cells[i] ?? '').join(' ');
    const at_ms = decodeFileInstant(text, zone, previous.get(id));
    if (typeof at_ms === 'string') return refused(at_ms);
    previous.set(id, at_ms);
    const from_ms = from < 0 ? undefined : decodeFileInstant(cells[from] ?? '', zone, previousFrom.get(id));
    if (typeof from_ms === 'string') return refused(from_ms);
    if (from_ms !== undefined) previousFrom.set(id, from_ms);
    return readingsOf(cells, columns, mapping, id, at_ms, from_ms);
  };
}

function readingsOf(
  cells: readonly string[],
  columns: readonly Column[],
  mapping: FileMapping,
  meter: string,
  at_ms: number,
  from_ms: number | undefined,
): Converted {
  const converted: Converted = { readings: [], problems: [] };
  const length_ms = (mapping.interval_min ?? 0) * 60_000;
  const end_ms = from_ms === undefined && mapping.interval_stamp === 'start' ? at_ms + length_ms : at_ms;
  for (const { at, name, quantity, interval, factor } of columns) {
    const raw = parseDecimal(cells[at] ?? '', mapping.decimal_comma ?? false);
    if (raw === null) continue;
    if (Number.isNaN(raw)) {
      const hint = /^[^,]*,[^,]*$/.test(cells[at] ?? '') ? '; does the file use a decimal comma?' : '.';
      converted.problems.push(`Column "${name}" has "${(cells[at] ?? '').slice(0, 40)}", which is no number${hint}`);
      continue;
    }
    const value = scaled(raw, factor);
    converted.readings.push(
      interval
        ? { meter, quantity, at_ms: end_ms, from_ms: from_ms ?? end_ms - length_ms, value, quality: 0 }
        : { meter, quantity, at_ms, value, quality: 0 },
    );
  }
  return converted;
}

function refused(problem: string): Converted {
  return { readings: [], problems: [problem] };
}
