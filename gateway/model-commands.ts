/** `luna model`: which forecast models are live and which compete, one put in place by hand, and the former one back. */
import { InvalidDataError } from '../engine/errors.ts';
import type { CommandResult } from './control.ts';
import type { Actor, HorizonModels, Services } from './services.ts';

type Needs = Pick<Services, 'models'>;
type Run = HorizonModels['runs'][number];

export async function listModels({ models }: Needs, actor: Actor): Promise<CommandResult> {
  const horizons = (await models.list(actor.tenant)).map(({ series, horizon, live, runs }) => ({
    ...{ series, horizon, champion: live?.champion ?? null, former: live?.former ?? null },
    runs: runs.map((run) => ({
      id: run.id,
      recipe: run.recipe,
      state: stateOf(run, live),
      mae: run.metrics.mae ?? null,
    })),
  }));
  const lines = horizons.flatMap(({ series, horizon, runs }) =>
    runs.map(({ id, recipe, state, mae }) => `${series} ${horizon}  ${id}  ${recipe}  ${state}  MAE ${mae ?? '–'}`),
  );
  return { text: lines.join('\n') || 'There are no models yet: ./luna train models.', json: { horizons } };
}

function stateOf({ id }: Run, live: HorizonModels['live']): 'live' | 'former' | 'challenger' {
  return id === live?.champion ? 'live' : id === live?.former ? 'former' : 'challenger';
}

/** The run that is named, or the challenger with the least error on days it had not seen. */
export async function promoteModel(
  { models }: Needs,
  actor: Actor,
  args: Record<string, unknown>,
): Promise<CommandResult> {
  const { live, runs } = await horizonOf(models, actor, args);
  const best = runs
    .filter((run) => run.state === 'done' && run.id !== live?.champion)
    .sort((a, b) => (a.metrics.mae ?? Infinity) - (b.metrics.mae ?? Infinity))[0];
  const chosen = args.run === undefined ? best : runs.find(({ id }) => id === args.run);
  if (!chosen)
    throw new InvalidDataError(
      args.run === undefined ? 'There is no challenger.' : `No run ${args.run} competes there.`,
      'luna model list shows which there are; luna train models makes them.',
    );
  await models.promote(actor, chosen.id);
  return {
    text: `${chosen.recipe} is live for ${args.series}, ${args.horizon}.`,
    json: { champion: chosen.id, recipe: chosen.recipe, former: live?.champion ?? null },
  };
}

export async function rollBackModel(
  { models }: Needs,
  actor: Actor,
  args: Record<string, unknown>,
): Promise<CommandResult> {
  await models.rollBack(actor, String(args.series), String(args.horizon));
  const { live, runs } = await horizonOf(models, actor, args);
  const recipe = runs.find(({ id }) => id === live?.champion)?.recipe ?? null;
  return {
    text: `${recipe} is live again for ${args.series}, ${args.horizon}.`,
    json: { champion: live?.champion ?? null, recipe },
  };
}

/** @throws InvalidDataError where nothing was trained for it */
async function horizonOf(
  models: Needs['models'],
  { tenant }: Actor,
  { series, horizon }: Record<string, unknown>,
): Promise<HorizonModels> {
  const all = await models.list(tenant);
  const found = all.find((one) => one.series === series && one.horizon === horizon);
  if (found) return found;
  throw new InvalidDataError(
    `There is no model of ${series}, ${horizon}.`,
    `There are: ${all.map((one) => `${one.series} ${one.horizon}`).join(', ') || 'none; luna train models makes them'}.`,
  );
}
