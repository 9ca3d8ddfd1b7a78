/** The report of one meter point and day, made from its stored readings. */
import { quantityInfo, slotQuantity } from '../../engine/model/quantity.ts';
import { SLOT_MS, slotStart } from '../../engine/model/time.ts';
import { disagreementOf } from '../../engine/quality/agreement.ts';
import { HISTORY_MS, historyEnd, learnHistory } from '../../engine/quality/history.ts';
import { type DayReport, reportQuality, type SeriesOfDay } from '../../engine/quality/report.ts';
import { CONTEXT_MS, computeSlots } from '../../engine/quality/slots.ts';
import type { QualityDeps } from './quality.ts';

export type DayDeps = Pick<QualityDeps, 'series' | 'clock' | 'meters' | 'ratingOf'>;

/** @returns null where nothing of the meter point was ever stored. */
export async function makeReport(
  deps: DayDeps,
  tenant: string,
  meter: string,
  day: string,
  from_ms: number,
  to_ms: number,
  time_zone: string,
): Promise<DayReport | null> {
  const quantities = (await deps.series.list(tenant)).filter((one) => one.meter === meter).map((one) => one.quantity);
  if (quantities.length === 0) return null;
  // The newest finished slot may wait for the reading after its end.
  const until_ms = Math.max(from_ms, Math.min(to_ms, slotStart(deps.clock.now()) - SLOT_MS));
  const series: SeriesOfDay[] = [];
  for (const quantity of quantities) {
    const found = await seriesOfDay(deps, tenant, meter, quantity, from_ms, to_ms);
    if (found) series.push(found);
  }
  const disagreement = disagreementOf(
    (quantity) => series.find((one) => one.quantity === quantity)?.slots ?? null,
    deps.meters.get(tenant, meter)?.role ?? 'load',
  );
  return reportQuality({ meter, day, from_ms, to_ms, until_ms, time_zone, series, disagreement });
}

/** One quantity of the day from its readings; null for one that the meter did not send around that day. */
async function seriesOfDay(
  { series, meters, ratingOf }: DayDeps,
  tenant: string,
  meter: string,
  quantity: string,
  from_ms: number,
  to_ms: number,
): Promise<SeriesOfDay | null> {
  const range = { meter, quantity, from_ms: from_ms - CONTEXT_MS, to_ms: to_ms + CONTEXT_MS };
  const { at_ms, values, quality, from_ms: starts_ms } = await series.readings.read(tenant, range, { edges: true });
  if (at_ms.length === 0) return null;
  const point = meters.get(tenant, meter);
  const end_ms = historyEnd(at_ms[0]!, range.from_ms);
  const past = { meter, quantity: slotQuantity(quantity), from_ms: end_ms - HISTORY_MS, to_ms: end_ms };
  const { slots, spans, events } = computeSlots({
    ...{ quantity, at_ms, values, quality, starts_ms, from_ms, to_ms },
    ...(quantityInfo(quantity)?.kind !== 'gauge' ? learnHistory(await series.slots.read(tenant, past)) : {}),
    ...(point ? ratingOf?.(point) : {}),
  });
  const after = at_ms.findIndex((at) => at >= to_ms);
  const first = at_ms.findIndex((at) => at >= from_ms);
  const [a, b] = [first < 0 ? at_ms.length : first, after < 0 ? at_ms.length : after];
  const covering = await series.slots.spans(tenant, { meter, quantity, from_ms, to_ms });
  return {
    quantity,
    // The edge before the range is in what was read, so a later first reading is the first ever.
    since_ms: at_ms[0]! > from_ms ? at_ms[0] : undefined,
    at_ms: at_ms.subarray(a, b),
    quality: quality.subarray(a, b),
    slots,
    spans: [...spans, ...covering],
    events,
  };
}
