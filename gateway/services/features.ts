/** The feature table: what models see of each local hour, as known at the origin of its day. */
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import type { History, SeriesKind } from '../../engine/forecast/box/model-port.ts';
import { type FeatureTable, featureTable } from '../../engine/forecast/box/site-pasts.ts';
import type { Base, JobService } from '../services.ts';
import { gatherHistory, type HistoryDeps, historyFrom } from './forecasts/history.ts';
import { FORECAST_SERIES } from './forecasts.ts';

export interface FeatureService {
  /** Builds the rows of the newest `days` anew. @returns rows per series; a series without data is left out */
  build(tenant: string, options: { series?: string; days: number }): Promise<Partial<Record<SeriesKind, number>>>;
}

export type RunningFeatures = FeatureService & {
  /** Declares the nightly job (before the job service starts). */
  start(): void;
};

export type FeatureDeps = HistoryDeps &
  Pick<Base, 'db' | 'log'> & { code_version: string; jobs: Pick<JobService, 'define' | 'schedule'> };

/** Rows of one statement. */
const CHUNK = 2000;
const QUEUE = 'features';
/** Readings of so many days back may have been repaired since the night before. */
const RENEWED_DAYS = 8;
/** As many as the longest history that models look at; older rows go. */
const KEEP_DAYS = 1100;
const DAY_MS = 86_400_000;

/** @param deps `code_version` is stored with each row, so that rows of another version are told apart. */
export function createFeatureService(deps: FeatureDeps): RunningFeatures {
  const service: RunningFeatures = {
    async build(tenant, { series, days }) {
      const built: Partial<Record<SeriesKind, number>> = {};
      for (const one of series === undefined ? FORECAST_SERIES : [kindNamed(series)]) {
        const history = await historyOf(deps, tenant, one);
        if (!history) continue;
        const table = featureTable(history, days);
        await store(deps, tenant, one, table);
        built[one] = table.rows.length;
      }
      return built;
    },
    start() {
      deps.jobs.define(
        QUEUE,
        async () => {
          for (const tenant of deps.site.tenants())
            if (deps.site.get(tenant))
              await keepUp(tenant).catch((error: unknown) =>
                deps.log.warn({ err: error, tenant_id: tenant }, 'the feature table was not kept up; tomorrow it is'),
              );
        },
        { timeout_s: 900, retries: 0 },
      );
      // After the training of the night.
      deps.jobs.schedule(QUEUE, { cron: '10 3 * * *' }, {});
    },
  };
  return service;

  /** Rows of another version are of no use beside those of this one: then all are built anew. */
  async function keepUp(tenant: string): Promise<void> {
    const known = await deps.db.asTenant(tenant, async (sql) => {
      await sql('delete from features_hourly where at < $1', [new Date(deps.clock.now() - KEEP_DAYS * DAY_MS)]);
      return sql<{ series: string }>(
        'select series from features_hourly group by series having (array_agg(source_version order by at desc))[1] = $1',
        [deps.code_version],
      );
    });
    for (const series of FORECAST_SERIES) {
      const isKnown = known.some((row) => row.series === series);
      await service.build(tenant, { series, days: isKnown ? RENEWED_DAYS : KEEP_DAYS });
    }
  }
}

function kindNamed(name: string): SeriesKind {
  const series = FORECAST_SERIES.find((one) => one === name);
  if (series) return series;
  throw new NotFoundError(`There is no forecast of "${name}".`, `Ask for ${FORECAST_SERIES.join(', ')}.`);
}

async function historyOf(deps: HistoryDeps, tenant: string, series: SeriesKind): Promise<History | null> {
  try {
    return historyFrom(series, await gatherHistory(deps, tenant, series));
  } catch (error) {
    if (error instanceof InvalidDataError) return null;
    throw error;
  }
}

async function store(deps: FeatureDeps, tenant: string, series: SeriesKind, { names, rows: made }: FeatureTable) {
  const created = new Date(deps.clock.now());
  const rows = made.map(({ at_ms, values }) => ({ at: new Date(at_ms), values }));
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
