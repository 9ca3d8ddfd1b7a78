/** What the Forecasts page shows of the models, and what may be done there. */
import { InvalidDataError, NotAllowedError, NotFoundError } from '../../../engine/errors.ts';
import { groupContributions } from '../../../engine/forecast/feature-groups.ts';
import { instantOf } from '../../../engine/model/time.ts';
import type { AccuracyView, HorizonView, ModelsView, RunView, WhyView } from '../../../web/pages/forecast-models.ts';
import type { ForecastSeries } from '../../../web/pages/forecasts.ts';
import type { Actor, HorizonModels, Services } from '../../services.ts';
import { hasRole } from '../api.ts';

const DAY_MS = 86_400_000;
const COVERAGE_DAYS = 28;
/** What is shown day by day: of the horizon that most of the page is about. */
const SHOWN = ['day-ahead', 'gate-closure', 'planning', 'intraday'] as const;

/** Prices are shown per kWh. */
const factorOf = (series: ForecastSeries): number => (series === 'price' ? 1 / 1000 : 1);

export async function modelsOf(
  { models }: Pick<Services, 'models'>,
  tenant: string,
  series: ForecastSeries,
  time_zone: string,
): Promise<ModelsView> {
  const found = await models.list(tenant, series);
  const shown = SHOWN.map((horizon) => found.find((one) => one.horizon === horizon)).find((one) => one?.live);
  const state = models.training(tenant);
  return {
    horizons: found.map((one) => horizonOf(one, factorOf(series))),
    accuracy: shown ? accuracyOf(shown, factorOf(series), time_zone) : null,
    training: state && { done: state.done, total: state.total, text: state.text },
  };
}

function horizonOf({ horizon, live, runs }: HorizonModels, factor: number): HorizonView {
  const stateOf = (id: string): RunView['state'] => {
    if (id === live?.champion) return live.pinned ? 'pinned' : 'live';
    if (live?.barred.includes(id)) return 'barred';
    return id === live?.former ? 'former' : 'challenger';
  };
  return {
    ...{ horizon, pinned: live?.pinned ?? false, has_former: Boolean(live?.former) },
    runs: runs.map((run) => ({
      ...{ id: run.id, recipe: run.recipe, reason: run.reason, trained_ms: run.started_ms },
      state: run.state === 'done' ? stateOf(run.id) : 'failed',
      mae: run.metrics.mae === undefined ? null : run.metrics.mae * factor,
    })),
  };
}

function accuracyOf({ live, runs }: HorizonModels, factor: number, time_zone: string): AccuracyView {
  const daysOf = (id: string | null) => runs.find((run) => run.id === id)?.days ?? [];
  const [champion, former] = [daysOf(live!.champion), daysOf(live!.former)];
  const before = new Map(former.map((day) => [day.day, day.mae]));
  const noon = (day: number) => {
    const date = new Date(day * DAY_MS);
    return instantOf(time_zone, date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), 12);
  };
  const banded = champion.slice(-COVERAGE_DAYS).filter(({ inside90 }) => inside90 !== null);
  const hours = banded.reduce((sum, day) => sum + day.hours, 0);
  return {
    at_ms: champion.map(({ day }) => noon(day)),
    live: champion.map(({ mae }) => mae * factor),
    former: champion.map(({ day }) => (before.get(day) ?? Number.NaN) * factor),
    naive: champion.map(({ naive_mae }) => (naive_mae ?? Number.NaN) * factor),
    coverage:
      hours === 0
        ? null
        : { share: banded.reduce((sum, day) => sum + day.inside90! * day.hours, 0) / hours, days: banded.length },
  };
}

/** Null where no hour was chosen. */
export async function whyOf(
  { predictions }: Pick<Services, 'predictions'>,
  tenant: string,
  series: ForecastSeries,
  hour: string | undefined,
): Promise<WhyView | null> {
  const at_ms = Number(hour);
  if (!hour || !Number.isFinite(at_ms)) return null;
  try {
    const { explanation, mean } = await predictions.explainAt(tenant, series, at_ms);
    const factor = factorOf(series);
    const groups = groupContributions(explanation).map(({ group, adds }) => ({ group, adds: adds * factor }));
    return { at_ms, mean: mean * factor, base: explanation.base * factor, groups };
  } catch (error) {
    if (error instanceof InvalidDataError || error instanceof NotFoundError) return { at_ms, fault: error.message };
    throw error;
  }
}

const ADMIN_ACTS = ['promote', 'roll-back', 'pin', 'unpin'];

/** @throws InvalidDataError for an act that there is none of */
export async function actOnModels(
  { models, log }: Pick<Services, 'models' | 'log'>,
  actor: Actor,
  series: ForecastSeries,
  form: Readonly<Record<string, unknown>>,
): Promise<void> {
  const text = (name: string) => String(form[name] ?? '');
  const act = text('act');
  if (act === 'train')
    return void models
      .train(actor, { series, force: true })
      .catch((error: unknown) => log.warn({ err: error, tenant_id: actor.tenant }, 'the models could not be trained'));
  if (act === 'cancel') return void (await models.cancel(actor));
  if (!ADMIN_ACTS.includes(act)) throw new InvalidDataError('This act does not exist.', 'Use the buttons of the page.');
  if (!hasRole(actor, 'admin')) throw new NotAllowedError('Only admins say which model is live.', 'Ask an admin.');
  if (act === 'promote') return models.promote(actor, text('run'));
  if (act === 'roll-back') return models.rollBack(actor, series, text('horizon'));
  return models.pin(actor, series, text('horizon'), act === 'pin');
}
