/** What the registry tells an MLflow server, where one is configured. */
import { createMlflow, type ExportedRun, type Mlflow } from '../../../connectors/models/mlflow.ts';
import type { HttpFetch } from '../../../engine/ports.ts';
import type { Base } from '../../services.ts';
import { type ModelRun, markExported } from './rows.ts';

export type ModelExport = {
  onTrained(tenant: string, run: ModelRun, artefact: string): Promise<void>;
  onLive(tenant: string, live: ModelRun, former: ModelRun | null): Promise<void>;
};

export function createModelExport(
  deps: Pick<Base, 'db' | 'clock'>,
  to: { url: string; fetch: HttpFetch },
  mlflow: Mlflow = createMlflow(to),
): ModelExport {
  return {
    async onTrained(tenant, run, artefact) {
      await mlflow.record(exportOf(tenant, run, artefact));
      await deps.db.asTenant(tenant, (sql) => markExported(sql, run.id, deps.clock.now()));
    },
    async onLive(tenant, live, former) {
      if (former) await mlflow.stage(nameOf(tenant, former), former.id, 'Archived');
      await mlflow.stage(nameOf(tenant, live), live.id, 'Production');
    },
  };
}

const nameOf = (tenant: string, { series, horizon }: ModelRun): string => `luna-${tenant}-${series}-${horizon}`;

export function exportOf(tenant: string, run: ModelRun, artefact: string): ExportedRun {
  const { metrics, data } = run;
  const known = { mae: metrics.mae, naive_mae: metrics.naive_mae, inside90: metrics.inside90 };
  const whole = Object.entries(known).flatMap(([key, value]) =>
    typeof value === 'number' ? [{ key, value, step: 0 }] : [],
  );
  const splits = (metrics.splits ?? []).map(({ mae }, step) => ({ key: 'mae_of_split', value: mae, step }));
  return {
    ...{ id: run.id, model: nameOf(tenant, run), started_ms: run.started_ms, artefact },
    ended_ms: run.started_ms + (run.duration_ms ?? 0),
    parameters: {
      ...Object.fromEntries(Object.entries(run.parameters).map(([key, value]) => [key, String(value)])),
      ...{ recipe: run.recipe, seed: String(run.seed), data_hash: data?.hash ?? '', device: run.device },
      ...(data ? { data_from: new Date(data.from_ms).toISOString(), data_to: new Date(data.to_ms).toISOString() } : {}),
    },
    metrics: [...whole, ...splits],
    tags: {
      code_version: run.code_version,
      model_hash: run.model_hash ?? '',
      series: run.series,
      horizon: run.horizon,
    },
  };
}
