/** Single values of forecasts, each with an id under which it can be explained later. */
import { randomUUID } from 'node:crypto';
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import type { History, Horizon, SeriesKind } from '../../engine/forecast/box/model-port.ts';
import type { Explanation } from '../../engine/forecast/port.ts';
import { HOUR_MS, slotStart, zoneOffset } from '../../engine/model/time.ts';
import type { Forecast } from '../../engine/ports.ts';
import type { Base, ForecastService, Workers } from '../services.ts';
import type { ExplainResult, ExplainTask } from '../workers/explain-forecast.ts';
import type { StoredModel } from '../workers/live-models.ts';
import { gatherHistory, type HistoryDeps, historyFrom } from './forecasts/history.ts';
import { FORECAST_SERIES } from './forecasts.ts';
import type { ModelService } from './models.ts';

export type Prediction = {
  id: string;
  series: SeriesKind;
  at_ms: number;
  made_ms: number;
  model: string;
  unit: string;
  mean: number;
  quantiles: Record<string, number>;
};
export type ExplainedPrediction = Prediction & { explanation: Explanation };

export interface PredictionService {
  /** Values of the newest forecasts; makes one that is due. @throws NotFoundError for an instant that none reaches */
  predict(tenant: string, wanted: readonly { series: string; at_ms: number }[]): Promise<Prediction[]>;
  /** @throws NotFoundError */
  explain(tenant: string, id: string): Promise<ExplainedPrediction>;
  /** What the newest forecast has for an instant, and what it was made of; nothing is stored. */
  explainAt(tenant: string, series: string, at_ms: number): Promise<ExplainedPrediction>;
}

export type PredictionDeps = HistoryDeps &
  Pick<Base, 'db'> & {
    forecasts: Pick<ForecastService, 'latest' | 'refresh' | 'planning' | 'reason' | 'memory'>;
    models: Pick<ModelService, 'champions'>;
    workers: Pick<Workers, 'run'>;
  };

/** A forecast that was made this long ago is made anew, and waited for where it is older still. */
const FRESH_MS = 20 * 60_000;
const STALE_MS = HOUR_MS;
const INTRADAY_MS = 4 * HOUR_MS;
const DAY_MS = 24 * HOUR_MS;

export function createPredictionService(deps: PredictionDeps): PredictionService {
  const { db, clock, forecasts } = deps;

  async function newest(tenant: string, series: SeriesKind): Promise<Forecast | null> {
    const now = clock.now();
    const known = await forecasts.latest(tenant, series, now);
    const age_ms = known ? now - known.made_at_ms : Infinity;
    if (age_ms < FRESH_MS) return known;
    const made = forecasts.refresh(tenant, series);
    if (age_ms >= STALE_MS) await made;
    // The next to ask has the new one; that it could not be made is told by whoever makes forecasts on schedule.
    else void made.catch(() => {});
    return forecasts.latest(tenant, series, now);
  }

  async function one(
    tenant: string,
    series: SeriesKind,
    at_ms: number,
    forecast: Forecast | null,
  ): Promise<Prediction> {
    const slot_ms = slotStart(at_ms);
    const near = forecast?.points.find((point) => point.at_ms === slot_ms);
    const later = near || slot_ms < clock.now() ? null : await forecasts.planning?.(tenant, series);
    const source = near ? forecast! : (later ?? null);
    const point = near ?? later?.points.find((each) => each.at_ms === slot_ms);
    if (!source || !point) {
      const reason = forecasts.reason?.(tenant, series) ?? '';
      throw new NotFoundError(
        `Nothing is forecast for ${new Date(at_ms).toISOString()}. ${reason}`.trim(),
        'Ask for an instant within the next days.',
      );
    }
    return {
      ...{ id: randomUUID(), series, at_ms: slot_ms, made_ms: source.made_at_ms, model: source.model },
      ...{ unit: source.unit, mean: point.mean, quantiles: point.quantiles },
    };
  }

  return {
    async predict(tenant, wanted) {
      const kinds = wanted.map(({ series, at_ms }) => ({ series: kindNamed(series), at_ms }));
      const made = new Map<SeriesKind, Forecast | null>();
      for (const series of new Set(kinds.map((each) => each.series))) made.set(series, await newest(tenant, series));
      const found: Prediction[] = [];
      for (const { series, at_ms } of kinds) found.push(await one(tenant, series, at_ms, made.get(series) ?? null));
      await db.asTenant(tenant, async (sql) => {
        await sql(
          `insert into prediction (tenant_id, id, series, at, made_at, model, unit, mean, quantiles)
           select $1, row.* from jsonb_to_recordset($2::jsonb)
             as row(id uuid, series text, at timestamptz, made_at timestamptz, model text, unit text, mean float8, quantiles jsonb)`,
          [
            tenant,
            JSON.stringify(
              found.map(({ at_ms, made_ms, ...row }) => ({ ...row, at: new Date(at_ms), made_at: new Date(made_ms) })),
            ),
          ],
        );
      });
      return found;
    },

    explain: async (tenant, id) => explained(tenant, await db.asTenant(tenant, (sql) => read(sql, id))),
    async explainAt(tenant, series, at_ms) {
      const kind = kindNamed(series);
      return explained(tenant, await one(tenant, kind, at_ms, await newest(tenant, kind)));
    },
  };

  async function explained(tenant: string, prediction: Prediction): Promise<ExplainedPrediction> {
    const { series, at_ms, made_ms } = prediction;
    const known = await gatherHistory(deps, tenant, series);
    const { time_zone, from_ms: unknown_ms } = known;
    // What was known when it was made; prices are known to the end of what was published.
    const from_ms = series === 'price' ? Math.min(unknown_ms, slotStart(at_ms)) : slotStart(made_ms);
    const history: History = { ...historyFrom(series, known), from_ms };
    const horizon = horizonOf(prediction, from_ms, time_zone);
    const champions = await deps.models.champions(tenant, series);
    const stored = champions.find((each) => each.horizon === horizon);
    const memory = stored && deps.forecasts.memory?.(stored.run);
    const champion = stored && memory ? { ...stored, memory } : stored;
    const ask = (model: StoredModel | string) => {
      const task: ExplainTask = { history, at_ms, horizon, model };
      return deps.workers.run<ExplainResult>('explain-forecast', task);
    };
    const told = await ask(champion ?? prediction.model).catch((error: unknown) => {
      if (!(error instanceof InvalidDataError)) throw error;
      return ask('day-profiles/1');
    });
    return { ...prediction, explanation: told };
  }
}

/** The horizon that stands for this instant in a forecast. */
function horizonOf({ series, at_ms }: Prediction, from_ms: number, time_zone: string): Horizon {
  const dayOf = (ms: number) => Math.floor((ms + zoneOffset(ms, time_zone)) / DAY_MS);
  if (series !== 'price' && at_ms < from_ms + INTRADAY_MS) return 'intraday';
  const ahead = dayOf(at_ms) - dayOf(from_ms);
  if (series === 'price') return ahead === 0 ? 'gate-closure' : 'planning';
  return ahead === 0 ? 'day-ahead' : ahead === 1 ? 'gate-closure' : 'planning';
}

function kindNamed(name: string): SeriesKind {
  const series = FORECAST_SERIES.find((each) => each === name);
  if (series) return series;
  throw new NotFoundError(`There is no forecast of "${name}".`, `Ask for ${FORECAST_SERIES.join(', ')}.`);
}

type Row = Omit<Prediction, 'at_ms' | 'made_ms'> & { at: Date; made_at: Date };

async function read(sql: Parameters<Parameters<Base['db']['asTenant']>[1]>[0], id: string): Promise<Prediction> {
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);
  const [row] = isId
    ? await sql<Row>('select id, series, at, made_at, model, unit, mean, quantiles from prediction where id = $1', [id])
    : [];
  if (!row) throw new NotFoundError('There is no such prediction.', 'Predictions are kept for 90 days.');
  const { at, made_at, ...rest } = row;
  return { ...rest, at_ms: at.getTime(), made_ms: made_at.getTime() };
}
