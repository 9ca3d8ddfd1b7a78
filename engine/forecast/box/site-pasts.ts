/**
 * The features that models of a site learn from, and the same as a table. Both are made here, so that the table shows
 * what training sees: each row as known at the origin of its day.
 */
import { createHourRows } from '../../features/hour-rows.ts';
import type { LoadUnit } from '../../features/load-rows.ts';
import { DAY_HOURS } from '../../features/panel.ts';
import { createPasts, type Pasts } from '../load-methods.ts';
import { calendarOf, type History, type Horizon, type SeriesKind } from './model-port.ts';
import { gridOf, localInstant, panelOf } from './slot-panel.ts';

export const unitOf = (kind: SeriesKind): LoadUnit => (kind === 'generation' ? 'envelope' : 'level');

/** @param weather whether the weather that was forecast is among the features. */
export const pastsOf = (history: Pick<History, 'kind' | 'holidays'>, weather = false): Pasts =>
  createPasts(calendarOf(history), unitOf(history.kind), weather);

export type FeatureTable = {
  horizon: Horizon;
  names: readonly string[];
  /** Start of a local hour (epoch ms) and one value for each name; null where nothing was known. */
  rows: { at_ms: number; values: (number | null)[] }[];
};

/** Features exist from this day of a history on. */
const FIRST_DAY = 28;

/**
 * Of the newest `days`. One row for each hour that the local day has: 23 when clocks go forward, else 24, for the hour
 * that comes twice is one, that of its first coming.
 */
export function featureTable(history: History, days: number): FeatureTable {
  const { kind, time_zone } = history;
  const horizon = kind === 'price' ? 'gate-closure' : 'day-ahead';
  const grid = gridOf(history);
  const weather = (history.weather ?? []).length > 0;
  const panel = panelOf(history, horizon, grid, { weather });
  const load = kind === 'price' ? null : pastsOf(history, weather).rows(panel);
  const market = createHourRows(panel);
  const names = load?.features ?? market.names;
  const rows: FeatureTable['rows'] = [];
  for (let day = Math.max(FIRST_DAY, grid.days - days); day < grid.days; day++) {
    const { x } = load ? load.day(0, day) : market.day(day);
    for (let hour = 0; hour < DAY_HOURS; hour++) {
      const at_ms = localInstant(time_zone, panel.first_day + day, hour);
      // The hour that clocks skip has the instant of the next.
      if (at_ms === localInstant(time_zone, panel.first_day + day, hour + 1)) continue;
      const values = Array.from(x.subarray(hour * names.length, (hour + 1) * names.length), (value) =>
        Number.isFinite(value) ? value : null,
      );
      rows.push({ at_ms, values });
    }
  }
  return { horizon, names, rows };
}
