/** How well forecasts did: against the truth, and against "the same as last week". */

import type { SeriesKind } from '../../../engine/forecast/box/model-port.ts';
import type { ModelScore } from '../../../engine/forecast/choose.ts';
import { HOUR_MS, sameTimeBefore, slotStart } from '../../../engine/model/time.ts';
import type { Columns } from '../../../engine/ports.ts';
import type { Base } from '../../services.ts';
import { type HistoryDeps, whole } from './history.ts';

export type ForecastError = {
  model: string;
  mae: number | null;
  naive_mae: number | null;
  unit: string;
  slots: number;
};
type Deps = HistoryDeps & { forecasts: Base['series']['forecasts'] };

const DAY_MS = 24 * HOUR_MS;
/** "A day ahead": what was forecast at least this long before. */
export const LEAD_MS = DAY_MS;
/** With fewer slots forecast a day ahead their error says too little. */
const TRACKED_LEAST = 48;

/** Errors of what was forecast a day ahead; before there is half a day of that, those on the held-out days of the choice. */
export async function scoreOf(
  deps: Deps,
  tenant: string,
  series: SeriesKind,
  days: number,
  live: { model: string; scores: readonly ModelScore[] | null } | undefined,
): Promise<ForecastError> {
  const to_ms = slotStart(deps.clock.now());
  const from_ms = to_ms - days * DAY_MS;
  const latest = await deps.forecasts.latest(tenant, series, deps.clock.now(), { from_ms: to_ms, to_ms });
  const model = latest?.model ?? live?.model ?? '';
  const unit = latest?.unit ?? (series === 'price' ? `${deps.site.get(tenant)?.currency ?? 'EUR'}/MWh` : 'W');
  const tracked = await deps.forecasts.track(tenant, series, from_ms, to_ms, LEAD_MS);
  const time_zone = deps.site.get(tenant)?.time_zone ?? 'UTC';
  const actual = tracked.at_ms.length === 0 ? null : await actualOf(deps, tenant, series, from_ms - 8 * DAY_MS, to_ms);
  const score = actual ? errorsOf(tracked, actual, time_zone) : { mae: null, naive_mae: null, slots: 0 };
  if (score.slots >= TRACKED_LEAST || !live?.scores) return { model, unit, ...score };
  const held = (name: string) => live.scores?.find((one) => one.model === name);
  const naive = live.scores.find((one) => one.model.startsWith('seasonal-naive'));
  return { model, unit, mae: held(model)?.mae ?? null, naive_mae: naive?.mae ?? null, slots: held(model)?.slots ?? 0 };
}

export async function actualOf(
  deps: Deps,
  tenant: string,
  series: SeriesKind,
  from_ms: number,
  to_ms: number,
): Promise<Map<number, number>> {
  const area = deps.tariffs.area(tenant);
  if (series === 'price' && area === null) return new Map();
  const { at_ms, values } =
    series === 'price'
      ? await deps.market(area!, 'day-ahead', from_ms, to_ms)
      : whole(await deps.balance(tenant, series, from_ms, to_ms));
  const known = new Map<number, number>();
  for (const [i, value] of values.entries()) if (!Number.isNaN(value)) known.set(at_ms[i]!, value);
  return known;
}

/** Mean absolute errors on the slots where the truth, the forecast and last week's value are all known. */
function errorsOf(tracked: Columns, actual: ReadonlyMap<number, number>, time_zone: string) {
  let [mae, naive_mae, slots] = [0, 0, 0];
  for (const [i, at_ms] of tracked.at_ms.entries()) {
    const truth = actual.get(at_ms);
    const week = actual.get(sameTimeBefore(at_ms, 7, time_zone));
    const value = tracked.values[i]!;
    if (truth === undefined || week === undefined || Number.isNaN(value)) continue;
    mae += Math.abs(truth - value);
    naive_mae += Math.abs(truth - week);
    slots++;
  }
  return slots === 0
    ? { mae: null, naive_mae: null, slots }
    : { mae: mae / slots, naive_mae: naive_mae / slots, slots };
}
