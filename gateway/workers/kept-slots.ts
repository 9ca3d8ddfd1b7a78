/** Slots outlive the readings they were made of: what is left of readings after that must not overwrite them. */
import type { DrainedSeries, SlotReplacement } from '../../connectors/series/store.ts';
import { Quality } from '../../engine/model/quality.ts';
import { SLOT_MS } from '../../engine/model/time.ts';
import type { SlotColumns, Span } from '../../engine/ports.ts';

/** What a computation may say of the time before `until_ms`, where readings may be gone: only what was not known. */
export async function keepOlder(
  store: Pick<DrainedSeries, 'slots'>,
  one: SlotReplacement,
  until_ms: number,
): Promise<SlotReplacement> {
  if (one.range.from_ms >= until_ms) return one;
  const range = { ...one.range, to_ms: Math.min(one.range.to_ms, until_ms) };
  const kept = await store.slots.read(one.tenant, range);
  const spans = await store.slots.spans(one.tenant, range);
  return { ...one, slots: mergeSlots(one.slots, kept), spans: mergeSpans(one, kept, spans) };
}

/** A kept slot stands, unless only a part of it was known and all of it is now. */
function mergeSlots(fresh: SlotColumns, kept: SlotColumns): SlotColumns {
  const rows = new Map<number, { value: number; quality: number }>();
  for (const [i, at_ms] of fresh.at_ms.entries())
    rows.set(at_ms, { value: fresh.values[i]!, quality: fresh.quality[i]! });
  for (const [i, at_ms] of kept.at_ms.entries()) {
    const better = rows.get(at_ms);
    if (better && kept.quality[i]! & Quality.PARTIAL && !(better.quality & Quality.PARTIAL)) continue;
    rows.set(at_ms, { value: kept.values[i]!, quality: kept.quality[i]! });
  }
  const order = [...rows].sort(([a], [b]) => a - b);
  return {
    at_ms: Float64Array.from(order, ([at_ms]) => at_ms),
    values: Float64Array.from(order, ([, { value }]) => value),
    quality: Int32Array.from(order, ([, { quality }]) => quality),
  };
}

/** New spans only where nothing is kept: their energy is in the kept slots and spans already. */
function mergeSpans({ range, spans }: SlotReplacement, slots: SlotColumns, kept: readonly Span[]): Span[] {
  const own = kept.filter(({ to_ms }) => to_ms > range.from_ms && to_ms <= range.to_ms);
  const known = (span: Span) =>
    kept.some((old) => old.from_ms < span.to_ms && old.to_ms > span.from_ms) ||
    slots.at_ms.some((at, i) => at < span.to_ms && at + SLOT_MS > span.from_ms && !Number.isNaN(slots.values[i]!));
  return [...own, ...spans.filter((span) => !known(span))];
}
