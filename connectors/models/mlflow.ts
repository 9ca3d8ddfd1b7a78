/**
 * Tells an MLflow tracking server of runs, over its REST API 2.0 (mlflow.org/docs/latest/rest-api): experiment, run with
 * parameters and metrics, the artefact through the server's own store, and a version of a registered model whose stage
 * says whether it is live.
 */
import { InvalidDataError, UnavailableError } from '../../engine/errors.ts';
import type { HttpFetch } from '../../engine/ports.ts';

export type ExportedRun = {
  id: string;
  /** Name of the registered model, e.g. `luna-load-day-ahead`. */
  model: string;
  started_ms: number;
  ended_ms: number;
  parameters: Readonly<Record<string, string>>;
  /** `step` counts the splits of a backtest. */
  metrics: readonly { key: string; value: number; step: number }[];
  tags: Readonly<Record<string, string>>;
  /** JSON. */
  artefact: string;
};
export type Stage = 'Staging' | 'Production' | 'Archived';

export type Mlflow = {
  /** Records a run and its model, in Staging. @throws UnavailableError, InvalidDataError with what the server said */
  record(run: ExportedRun): Promise<void>;
  /** Sets the stage of the version that came from our run `id`; nothing where the server does not know it. */
  stage(model: string, id: string, stage: Stage): Promise<void>;
};

const EXPERIMENT = 'luna';
const TIMEOUT_MS = 20_000;
const SCHEME = 'mlflow-artifacts:/';

export function createMlflow({ url, fetch }: { url: string; fetch: HttpFetch }): Mlflow {
  const base = url.replace(/\/+$/, '');

  async function send(method: string, path: string, body?: string): Promise<{ status: number; text: string }> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const headers = { 'content-type': 'application/json' };
    const init = { method, headers, signal, redirect: 'error' as const, ...(body === undefined ? {} : { body }) };
    const response = await fetch(`${base}${path}`, init).catch((error: Error) => {
      throw new UnavailableError(`MLflow at ${base} does not answer (${error.message}).`, 'Does it run?', {
        cause: error,
      });
    });
    return { status: response.status, text: await response.text() };
  }

  async function call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const { status, text } = await send(method, `/api/2.0/mlflow/${path}`, body && JSON.stringify(body));
    if (status === 200) return (text === '' ? {} : JSON.parse(text)) as Answer;
    const said = `MLflow answered ${status} to ${path.split('?')[0]}: ${text.slice(0, 300)}`;
    if (status >= 500) throw new UnavailableError(said, 'Look into its log.');
    throw new InvalidDataError(said, 'Is this address that of an MLflow tracking server?');
  }

  /** What is there already is as good as made now. */
  const ensure = (path: string, body: object) =>
    call(`POST`, path, body).catch((error: unknown) => {
      if (!(error instanceof InvalidDataError && /RESOURCE_ALREADY_EXISTS/.test(error.message))) throw error;
    });

  async function experiment(): Promise<string> {
    await ensure('experiments/create', { name: EXPERIMENT });
    type Answer = { experiment: { experiment_id: string } };
    const found = await call<Answer>('GET', `experiments/get-by-name?experiment_name=${EXPERIMENT}`);
    return found.experiment.experiment_id;
  }

  return {
    async record(run) {
      const experiment_id = await experiment();
      const tags = Object.entries({ ...run.tags, 'luna.run': run.id }).map(([key, value]) => ({ key, value }));
      type Created = { run: { info: { run_id: string; artifact_uri: string } } };
      const created = await call<Created>('POST', 'runs/create', {
        ...{ experiment_id, run_name: `${run.model} ${run.id.slice(0, 8)}`, start_time: run.started_ms, tags },
      });
      const { run_id, artifact_uri } = created.run.info;
      const params = Object.entries(run.parameters).map(([key, value]) => ({ key, value: value.slice(0, 500) }));
      const metrics = run.metrics.map((metric) => ({ ...metric, timestamp: run.ended_ms }));
      await call('POST', 'runs/log-batch', { run_id, params, metrics });
      await upload(artifact_uri, run.artefact);
      await call('POST', 'runs/update', { run_id, status: 'FINISHED', end_time: run.ended_ms });
      await ensure('registered-models/create', { name: run.model });
      type Version = { model_version: { version: string } };
      const source = `${artifact_uri}/model.json`;
      const made = await call<Version>('POST', 'model-versions/create', {
        ...{ name: run.model, source, run_id, description: run.id },
      });
      await transition(run.model, made.model_version.version, 'Staging');
    },
    async stage(model, id, stage) {
      type Found = { model_versions?: { version: string; description?: string }[] };
      const filter = encodeURIComponent(`name='${model}'`);
      const { model_versions = [] } = await call<Found>(
        'GET',
        `model-versions/search?filter=${filter}&max_results=1000`,
      );
      const one = model_versions.find(({ description }) => description === id);
      if (one) await transition(model, one.version, stage);
    },
  };

  function transition(name: string, version: string, stage: Stage) {
    const archive_existing_versions = stage === 'Production';
    return call('POST', 'model-versions/transition-stage', { name, version, stage, archive_existing_versions });
  }

  async function upload(artifact_uri: string, text: string): Promise<void> {
    if (!artifact_uri.startsWith(SCHEME))
      throw new InvalidDataError(`The server keeps artefacts at ${artifact_uri}.`, 'Start it with --serve-artifacts.');
    const path = artifact_uri.slice(SCHEME.length).replace(/^\/+/, '');
    const { status, text: said } = await send('PUT', `/api/2.0/mlflow-artifacts/artifacts/${path}/model.json`, text);
    if (status !== 200)
      throw new UnavailableError(`MLflow took no artefact (${status}): ${said.slice(0, 200)}`, 'Look into its log.');
  }
}
