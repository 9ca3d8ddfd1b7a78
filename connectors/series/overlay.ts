/** Lays people's repairs over readings. Pure. */
import { Quality } from '../../engine/model/quality.ts';
import type { ReadingColumns } from '../../engine/ports.ts';

/** NaN: the person said that there is no value at this instant. */
export type RepairRow = { at_ms: number; value: number };

/**
 * Readings with repairs laid over them, ascending. A repaired value is marked REPAIRED and loses the marks that
 * would keep it out of sums; a repair at an instant without reading becomes one.
 * @param repairs ascending, all inside the range of `readings`
 */
export function overlayRepairs(readings: ReadingColumns, repairs: readonly RepairRow[]): ReadingColumns {
  if (repairs.length === 0) return readings;
  const byInstant = new Map(repairs.map((repair) => [repair.at_ms, repair.value]));
  const instants = new Set(readings.at_ms);
  const added = repairs.filter((repair) => !instants.has(repair.at_ms));
  const length = readings.at_ms.length + added.length;
  const out: ReadingColumns = {
    at_ms: new Float64Array(length),
    values: new Float64Array(length),
    quality: new Int32Array(length),
    from_ms: readings.from_ms ? new Float64Array(length) : null,
  };
  let next = 0;
  let index = 0;
  for (let position = 0; position < length; position++) {
    const extra = added[next];
    if (extra && (index >= readings.at_ms.length || extra.at_ms < readings.at_ms[index]!)) {
      out.at_ms[position] = extra.at_ms;
      out.values[position] = extra.value;
      out.quality[position] = Quality.REPAIRED;
      if (out.from_ms) out.from_ms[position] = Number.NaN;
      next++;
      continue;
    }
    const at = readings.at_ms[index]!;
    const repaired = byInstant.get(at);
    out.at_ms[position] = at;
    out.values[position] = repaired ?? readings.values[index]!;
    out.quality[position] =
      repaired === undefined
        ? readings.quality[index]!
        : Quality.REPAIRED | (readings.quality[index]! & Quality.CHANGED);
    if (out.from_ms) out.from_ms[position] = readings.from_ms![index]!;
    index++;
  }
  return out;
}

/** Readings without those at the instants of `gone`, at most `limit` of them. */
export function without(readings: ReadingColumns, gone: readonly number[], limit?: number): ReadingColumns {
  if (gone.length === 0 && (limit === undefined || readings.at_ms.length <= limit)) return readings;
  const out = new Set(gone);
  const keep = (_: number, index: number) => !out.has(readings.at_ms[index]!);
  return {
    at_ms: readings.at_ms.filter(keep).slice(0, limit),
    values: readings.values.filter(keep).slice(0, limit),
    quality: readings.quality.filter(keep).slice(0, limit),
    from_ms: readings.from_ms?.filter(keep).slice(0, limit) ?? null,
  };
}

/** Rows of many series, ordered by series and time, as one set of columns per series; without rows they are empty. */
export function splitSeries(
  [series, at_ms, values, quality, from_ms]: readonly Float64Array[],
  ids: readonly (number | undefined)[],
  isInterval: (index: number) => boolean,
): ReadingColumns[] {
  const places = new Map<number, [number, number]>();
  for (let row = 0; row < series!.length; row++) {
    const place = places.get(series![row]!);
    if (place) place[1] = row + 1;
    else places.set(series![row]!, [row, row + 1]);
  }
  return ids.map((id, index) => {
    const [from, to] = (id === undefined ? undefined : places.get(id)) ?? [0, 0];
    return {
      at_ms: at_ms!.slice(from, to),
      values: values!.slice(from, to),
      quality: Int32Array.from(quality!.subarray(from, to)),
      from_ms: isInterval(index) ? from_ms!.slice(from, to) : null,
    };
  });
}

/** Keeps, changes or (value undefined) lifts repairs in a map of a store's repairs; of several for one instant the last. */
export function keepRepairs(
  repairs: Map<number, RepairRow[]>,
  series: number,
  changes: readonly { at_ms: number; value: number | null | undefined }[],
): void {
  const values = new Map((repairs.get(series) ?? []).map(({ at_ms, value }) => [at_ms, value]));
  for (const { at_ms, value } of changes)
    if (value === undefined) values.delete(at_ms);
    else values.set(at_ms, value ?? Number.NaN);
  repairs.set(
    series,
    Array.from(values, ([at_ms, value]) => ({ at_ms, value })).sort((a, b) => a.at_ms - b.at_ms),
  );
}
