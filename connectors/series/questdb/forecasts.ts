/** Forecasts in QuestDB: one row each, with its points as JSON. */
import type { Columns, Forecast, ForecastPoint, ForecastTable } from '../../../engine/ports.ts';
import { AT_MS, micros, type QuestDbContext, whole } from './context.ts';
import { tableName } from './schema.ts';

const FORECAST = tableName('forecast');
/** No forecast reaches further than this, so that scoring need not look at older ones. */
const REACH_MS = 10 * 86_400_000;

export function createForecasts({ db, serial, floors }: QuestDbContext): ForecastTable {
  return {
    write: (tenant, { series, unit, made_at_ms, model, inputs_known_ms, points }) =>
      serial(() =>
        db.write(FORECAST, [
          {
            tenant,
            series_name: series,
            unit,
            model,
            inputs_known_ms: Math.round(inputs_known_ms),
            to_ms: points.reduce((last, point) => Math.max(last, point.at_ms), made_at_ms),
            points: JSON.stringify(points),
            at_ms: Math.round(made_at_ms),
          },
        ]),
      ),
    async latest(tenant, series, at_ms, cut) {
      const rows = await db.ask(
        [FORECAST],
        `select unit, ${AT_MS}, model, inputs_known_ms, points from ${FORECAST} where tenant = $1 and series_name = $2 ` +
          `and points is not null and at >= ${micros(floors.forecast)} and at <= ${micros(Math.floor(at_ms))} order by at desc limit 1`,
        [tenant, series],
      );
      const [row] = rows;
      if (!row) return null;
      const [unit, made_at_ms, model, inputs_known_ms, text] = row as [string, number, string, number, string];
      const points = (JSON.parse(text) as ForecastPoint[]).filter(
        (point) => !cut || (point.at_ms >= cut.from_ms && point.at_ms < cut.to_ms),
      );
      return { series, unit, made_at_ms, model, inputs_known_ms, points } satisfies Forecast;
    },
    async track(tenant, series, from_ms, to_ms, lead_ms) {
      const rows = await db.ask(
        [FORECAST],
        `select ${AT_MS}, points from ${FORECAST} where tenant = $1 and series_name = $2 and points is not null ` +
          `and to_ms >= ${whole(from_ms)} and at >= ${micros(Math.max(floors.forecast, from_ms - lead_ms - REACH_MS))} and at <= ${micros(to_ms - lead_ms)} order by at`,
        [tenant, series],
      );
      return trackOf(rows as [number, string][], from_ms, to_ms, lead_ms);
    },
  };
}

/** Later forecasts win as long as they were made early enough. */
function trackOf(rows: readonly [number, string][], from_ms: number, to_ms: number, lead_ms: number): Columns {
  const means = new Map<number, number>();
  for (const [made_at_ms, text] of rows)
    for (const { at_ms, mean } of JSON.parse(text) as ForecastPoint[])
      if (at_ms >= from_ms && at_ms < to_ms && made_at_ms <= at_ms - lead_ms) means.set(at_ms, mean);
  const at_ms = Float64Array.from(means.keys()).sort();
  return { at_ms, values: at_ms.map((at) => means.get(at)!), quality: new Int32Array(at_ms.length) };
}
