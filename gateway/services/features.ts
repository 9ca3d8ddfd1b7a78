/** The feature table: what models see of each local hour, as known at the origin of its day. */

import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import { createHourRows } from '../../engine/features/hour-rows.ts';
import { createLoadHistory } from '../../engine/features/load-past.ts';
import { LOAD_FEATURES, loadDay } from '../../engine/features/load-rows.ts';
import { calendarOf, type History, type SeriesKind } from '../../engine/forecast/box/model-port.ts';
import { gridOf, localInstant, panelOf } from '../../engine/forecast/box/slot-panel.ts';
import type { Base } from '../services.ts';
import { gatherHistory, type HistoryDeps } from './forecasts/history.ts';
import { FORECAST_SERIES } from './forecasts.ts';

export interface FeatureService {
  /** Builds the rows of the newest `days` anew. @returns rows per series; a series without data is left out */
  build(tenant: string, options: { series?: string; days: number }): Promise<Partial<Record<SeriesKind, number>>>;
}

const HOURS = 24;
/** Rows of one statement. */
const CHUNK = 2000;
/** Features exist from this day of a history on. */
const FIRST_DAY = 28;

type Row = { at: Date; values: (number | null)[] };

/** @param code_version is stored with each row, so that rows of another version are told apart. */
export function createFeatureService(deps: HistoryDeps & Pick<Base, 'db'> & { code_version: string }): FeatureService {
  return {
    async build(tenant, { series, days }) {
      const built: Partial<Record<SeriesKind, number>> = {};
      for (const one of series === undefined ? FORECAST_SERIES : [kindNamed(series)]) {
        const history = await historyOf(deps, tenant, one);
        if (!history) continue;
        const { names, rows } = featureRows(history, days);
        await store(deps, tenant, one, names, rows);
        built[one] = rows.length;
      }
      return built;
    },
  };
}

function kindNamed(name: string): SeriesKind {
  const series = FORECAST_SERIES.find((one) => one === name);
  if (series) return series;
  throw new NotFoundError(`There is no forecast of "${name}".`, `Ask for ${FORECAST_SERIES.join(', ')}.`);
}

async function historyOf(deps: HistoryDeps, tenant: string, series: SeriesKind): Promise<History | null> {
  try {
    const { columns, from_ms, time_zone, holidays } = await gatherHistory(deps, tenant, series);
    return { kind: series, columns, from_ms, time_zone, holidays };
  } catch (error) {
    if (error instanceof InvalidDataError) return null;
    throw error;
  }
}

/** One row per hour that the local day has: 23 when clocks go forward, 24 else (the hour that comes twice is one). */
export function featureRows(history: History, days: number): { names: readonly string[]; rows: Row[] } {
  const { kind, time_zone } = history;
  const grid = gridOf(history);
  const panel = panelOf(history, kind === 'price' ? 'gate-closure' : 'day-ahead', grid);
  const load = createLoadHistory(panel, calendarOf(history));
  const market = createHourRows(panel);
  const names = kind === 'price' ? market.names : LOAD_FEATURES;
  const unit = kind === 'generation' ? 'envelope' : 'level';
  const rows: Row[] = [];
  for (let day = Math.max(FIRST_DAY, grid.days - days); day < grid.days; day++) {
    const { x } = kind === 'price' ? market.day(day) : loadDay(load, day, unit, 0);
    for (let hour = 0; hour < HOURS; hour++) {
      const at_ms = localInstant(time_zone, panel.first_day + day, hour);
      // The hour that clocks skip has the instant of the next.
      if (hour > 0 && at_ms === localInstant(time_zone, panel.first_day + day, hour + 1)) continue;
      const values = Array.from(x.subarray(hour * names.length, (hour + 1) * names.length), (value) =>
        Number.isFinite(value) ? value : null,
      );
      rows.push({ at: new Date(at_ms), values });
    }
  }
  return { names, rows };
}

async function store(
  deps: HistoryDeps & Pick<Base, 'db'> & { code_version: string },
  tenant: string,
  series: SeriesKind,
  names: readonly string[],
  rows: readonly Row[],
): Promise<void> {
  const created = new Date(deps.clock.now());
  for (let from = 0; from < rows.length; from += CHUNK)
    await deps.db.asTenant(tenant, (sql) =>
      sql(
        `insert into features_hourly (tenant_id, series, at, names, values, source_version, created_at)
         select $1, $2, row.at, $3::text[], row.values, $4, $5
         from jsonb_to_recordset($6::jsonb) as row(at timestamptz, values float8[])
         on conflict (tenant_id, series, at) do update set names = excluded.names, values = excluded.values,
           source_version = excluded.source_version, created_at = excluded.created_at`,
        [tenant, series, names, deps.code_version, created, JSON.stringify(rows.slice(from, from + CHUNK))],
      ),
    );
}
