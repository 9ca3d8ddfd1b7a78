/** The registry of forecast models: trains, keeps, judges, and lets people pin, promote, roll back and reload. */
import { InvalidDataError, NotFoundError, UnavailableError } from '../../engine/errors.ts';
import { type History, HORIZONS, type Horizon, type SeriesKind } from '../../engine/forecast/box/model-port.ts';
import { recipesOf } from '../../engine/forecast/box/recipes.ts';
import type { Actor, JobService } from '../services.ts';
import type { StoredModel } from '../workers/live-models.ts';
import { writeAudit } from './audit.ts';
import { gatherHistory, type HistoryDeps, historyFrom } from './forecasts/history.ts';
import { change, competing, fallBack, judgeHorizon, type LiveDeps, storedModels } from './models/live.ts';
import { type DayRow, type LiveRow, type ModelRun, readDays, readLive, readRun, readRuns } from './models/rows.ts';
import { hashOf, type Order, type TrainingDeps, trainAll } from './models/training.ts';

export type HorizonModels = {
  series: SeriesKind;
  horizon: Horizon;
  live: LiveRow | null;
  /** Champion, former, and the newest of each recipe. */
  runs: (ModelRun & { days: DayRow[] })[];
};
export type TrainingState = { done: number; total: number; text: string; started_ms: number };

export type TrainOptions = {
  series?: string;
  /** All, not only what is due. */
  force?: boolean;
  /** Networks and forests as well, which take minutes; as configured where left out. */
  networks?: boolean;
};

export interface ModelService {
  /** What competes, per series and horizon. */
  list(tenant: string, series?: string): Promise<HorizonModels[]>;
  /** @throws NotFoundError */
  run(tenant: string, id: string): Promise<ModelRun>;
  /** Trained models that are live, for forecasts. */
  champions(tenant: string, series: SeriesKind): Promise<StoredModel[]>;
  /** Trains what is due (all with `force`), then judges. @throws UnavailableError while it trains already. */
  train(actor: Actor, options?: TrainOptions): Promise<ModelRun[]>;
  training(tenant: string): TrainingState | null;
  /** @returns false where nothing was being trained. */
  cancel(actor: Actor): Promise<boolean>;
  /** Scores, judges, promotes and rolls back; the job does it every hour. */
  judge(tenant: string): Promise<void>;
  promote(actor: Actor, run: string): Promise<void>;
  pin(actor: Actor, series: string, horizon: string, pinned: boolean): Promise<void>;
  rollBack(actor: Actor, series: string, horizon: string): Promise<void>;
  /** Reads the artefacts anew. @returns how many are live */
  reload(actor: Actor): Promise<number>;
  /** A live model that could not forecast. */
  failed(tenant: string, series: SeriesKind, run: string, fault: string): void;
  forget(tenant: string): void;
}
type Wanted = { force: boolean; networks: boolean };
export type RunningModels = ModelService & { start(): void };

export type ModelDeps = HistoryDeps &
  Pick<LiveDeps, 'alerts' | 'workers' | 'log' | 'bus' | 'db' | 'metrics'> &
  Pick<TrainingDeps, 'trainers' | 'threads' | 'code_version' | 'files' | 'neural'> & {
    jobs: Pick<JobService, 'define' | 'schedule' | 'send'>;
    /** Whether networks are trained without being asked for: `auto` where a graphics card was chosen. */
    networks?: 'auto' | 'on' | 'off';
    /** Told of each run that was recorded. */
    onTrained?: (tenant: string, run: ModelRun, artefact: string) => Promise<void>;
    /** Told which run went live, and which was before. */
    onLive?: (tenant: string, live: ModelRun, former: ModelRun | null) => Promise<void>;
  };

const SERIES: readonly SeriesKind[] = ['load', 'generation', 'price'];
const MOST_RUNS = 400;
const SHOWN_DAYS = 60;
/** A model is made anew after so long, or when its history has grown by this factor. */
const RENEW_MS = 7 * 86_400_000;
const GROWN = 1.2;
/** Runs that are no champion any more are kept so long, then their artefacts go. */
const KEEP_MS = 90 * 86_400_000;
const TRAIN = 'train-models';
const JUDGE = 'judge-models';
const MOST_KEPT = 40;

export function createModelService(deps: ModelDeps): RunningModels {
  const { db, clock, log, jobs, bus } = deps;
  const artefacts = new Map<string, string>();
  const champions = new Map<string, Promise<StoredModel[]>>();
  const running = new Map<string, { state: TrainingState; stop: AbortController }>();
  const keyOf = (tenant: string, series: string) => `${tenant} ${series}`;

  const live: LiveDeps = {
    ...deps,
    async artefactOf(tenant, run) {
      const known = artefacts.get(run.id);
      if (known !== undefined) return known;
      if (!run.artefact) throw new InvalidDataError('This run has no artefact.', 'Train the models anew.');
      const bytes = await deps.files.read(tenant, run.artefact);
      // What was changed behind the box's back must not forecast.
      if (hashOf(bytes) !== run.model_hash)
        throw new InvalidDataError('The artefact is not the one that was trained.', 'Train the models anew.');
      const text = new TextDecoder().decode(bytes);
      artefacts.set(run.id, text);
      if (artefacts.size > MOST_KEPT) artefacts.delete(artefacts.keys().next().value!);
      return text;
    },
    onChange(tenant, series, { champion, former }) {
      champions.delete(keyOf(tenant, series));
      if (deps.onLive) void staged(deps.onLive, tenant, champion, former);
    },
  };

  const historyOf = async (tenant: string, series: SeriesKind): Promise<History> =>
    historyFrom(series, await gatherHistory(deps, tenant, series));
  const wantsNetworks = () => deps.networks === 'on' || (deps.networks === 'auto' && deps.neural?.isFast() === true);

  /** Recipes that were never trained, or long ago, or on much less. */
  async function due(tenant: string, series: SeriesKind, { force, networks }: Wanted): Promise<Order[]> {
    const history = await historyOf(tenant, series);
    const values = history.columns.values.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0);
    const runs = await db.asTenant(tenant, (sql) => readRuns(sql, MOST_RUNS));
    return HORIZONS.flatMap((horizon) =>
      recipesOf(series, horizon)
        .filter((recipe) => (!recipe.networks || networks) && (!recipe.weather || history.weather?.length))
        .filter((recipe) => {
          const last = runs.find(
            (run) => run.series === series && run.horizon === horizon && run.recipe === recipe.name,
          );
          if (force || !last || last.state === 'cancelled') return true;
          const grown = values >= GROWN * (last.data?.values ?? 0);
          return grown || (last.state === 'done' && clock.now() - last.started_ms >= RENEW_MS);
        })
        // What does not look at the weather learns from the same data with and without.
        .map((recipe) => ({
          series,
          horizon,
          recipe,
          history: recipe.weather ? history : { ...history, weather: [] },
        })),
    );
  }

  async function train(tenant: string, series: readonly SeriesKind[], wanted: Wanted, stop: AbortController) {
    const orders: Order[] = [];
    for (const one of series)
      await due(tenant, one, wanted).then(
        (found) => orders.push(...found),
        (error: unknown) => {
          // No meter, no prices: nothing to learn.
          if (!(error instanceof InvalidDataError)) throw error;
        },
      );
    const started_ms = clock.now();
    const made = await trainAll(deps, tenant, orders, stop.signal, (done, total, text) => {
      running.set(tenant, { stop, state: { done, total, text, started_ms } });
      bus.publish({ type: 'progress', tenant, task: TRAIN, done, total, text });
    });
    for (const run of made) if (run.state === 'done') await exported(tenant, run);
    return made;
  }

  async function exported(tenant: string, run: ModelRun): Promise<void> {
    if (!deps.onTrained) return;
    const text = await live.artefactOf(tenant, run);
    await deps
      .onTrained(tenant, run, text)
      .catch((error: unknown) =>
        log.warn(
          { err: error, tenant_id: tenant, run: run.id },
          'a run could not be exported; the box goes on without',
        ),
      );
  }

  /** What is away is told at the next change; the box goes on without. */
  async function staged(
    onLive: NonNullable<ModelDeps['onLive']>,
    tenant: string,
    champion: string,
    former: string | null,
  ) {
    try {
      const { now, before } = await db.asTenant(tenant, async (sql) => ({
        now: await readRun(sql, champion),
        before: former === null ? null : await readRun(sql, former),
      }));
      if (now) await onLive(tenant, now, before);
    } catch (error) {
      log.warn({ err: error, tenant_id: tenant, run: champion }, 'the stage of a run could not be exported');
    }
  }

  /** Old runs go with their artefacts; those that are live or were before stay. */
  async function prune(tenant: string): Promise<void> {
    const old = await db.asTenant(tenant, async (sql) => {
      const kept = (await readLive(sql)).flatMap(({ champion, former }) => [champion, ...(former ? [former] : [])]);
      const before = new Date(clock.now() - KEEP_MS);
      await sql('delete from prediction where made_at < $1', [before]);
      return sql<{ artefact: string | null }>(
        'delete from model_run where started_at < $1 and not (id = any($2::uuid[])) returning artefact',
        [before, kept],
      );
    });
    for (const { artefact } of old) if (artefact) await deps.files.remove(tenant, artefact);
  }

  const service: RunningModels = {
    async list(tenant, series) {
      return db.asTenant(tenant, async (sql) => {
        const [runs, rows] = [await readRuns(sql, MOST_RUNS), await readLive(sql)];
        const shown = SERIES.filter((one) => series === undefined || one === series).flatMap((one) =>
          HORIZONS.map((horizon) => {
            const row = rows.find((r) => r.series === one && r.horizon === horizon) ?? null;
            return { series: one, horizon, live: row, runs: competing(runs, row ?? undefined, one, horizon) };
          }),
        );
        const ids = shown.flatMap((one) => one.runs.map(({ id }) => id));
        const days = await readDays(sql, ids, SHOWN_DAYS);
        return shown
          .filter((one) => one.runs.length > 0)
          .map((one) => ({
            ...one,
            runs: one.runs.map((run) => ({ ...run, days: days.filter((day) => day.run === run.id) })),
          }));
      });
    },
    run: (tenant, id) => db.asTenant(tenant, (sql) => found(readRun(sql, uuid(id)))),
    champions(tenant, series) {
      const key = keyOf(tenant, series);
      const known = champions.get(key) ?? storedModels(live, tenant, series);
      champions.set(key, known);
      known.catch(() => champions.delete(key));
      // A damaged artefact is found by the next judgement; until then what needs no training forecasts.
      return known.catch((error: unknown) => {
        log.warn({ err: error, tenant_id: tenant, series }, 'the live models could not be read');
        return [];
      });
    },
    async train({ tenant, person }, { series, force = false, networks = wantsNetworks() } = {}) {
      if (running.has(tenant))
        throw new UnavailableError('The models are being trained already.', 'Wait, or cancel it.');
      const stop = new AbortController();
      const state = { done: 0, total: 0, text: '', started_ms: clock.now() };
      running.set(tenant, { stop, state });
      try {
        const made = await train(
          tenant,
          series === undefined ? SERIES : [kindNamed(series)],
          { force, networks },
          stop,
        );
        log.info({ tenant_id: tenant, person, runs: made.length }, 'models trained');
        if (!stop.signal.aborted) await service.judge(tenant);
        return made;
      } finally {
        running.delete(tenant);
        bus.publish({ type: 'forecast', tenant, series: series ?? 'load' });
      }
    },
    training: (tenant) => running.get(tenant)?.state ?? null,
    async cancel(actor) {
      const found = running.get(actor.tenant);
      found?.stop.abort();
      if (found) await db.asTenant(actor.tenant, (sql) => writeAudit(sql, actor, 'model.training.cancelled', 'models'));
      return found !== undefined;
    },
    async judge(tenant) {
      for (const series of SERIES) {
        const history = await historyOf(tenant, series).catch((error: unknown) => {
          if (error instanceof InvalidDataError) return null;
          throw error;
        });
        if (history) for (const horizon of HORIZONS) await judgeHorizon(live, tenant, series, horizon, history);
      }
    },
    async promote(actor, id) {
      const { run, row } = await db.asTenant(actor.tenant, async (sql) => {
        const run = await found(readRun(sql, uuid(id)));
        return { run, row: (await readLive(sql)).find((r) => r.series === run.series && r.horizon === run.horizon) };
      });
      if (run.state !== 'done') throw new InvalidDataError('This run yielded no model.', 'Choose one that is done.');
      if (row?.champion === run.id) return;
      await live.artefactOf(actor.tenant, run);
      const next: LiveRow = {
        ...{ series: run.series, horizon: run.horizon, champion: run.id, former: row?.champion ?? null },
        ...{ pinned: row?.pinned ?? false, since_ms: clock.now() },
        barred: (row?.barred ?? []).filter((barred) => barred !== run.id),
      };
      await change(live, actor, next, 'model.promoted', { recipe: run.recipe, by: actor.person });
    },
    async pin(actor, series, horizon, pinned) {
      const row = await rowOf(actor.tenant, series, horizon);
      await change(live, actor, { ...row, pinned }, pinned ? 'model.pinned' : 'model.unpinned', {});
    },
    async rollBack(actor, series, horizon) {
      const row = await rowOf(actor.tenant, series, horizon);
      if (!row.former) throw new InvalidDataError('There is no model before this one.', 'Promote another one instead.');
      await db.asTenant(actor.tenant, (sql) => writeAudit(sql, actor, 'model.rollback.asked', `${series} ${horizon}`));
      await fallBack(live, actor.tenant, row, { by: actor.person });
    },
    async reload(actor) {
      service.forget(actor.tenant);
      const found = await Promise.all(SERIES.map((series) => storedModels(live, actor.tenant, series)));
      await db.asTenant(actor.tenant, (sql) =>
        writeAudit(sql, actor, 'model.reloaded', 'models', { live: found.flat().length }),
      );
      return found.flat().length;
    },
    failed(tenant, series, run, fault) {
      log.warn({ tenant_id: tenant, series, run, fault }, 'a live model could not forecast');
    },
    forget(tenant) {
      artefacts.clear();
      for (const series of SERIES) champions.delete(keyOf(tenant, series));
    },
    start() {
      const each = async (work: (tenant: string) => Promise<unknown>) => {
        for (const tenant of deps.site.tenants())
          if (deps.site.get(tenant))
            await work(tenant).catch((error: unknown) =>
              log.warn(
                { err: error, tenant_id: tenant },
                'forecast models could not be looked after; the next round tries again',
              ),
            );
      };
      const system = (tenant: string): Actor => ({ tenant, person: 'system', role: 'admin', language: 'en' });
      jobs.define(
        TRAIN,
        () =>
          each(async (tenant) => {
            await service.train(system(tenant));
            await prune(tenant);
          }),
        { timeout_s: 3 * 3600, retries: 0 },
      );
      jobs.define(JUDGE, () => each((tenant) => service.judge(tenant)), { timeout_s: 900 });
      // At night, and a little after each hour, when its last slot is in.
      jobs.schedule(TRAIN, { cron: '40 1 * * *' }, {});
      jobs.schedule(JUDGE, { cron: '22 * * * *' }, {});
    },
  };
  return service;

  async function rowOf(tenant: string, series: string, horizon: string): Promise<LiveRow> {
    const rows = await db.asTenant(tenant, readLive);
    const row = rows.find((one) => one.series === series && one.horizon === horizon);
    if (!row) throw new NotFoundError(`There is no model of ${series}, ${horizon} yet.`, 'Train the models first.');
    return row;
  }
}

function kindNamed(name: string): SeriesKind {
  const series = SERIES.find((one) => one === name);
  if (series) return series;
  throw new NotFoundError(`There is no forecast of "${name}".`, `Ask for ${SERIES.join(', ')}.`);
}

async function found(run: Promise<ModelRun | null>): Promise<ModelRun> {
  const one = await run;
  if (!one) throw new NotFoundError('There is no such run.', 'It may have been removed; the registry lists them.');
  return one;
}

function uuid(id: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return id;
  throw new NotFoundError('There is no such run.', 'The registry lists them.');
}
