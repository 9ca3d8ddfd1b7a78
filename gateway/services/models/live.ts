/**
 * Which run is live, hour by hour: scores champion and challengers on what came, promotes who won on unseen days, rolls
 * back whose error left its band, and tells of drift. Every change is in the audit log.
 */
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import type { History, Horizon, SeriesKind } from '../../../engine/forecast/box/model-port.ts';
import { recipesOf } from '../../../engine/forecast/box/recipes.ts';
import { gridOf } from '../../../engine/forecast/box/slot-panel.ts';
import {
  type ContestState,
  judgeRuns,
  ROLLBACK_HOURS,
  type ScoredRun,
  type Verdict,
} from '../../../engine/forecast/contest.ts';
import { PSI_DRIFT, populationStability } from '../../../engine/forecast/drift.ts';
import { DAY_HOURS } from '../../../engine/forecast/local-grid.ts';
import { zoneOffset } from '../../../engine/model/time.ts';
import type { Actor, AlertService, Base, Workers } from '../../services.ts';
import type { StoredModel } from '../../workers/live-models.ts';
import type { ScoreResult, ScoreTask } from '../../workers/score-models.ts';
import { writeAudit } from '../audit.ts';
import {
  type DayRow,
  type LiveRow,
  type ModelRun,
  readDays,
  readLive,
  readRuns,
  writeDays,
  writeLive,
} from './rows.ts';

const DAY_MS = 86_400_000;
/** Challengers beside the champion: of each recipe the newest. */
const MOST_RUNS = 400;
const LOOK_BACK_DAYS = 120;
const RECENT_DAYS = 14;
const COVERAGE_DAYS = 28;

export type LiveDeps = Pick<Base, 'db' | 'clock' | 'log' | 'metrics' | 'bus'> & {
  workers: Pick<Workers, 'run'>;
  alerts: Pick<AlertService, 'raise' | 'clear'>;
  artefactOf(tenant: string, run: ModelRun): Promise<string>;
  /** What was in memory of the live models no longer holds. */
  onChange(tenant: string, series: SeriesKind, row: LiveRow): void;
};

export const SYSTEM = (tenant: string): Actor => ({ tenant, person: 'system', role: 'admin', language: 'en' });

/** The runs that compete: champion, former, and the newest of each recipe. */
export function competing(runs: readonly ModelRun[], live: LiveRow | undefined, series: string, horizon: string) {
  const all = runs.filter((run) => run.series === series && run.horizon === horizon && run.state === 'done');
  const newest = new Map<string, ModelRun>();
  for (const run of all) if (!newest.has(run.recipe)) newest.set(run.recipe, run);
  const held = all.filter(({ id }) => id === live?.champion || id === live?.former);
  return [...new Set([...held, ...newest.values()])];
}

/** One round over a series and horizon. Pure decisions are made in engine/forecast/contest.ts. */
export async function judgeHorizon(
  deps: LiveDeps,
  tenant: string,
  series: SeriesKind,
  horizon: Horizon,
  history: History,
) {
  const { db } = deps;
  const found = await db.asTenant(tenant, async (sql) => ({
    runs: await readRuns(sql, MOST_RUNS),
    live: await readLive(sql),
  }));
  const live = found.live.find((row) => row.series === series && row.horizon === horizon);
  const runs = competing(found.runs, live, series, horizon);
  if (runs.length === 0) return;
  if (!live) return void (await crown(deps, tenant, runs, series, horizon));
  const faults = await scoreRuns(deps, tenant, runs, history);
  const fault = faults.get(live.champion);
  if (fault !== undefined) return void (await fallBack(deps, tenant, live, { reason: fault }));
  const days = await db.asTenant(tenant, (sql) =>
    readDays(
      sql,
      runs.map(({ id }) => id),
      LOOK_BACK_DAYS,
    ),
  );
  const scored = runs.filter(({ id }) => !faults.has(id)).map((run) => scoredOf(run, days));
  const verdict = judgeRuns(stateOf(live, history), scored, dayNow(history));
  tellCoverage(deps, tenant, live, scored);
  await apply(deps, tenant, live, verdict, runs);
  if (verdict.act === 'keep' && verdict.out_hours === 0 && !live.pinned) await renew(deps, tenant, live, runs);
  await watchDrift(deps, tenant, live, history, runs);
}

function scoredOf({ id, recipe }: ModelRun, days: readonly DayRow[]): ScoredRun {
  const of = (kind: DayRow['kind']) => days.filter((row) => row.run === id && row.kind === kind);
  return { id, recipe, backtest: of('backtest'), live: of('live') };
}

const stateOf = ({ champion, former, pinned, since_ms, barred }: LiveRow, { time_zone }: History): ContestState => ({
  ...{ champion, former, pinned, barred },
  since_day: Math.floor((since_ms + zoneOffset(since_ms, time_zone)) / DAY_MS),
});
const dayNow = ({ from_ms }: History): number => Math.floor(from_ms / DAY_MS);

/** The first of a series: what was forecasting before any training goes on, until something wins against it. */
async function crown(deps: LiveDeps, tenant: string, runs: readonly ModelRun[], series: SeriesKind, horizon: Horizon) {
  const untrained = runs.filter(({ recipe }) => !/-mix\//.test(recipe));
  const best = [...(untrained.length > 0 ? untrained : runs)].sort(
    (a, b) => (a.metrics.mae ?? Infinity) - (b.metrics.mae ?? Infinity),
  )[0]!;
  const row: LiveRow = {
    ...{ series, horizon, champion: best.id, former: null, pinned: false, since_ms: deps.clock.now(), barred: [] },
  };
  await change(deps, SYSTEM(tenant), row, 'model.first', { recipe: best.recipe, mae: best.metrics.mae });
}

/** @returns what was wrong with runs that could not be brought back. */
async function scoreRuns(deps: LiveDeps, tenant: string, runs: readonly ModelRun[], history: History) {
  const faults = new Map<string, string>();
  const models: ScoreTask['models'] = [];
  for (const run of runs)
    try {
      const artefact = await deps.artefactOf(tenant, run);
      // The day that it was trained on, and those since.
      const to_ms = run.data?.to_ms ?? run.started_ms;
      const from_day = Math.floor((to_ms + zoneOffset(to_ms, history.time_zone)) / DAY_MS);
      models.push({ run: run.id, recipe: run.recipe, horizon: run.horizon, artefact, from_day });
    } catch (error) {
      if (!(error instanceof InvalidDataError || error instanceof NotFoundError)) throw error;
      faults.set(run.id, error.message);
    }
  const results = await deps.workers.run<ScoreResult>('score-models', { history, models } satisfies ScoreTask);
  await deps.db.asTenant(tenant, async (sql) => {
    for (const { run, scores } of results) await writeDays(sql, tenant, run, 'live', scores);
  });
  for (const { run, fault } of results) if (fault !== null) faults.set(run, fault);
  return faults;
}

async function apply(deps: LiveDeps, tenant: string, live: LiveRow, verdict: Verdict, runs: readonly ModelRun[]) {
  const object = `${live.series} ${live.horizon}`;
  const recipeOf = (id: string) => runs.find((run) => run.id === id)?.recipe ?? id;
  if (verdict.act === 'promote') {
    const { days, gain, dm_p, low } = verdict.result;
    const row = { ...live, champion: verdict.run, former: live.champion, since_ms: deps.clock.now() };
    await change(deps, SYSTEM(tenant), row, 'model.promoted', { recipe: recipeOf(verdict.run), days, gain, dm_p, low });
  } else if (verdict.act === 'roll back') {
    await fallBack(deps, tenant, live, {
      out_hours: verdict.out_hours,
      band: verdict.band,
      recipe: recipeOf(live.champion),
    });
  } else if (verdict.out_hours >= ROLLBACK_HOURS)
    await deps.alerts.raise(tenant, 'forecast_error', object, 'warning', { name: object, hours: verdict.out_hours });
  else await deps.alerts.clear(tenant, 'forecast_error', object);
}

/** What learns nothing is the same model whenever it was made; the newest run of it knows the bands of the newest days. */
async function renew(deps: LiveDeps, tenant: string, live: LiveRow, runs: readonly ModelRun[]) {
  const champion = runs.find(({ id }) => id === live.champion);
  const recipe = recipesOf(live.series, live.horizon).find(({ name }) => name === champion?.recipe);
  if (!champion || !recipe || recipe.learns) return;
  const newest = runs
    .filter((run) => run.recipe === champion.recipe && !live.barred.includes(run.id))
    .reduce((a, b) => (b.started_ms > a.started_ms ? b : a), champion);
  if (newest.id === champion.id) return;
  await change(deps, SYSTEM(tenant), { ...live, champion: newest.id }, 'model.renewed', { recipe: newest.recipe });
}

/** Back to the one before; where there is none, what needs no training takes over until the next judgement. */
export async function fallBack(deps: LiveDeps, tenant: string, live: LiveRow, detail: Record<string, unknown>) {
  const runs = await deps.db.asTenant(tenant, (sql) => readRuns(sql, MOST_RUNS));
  const others = competing(runs, live, live.series, live.horizon).filter(({ id }) => id !== live.champion);
  const plain = others.find(({ recipe }) => !/-mix\//.test(recipe));
  const next = others.find(({ id }) => id === live.former) ?? plain;
  if (!next) return;
  const row: LiveRow = {
    ...live,
    ...{ champion: next.id, former: null, pinned: false, since_ms: deps.clock.now() },
    barred: [...new Set([...live.barred, live.champion])],
  };
  await change(deps, SYSTEM(tenant), row, 'model.rollback', { from: live.champion, to: next.recipe, ...detail });
  const object = `${live.series} ${live.horizon}`;
  await deps.alerts.raise(tenant, 'model_rolled_back', object, 'warning', { name: object, recipe: next.recipe });
}

/** Writes the row and the audit log in one transaction, and lets pages and forecasts know. */
export async function change(deps: LiveDeps, actor: Actor, row: LiveRow, act: string, detail: Record<string, unknown>) {
  const { tenant } = actor;
  await deps.db.asTenant(tenant, async (sql) => {
    await writeLive(sql, tenant, row);
    await writeAudit(sql, actor, act, `${row.series} ${row.horizon}`, { run: row.champion, ...detail });
  });
  deps.log.info({ tenant_id: tenant, series: row.series, horizon: row.horizon, run: row.champion, ...detail }, act);
  deps.onChange(tenant, row.series, row);
  deps.bus.publish({ type: 'forecast', tenant, series: row.series });
}

function tellCoverage({ metrics }: LiveDeps, tenant: string, live: LiveRow, scored: readonly ScoredRun[]) {
  const champion = scored.find(({ id }) => id === live.champion);
  const days = [...(champion?.backtest ?? []), ...(champion?.live ?? [])].slice(-COVERAGE_DAYS);
  const known = days.filter(({ inside90 }) => inside90 !== null);
  const hours = known.reduce((sum, day) => sum + day.hours, 0);
  if (hours === 0) return;
  const share = known.reduce((sum, day) => sum + day.inside90! * day.hours, 0) / hours;
  metrics.model_coverage.set({ tenant, series: live.series, horizon: live.horizon }, share);
}

/** Whether the last two weeks are still of the kind that the champion learned from, at the same times of the week. */
async function watchDrift(deps: LiveDeps, tenant: string, live: LiveRow, history: History, runs: readonly ModelRun[]) {
  const champion = runs.find(({ id }) => id === live.champion);
  if (!champion?.data) return;
  const grid = gridOf(history);
  const recent = grid.hours.subarray(-RECENT_DAYS * DAY_HOURS);
  const learned = Math.max(0, grid.hours.length - (RECENT_DAYS + 84) * DAY_HOURS);
  const before = grid.hours.subarray(learned, grid.hours.length - RECENT_DAYS * DAY_HOURS);
  const psi = before.length < 28 * DAY_HOURS ? null : populationStability(before, recent);
  const object = `${live.series} ${live.horizon}`;
  if (psi !== null && psi > 2 * PSI_DRIFT)
    await deps.alerts.raise(tenant, 'forecast_drift', object, 'info', { name: object, psi });
  else await deps.alerts.clear(tenant, 'forecast_drift', object);
}

export async function storedModels(
  deps: Pick<LiveDeps, 'db' | 'artefactOf'>,
  tenant: string,
  series: SeriesKind,
): Promise<StoredModel[]> {
  const { runs, live } = await deps.db.asTenant(tenant, async (sql) => ({
    runs: await readRuns(sql, MOST_RUNS),
    live: await readLive(sql),
  }));
  const found: StoredModel[] = [];
  for (const row of live.filter((one) => one.series === series)) {
    const run = runs.find(({ id }) => id === row.champion);
    if (run)
      found.push({
        run: run.id,
        recipe: run.recipe,
        horizon: run.horizon,
        artefact: await deps.artefactOf(tenant, run),
      });
  }
  return found;
}
