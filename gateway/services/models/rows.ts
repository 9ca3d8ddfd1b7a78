/** Rows of the registry of models. Every function runs in the transaction of one tenant. */
import type { DayScore, Horizon, SeriesKind } from '../../../engine/forecast/box/model-port.ts';
import type { Sql } from '../../../engine/ports.ts';

export type RunState = 'running' | 'done' | 'failed' | 'cancelled';
/** Errors of seven days of the backtest. */
export type SplitMetrics = {
  from: string;
  days: number;
  mae: number;
  naive_mae: number | null;
  inside90: number | null;
};
export type ModelRun = {
  id: string;
  series: SeriesKind;
  horizon: Horizon;
  recipe: string;
  state: RunState;
  started_ms: number;
  duration_ms: number | null;
  data: { from_ms: number; to_ms: number; values: number; hash: string } | null;
  code_version: string;
  parameters: Record<string, unknown>;
  seed: number;
  device: string;
  metrics: { mae?: number; naive_mae?: number | null; inside90?: number | null; splits?: SplitMetrics[] };
  model_hash: string | null;
  artefact: string | null;
  artefact_bytes: number | null;
  reason: string | null;
  exported_ms: number | null;
};
export type LiveRow = {
  series: SeriesKind;
  horizon: Horizon;
  champion: string;
  former: string | null;
  pinned: boolean;
  since_ms: number;
  barred: string[];
};
export type DayRow = DayScore & { run: string; kind: 'backtest' | 'live' };

const DAY_MS = 86_400_000;
const ms = (column: string, name: string) => `(extract(epoch from ${column}) * 1000)::bigint as ${name}`;
const RUN = `id, series, horizon, recipe, state, ${ms('started_at', 'started_ms')}, duration_ms,
  ${ms('data_from', 'from_ms')}, ${ms('data_to', 'to_ms')}, data_values, data_hash, code_version, parameters, seed,
  device, metrics, model_hash, artefact, artefact_bytes, reason, ${ms('exported_at', 'exported_ms')}`;
type RawRun = Omit<ModelRun, 'data'> & {
  from_ms: number | null;
  to_ms: number | null;
  data_values: number | null;
  data_hash: string | null;
};

function runOf({ from_ms, to_ms, data_values, data_hash, ...run }: RawRun): ModelRun {
  const data =
    from_ms === null || to_ms === null ? null : { from_ms, to_ms, values: data_values ?? 0, hash: data_hash ?? '' };
  return { ...run, data };
}

/** Newest first. */
export async function readRuns(sql: Sql, limit: number): Promise<ModelRun[]> {
  return (await sql<RawRun>(`select ${RUN} from model_run order by started_at desc, id limit $1`, [limit])).map(runOf);
}

export async function readRun(sql: Sql, id: string): Promise<ModelRun | null> {
  const [row] = await sql<RawRun>(`select ${RUN} from model_run where id = $1`, [id]);
  return row ? runOf(row) : null;
}

export async function insertRun(sql: Sql, tenant: string, run: ModelRun): Promise<void> {
  const { data } = run;
  const at = (value: number | undefined) => (value === undefined ? null : new Date(value));
  await sql(
    `insert into model_run (tenant_id, id, series, horizon, recipe, state, started_at, data_from, data_to, data_values,
       data_hash, code_version, parameters, seed, device)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      ...[tenant, run.id, run.series, run.horizon, run.recipe, run.state, new Date(run.started_ms)],
      ...[at(data?.from_ms), at(data?.to_ms), data?.values ?? null, data?.hash ?? null],
      ...[run.code_version, JSON.stringify(run.parameters), run.seed, run.device],
    ],
  );
}

/** @returns false where the run was removed meanwhile */
export async function finishRun(sql: Sql, run: ModelRun): Promise<boolean> {
  const found = await sql(
    `update model_run set state = $2, duration_ms = $3, metrics = $4, model_hash = $5, artefact = $6,
       artefact_bytes = $7, reason = $8, device = $9 where id = $1 returning id`,
    [
      ...[run.id, run.state, run.duration_ms, JSON.stringify(run.metrics), run.model_hash, run.artefact],
      ...[run.artefact_bytes, run.reason, run.device],
    ],
  );
  return found.length > 0;
}

export async function markExported(sql: Sql, id: string, at_ms: number): Promise<void> {
  await sql('update model_run set exported_at = $2 where id = $1', [id, new Date(at_ms)]);
}

export async function readLive(sql: Sql): Promise<LiveRow[]> {
  return sql<LiveRow>(
    `select series, horizon, champion, former, pinned, ${ms('since', 'since_ms')}, barred from model_live order by series, horizon`,
  );
}

export async function writeLive(sql: Sql, tenant: string, row: LiveRow): Promise<void> {
  await sql(
    `insert into model_live (tenant_id, series, horizon, champion, former, pinned, since, barred)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (tenant_id, series, horizon) do update set champion = excluded.champion, former = excluded.former,
       pinned = excluded.pinned, since = excluded.since, barred = excluded.barred`,
    [...[tenant, row.series, row.horizon, row.champion, row.former, row.pinned, new Date(row.since_ms), row.barred]],
  );
}

const dateOf = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);

/** What a backtest said stays; a live day is replaced until it is over. */
export async function writeDays(
  sql: Sql,
  tenant: string,
  run: string,
  kind: DayRow['kind'],
  scores: readonly DayScore[],
): Promise<void> {
  for (const { day, hours, mae, naive_mae, inside90, bias } of scores)
    await sql(
      `insert into model_day (tenant_id, run_id, day, kind, hours, mae, naive_mae, inside90, bias)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       on conflict (tenant_id, run_id, day) do update set hours = excluded.hours, mae = excluded.mae,
         naive_mae = excluded.naive_mae, inside90 = excluded.inside90, bias = excluded.bias
       where model_day.kind = excluded.kind`,
      [tenant, run, dateOf(day), kind, hours, mae, naive_mae, inside90, bias],
    );
}

/** Of the newest days, ascending. */
export async function readDays(sql: Sql, runs: readonly string[], days: number): Promise<DayRow[]> {
  if (runs.length === 0) return [];
  return sql<DayRow>(
    `select run_id as run, (day - date '1970-01-01') as day, kind, hours, mae, naive_mae, inside90, bias from model_day
     where run_id = any($1::uuid[]) and day > (select max(day) from model_day) - $2::integer order by day`,
    [runs, days],
  );
}
