/** Forecasts with the time they were made, so that they can be scored later. */
import { DOUBLE, LIST, listValue } from '@duckdb/node-api';
import type { ForecastTable } from '../../../engine/ports.ts';
import type { DuckDbContext } from './context.ts';

export function createForecasts({ db }: DuckDbContext): ForecastTable {
  return {
    async write(tenant, { series, unit, made_at_ms, model, inputs_known_ms, points }) {
      const made_at = BigInt(Math.round(made_at_ms));
      await db.write(async (writer) => {
        const old = { tenant, series, made_at };
        const same = 'select id from forecast where tenant = $tenant and series = $series and made_at_ms = $made_at';
        await writer.run(`delete from forecast_point where forecast in (${same})`, old);
        await writer.run(
          'delete from forecast where tenant = $tenant and series = $series and made_at_ms = $made_at',
          old,
        );
        await writer.run(
          "insert into forecast values (nextval('forecast_id'), $tenant, $series, $unit, $made_at, $model, $inputs_known)",
          { ...old, unit, model, inputs_known: BigInt(Math.round(inputs_known_ms)) },
        );
        await writer.run(
          "insert into forecast_point select currval('forecast_id'), unnest($at::double[])::bigint, unnest($mean::double[]), unnest($quantiles::varchar[])",
          {
            at: listValue(points.map((point) => point.at_ms)),
            mean: listValue(points.map((point) => point.mean)),
            quantiles: listValue(points.map((point) => JSON.stringify(point.quantiles))),
          },
          { at: LIST(DOUBLE), mean: LIST(DOUBLE) },
        );
      });
    },
    async latest(tenant, series, at_ms, cut) {
      const [head] = await db.rows(
        'select id, unit, made_at_ms::double as made_at_ms, model, inputs_known_ms::double as inputs_known_ms from forecast ' +
          'where tenant = $tenant and series = $series and made_at_ms <= $at order by forecast.made_at_ms desc, id desc limit 1',
        { tenant, series, at: at_ms },
      );
      if (!head) return null;
      const rows = await db.rows(
        'select "at"::double as at_ms, mean, quantiles from forecast_point where forecast = $id and "at" >= $from and "at" < $to order by "at"',
        { id: head.id!, from: cut?.from_ms ?? -8.64e15, to: cut?.to_ms ?? 8.64e15 },
      );
      return {
        series,
        unit: head.unit as string,
        made_at_ms: head.made_at_ms as number,
        model: head.model as string,
        inputs_known_ms: head.inputs_known_ms as number,
        points: rows.map((row) => ({
          at_ms: row.at_ms as number,
          mean: row.mean as number,
          quantiles: JSON.parse(row.quantiles as string) as Record<string, number>,
        })),
      };
    },
    async track(tenant, series, from_ms, to_ms, lead_ms) {
      const [at, values] = await db.numbers(
        'select p."at"::double, arg_max(p.mean, f.made_at_ms) from forecast_point p join forecast f on f.id = p.forecast ' +
          'where f.tenant = $tenant and f.series = $series and p."at" >= $from and p."at" < $to ' +
          'and f.made_at_ms <= p."at" - $lead group by p."at" order by p."at"',
        { tenant, series, from: from_ms, to: to_ms, lead: lead_ms },
      );
      return { at_ms: at!, values: values!, quality: new Int32Array(at!.length) };
    },
  };
}
