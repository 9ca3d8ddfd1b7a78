/** Predictions with their explanations, and the registry of forecast models. */
import { z } from '@hono/zod-openapi';
import { FEATURE_GROUPS, groupContributions } from '../../../engine/forecast/feature-groups.ts';
import { contributionsSvg } from '../../../web/charts/contributions.ts';
import type { Prediction } from '../../services/predictions.ts';
import type { HorizonModels, Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, InstantSchema, iso } from '../api.ts';

const tags = ['Forecasts'];
const MOST_BATCH = 1000;
const AskSchema = z.object({
  series: z.string().openapi({ example: 'load' }),
  at: InstantSchema.openapi({ description: 'An instant in the slot that is asked for.' }),
});
const PredictionSchema = z
  .object({
    id: z.uuid().openapi({ description: 'For `explain`; kept for 90 days.' }),
    series: z.string(),
    at: z.iso.datetime(),
    made_at: z.iso.datetime(),
    model: z.string(),
    unit: z.string(),
    mean: z.number(),
    quantiles: z.record(z.string(), z.number()),
  })
  .openapi('Prediction');
const predict = apiRoute('user', {
  method: 'post',
  path: '/api/v1/predict',
  tags,
  summary: 'What is forecast for one instant, or for many at once',
  request: {
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.union([AskSchema, z.object({ requests: z.array(AskSchema).min(1).max(MOST_BATCH) })]).openapi({
            example: { series: 'load', at: '2026-03-29T12:00:00Z' },
          }),
        },
      },
    },
  },
  responses: {
    200: {
      description: 'One prediction for one instant, `predictions` in the order of `requests` for many.',
      content: {
        'application/json': {
          schema: z.union([PredictionSchema, z.object({ predictions: z.array(PredictionSchema) })]),
        },
      },
    },
    404: { description: 'Nothing is forecast for that instant; `detail` says why.' },
  },
});

const explain = apiRoute('user', {
  method: 'get',
  path: '/api/v1/explain/{id}',
  tags,
  summary: 'What a prediction was made of',
  description:
    'Shapley values for trees, exact parts for linear models; base and contributions sum to the mean of the hour.',
  request: {
    params: z.object({ id: z.string().openapi({ example: '3f6c1a52-5a0e-4c1c-9a43-0a3c1d2e4f50' }) }),
    query: z.object({ format: z.enum(['json', 'svg']).default('json') }),
  },
  responses: {
    200: {
      description: 'The contributions, largest first; as SVG the sums per kind of reason.',
      content: {
        'application/json': {
          schema: z
            .object({
              prediction: PredictionSchema,
              base: z.number(),
              contributions: z.array(z.object({ feature: z.string(), value: z.number().nullable(), adds: z.number() })),
              groups: z.array(z.object({ group: z.enum(FEATURE_GROUPS), adds: z.number() })),
            })
            .openapi('ExplainedPrediction'),
        },
        'image/svg+xml': { schema: z.string() },
      },
    },
    404: { description: 'There is no such prediction.' },
  },
});

const RunSchema = z.object({
  id: z.string(),
  recipe: z.string(),
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  champion: z.boolean(),
  started_at: z.iso.datetime(),
  duration_ms: z.number().nullable(),
  data: z.object({ from: z.iso.datetime(), to: z.iso.datetime(), values: z.number(), hash: z.string() }).nullable(),
  code_version: z.string(),
  parameters: z.record(z.string(), z.unknown()),
  seed: z.number(),
  device: z.string(),
  metrics: z.record(z.string(), z.unknown()),
  model_hash: z.string().nullable(),
  reason: z.string().nullable(),
});
const registry = apiRoute('user', {
  method: 'get',
  path: '/api/v1/models',
  tags,
  summary: 'The registry: what is live per series and horizon, and what competes',
  responses: {
    200: {
      description: 'Per series and horizon.',
      content: {
        'application/json': {
          schema: z
            .object({
              training: z.object({ done: z.number(), total: z.number(), text: z.string() }).nullable(),
              horizons: z.array(
                z.object({
                  series: z.string(),
                  horizon: z.string(),
                  champion: z.string().nullable(),
                  former: z.string().nullable(),
                  pinned: z.boolean(),
                  runs: z.array(RunSchema),
                }),
              ),
            })
            .openapi('ModelRegistry'),
        },
      },
    },
  },
});
const reload = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/models/reload',
  tags,
  summary: 'Read the live models anew from the file store',
  responses: {
    200: {
      description: 'How many are live.',
      content: { 'application/json': { schema: z.object({ live: z.number().int() }) } },
    },
  },
});
const train = apiRoute('analyst', {
  method: 'post',
  path: '/api/v1/models/train',
  tags,
  summary: 'Train the models in the background, then judge them',
  request: {
    query: z.object({
      series: z.string().optional(),
      networks: z.enum(['true', 'false']).optional().openapi({
        description: 'Random forests and networks as well, which takes minutes; as configured where left out.',
      }),
    }),
  },
  responses: { 202: { description: 'It has begun; `GET /api/v1/models` shows how far it is.' } },
});
const cancel = apiRoute('analyst', {
  method: 'post',
  path: '/api/v1/models/train/cancel',
  tags,
  summary: 'End the training; what is live stays as it is',
  responses: { 204: { description: 'Ended, or nothing was being trained.' } },
});
const promote = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/models/{run}/promote',
  tags,
  summary: 'Make a run the live one',
  request: { params: z.object({ run: z.string().openapi({ example: '3f6c1a52-5a0e-4c1c-9a43-0a3c1d2e4f50' }) }) },
  responses: {
    204: { description: 'It is live; the audit log has it.' },
    404: { description: 'There is no such run.' },
  },
});
const WhichSchema = z.object({
  series: z.string().openapi({ example: 'load' }),
  horizon: z.string().openapi({ example: 'day-ahead' }),
});
const rollBack = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/models/roll-back',
  tags,
  summary: 'Back to the model before',
  request: { body: { required: true, content: { 'application/json': { schema: WhichSchema } } } },
  responses: {
    204: { description: 'The former is live; the audit log has it.' },
    404: { description: 'There is none.' },
  },
});
const pin = apiRoute('admin', {
  method: 'post',
  path: '/api/v1/models/pin',
  tags,
  summary: 'Keep the live model whatever is better, or let it be judged again',
  request: {
    body: { required: true, content: { 'application/json': { schema: WhichSchema.extend({ pinned: z.boolean() }) } } },
  },
  responses: { 204: { description: 'Done; the audit log has it.' }, 404: { description: 'There is none.' } },
});

export function createModelsApi(services: Pick<Services, 'models' | 'predictions' | 'log'>) {
  const { models, predictions, log } = services;
  const app = createApiApp();
  app.openapi(predict, async (c) => {
    const body = c.req.valid('json');
    const asked = 'requests' in body ? body.requests : [body];
    const found = await predictions.predict(
      actorOf(c).tenant,
      asked.map(({ series, at }) => ({ series, at_ms: at })),
    );
    const told = found.map(predictionOf);
    return c.json('requests' in body ? { predictions: told } : told[0]!, 200);
  });
  app.openapi(explain, async (c) => {
    const { explanation, ...prediction } = await predictions.explain(actorOf(c).tenant, c.req.valid('param').id);
    const groups = groupContributions(explanation);
    if (c.req.valid('query').format === 'svg')
      return new Response(contributionsSvg({ base: explanation.base, groups, unit: prediction.unit }), {
        headers: { 'content-type': 'image/svg+xml' },
      }) as never;
    const contributions = explanation.contributions.map((part) => ({
      ...part,
      value: Number.isNaN(part.value) ? null : part.value,
    }));
    return c.json({ prediction: predictionOf(prediction), base: explanation.base, contributions, groups }, 200);
  });
  app.openapi(registry, async (c) => {
    const { tenant } = actorOf(c);
    const state = models.training(tenant);
    const training = state && { done: state.done, total: state.total, text: state.text };
    return c.json({ training, horizons: (await models.list(tenant)).map(horizonOf) }, 200);
  });
  app.openapi(reload, async (c) => c.json({ live: await models.reload(actorOf(c)) }, 200));
  app.openapi(train, async (c) => {
    const { series, networks } = c.req.valid('query');
    const chosen = networks === undefined ? {} : { networks: networks === 'true' };
    models
      .train(actorOf(c), { force: true, ...chosen, ...(series === undefined ? {} : { series }) })
      .catch((error: unknown) => log.warn({ err: error }, 'the models could not be trained'));
    return c.body(null, 202);
  });
  app.openapi(cancel, async (c) => {
    await models.cancel(actorOf(c));
    return c.body(null, 204);
  });
  app.openapi(promote, async (c) => {
    await models.promote(actorOf(c), c.req.valid('param').run);
    return c.body(null, 204);
  });
  app.openapi(rollBack, async (c) => {
    const { series, horizon } = c.req.valid('json');
    await models.rollBack(actorOf(c), series, horizon);
    return c.body(null, 204);
  });
  app.openapi(pin, async (c) => {
    const { series, horizon, pinned } = c.req.valid('json');
    await models.pin(actorOf(c), series, horizon, pinned);
    return c.body(null, 204);
  });
  return app;
}

function predictionOf({ at_ms, made_ms, ...rest }: Prediction) {
  return { ...rest, at: iso(at_ms), made_at: iso(made_ms) };
}

function horizonOf({ series, horizon, live, runs }: HorizonModels) {
  return {
    ...{
      series,
      horizon,
      champion: live?.champion ?? null,
      former: live?.former ?? null,
      pinned: live?.pinned ?? false,
    },
    runs: runs.map((run) => ({
      ...{ id: run.id, recipe: run.recipe, state: run.state, champion: run.id === live?.champion },
      ...{ started_at: iso(run.started_ms), duration_ms: run.duration_ms },
      data: run.data && {
        from: iso(run.data.from_ms),
        to: iso(run.data.to_ms),
        values: run.data.values,
        hash: run.data.hash,
      },
      ...{ code_version: run.code_version, parameters: run.parameters, seed: run.seed, device: run.device },
      ...{ metrics: { ...run.metrics }, model_hash: run.model_hash, reason: run.reason },
    })),
  };
}
