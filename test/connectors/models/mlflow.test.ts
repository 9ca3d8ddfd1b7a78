import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMlflow, type ExportedRun } from '../../../connectors/models/mlflow.ts';
import type { HttpFetch } from '../../../engine/ports.ts';

/** The program `mlflow` of a Python environment that has it: LUNA_TEST_MLFLOW=/path/bin/mlflow. */
const PROGRAM = process.env.LUNA_TEST_MLFLOW;
const has = PROGRAM !== undefined && existsSync(PROGRAM);
const START_MS = 180_000;
const plain = fetch as unknown as HttpFetch;

const RUN: ExportedRun = {
  ...{ id: '3f6c1a52-5a0e-4c1c-9a43-0a3c1d2e4f50', model: 'luna-load-day-ahead', started_ms: 1_760_000_000_000 },
  ...{ ended_ms: 1_760_000_004_200, parameters: { recipe: 'load-mix/1', seed: '1', data_hash: 'ab'.repeat(32) } },
  metrics: [
    { key: 'mae', value: 661.5, step: 0 },
    { key: 'mae_of_split', value: 640.25, step: 0 },
    { key: 'mae_of_split', value: 682.75, step: 1 },
  ],
  ...{ tags: { model_hash: 'cd'.repeat(32), series: 'load' }, artefact: '{"recipe":"load-mix/1"}' },
};

describe.skipIf(!has)('a real MLflow server', { timeout: START_MS + 60_000 }, () => {
  let folder: string;
  let server: ChildProcess;
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'luna-mlflow-'));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const store = [
      '--backend-store-uri',
      `sqlite:///${folder}/m.db`,
      '--artifacts-destination',
      join(folder, 'artefacts'),
    ];
    server = spawn(PROGRAM!, ['server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1', ...store], {
      stdio: 'ignore',
      detached: true,
    });
    await expect
      .poll(
        () =>
          fetch(`${url}/health`).then(
            ({ ok }) => ok,
            () => false,
          ),
        { timeout: START_MS, interval: 500 },
      )
      .toBe(true);
  }, START_MS + 10_000);
  afterAll(async () => {
    if (server?.pid !== undefined && server.exitCode === null) {
      const ended = once(server, 'exit');
      // Its workers are children of its own group.
      process.kill(-server.pid, 'SIGKILL');
      await ended;
    }
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const ask = async (path: string) => (await fetch(`${url}/api/2.0/mlflow/${path}`)).json();

  it('has the run with parameters, metrics per split and artefact, and the model in its stage', async () => {
    const mlflow = createMlflow({ url, fetch: plain });
    await mlflow.record(RUN);
    await mlflow.stage(RUN.model, RUN.id, 'Production');
    const { experiment } = (await ask('experiments/get-by-name?experiment_name=luna')) as {
      experiment: { experiment_id: string };
    };
    const found = (await (
      await fetch(`${url}/api/2.0/mlflow/runs/search`, {
        ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
        body: JSON.stringify({ experiment_ids: [experiment.experiment_id] }),
      })
    ).json()) as {
      runs: { info: { run_id: string; status: string }; data: { params: object[]; metrics: object[] } }[];
    };
    const [run] = found.runs;
    expect(run!.info.status).toBe('FINISHED');
    expect(run!.data.params).toContainEqual({ key: 'recipe', value: 'load-mix/1' });
    expect(run!.data.metrics).toContainEqual(expect.objectContaining({ key: 'mae', value: 661.5 }));
    const history = (await ask(`metrics/get-history?run_id=${run!.info.run_id}&metric_key=mae_of_split`)) as {
      metrics: object[];
    };
    expect(history.metrics).toHaveLength(2);
    const list = (await ask(`artifacts/list?run_id=${run!.info.run_id}`)) as {
      files: { path: string; file_size: number }[];
    };
    expect(list.files).toContainEqual(expect.objectContaining({ path: 'model.json', file_size: RUN.artefact.length }));
    const versions = (await ask(`model-versions/search?filter=${encodeURIComponent(`name='${RUN.model}'`)}`)) as {
      model_versions: { current_stage: string; description: string }[];
    };
    expect(versions.model_versions).toEqual([
      expect.objectContaining({ current_stage: 'Production', description: RUN.id }),
    ]);
    // A second run of the same model takes its place, and the first is archived.
    const second = { ...RUN, id: '4f6c1a52-5a0e-4c1c-9a43-0a3c1d2e4f50' };
    await mlflow.record(second);
    await mlflow.stage(RUN.model, second.id, 'Production');
    const after = (await ask(
      `model-versions/search?filter=${encodeURIComponent(`name='${RUN.model}'`)}`,
    )) as typeof versions;
    expect(Object.fromEntries(after.model_versions.map((one) => [one.description, one.current_stage]))).toEqual({
      [RUN.id]: 'Archived',
      [second.id]: 'Production',
    });
  });
});

describe('an address without MLflow', () => {
  it('is named, with what it said', async () => {
    const silent = createMlflow({ url: 'http://127.0.0.1:9', fetch: async () => Promise.reject(new Error('refused')) });
    await expect(silent.record(RUN)).rejects.toThrow(/127\.0\.0\.1:9 does not answer/);
    const other = createMlflow({
      url: 'http://example',
      fetch: (async () => ({ ok: false, status: 404, text: async () => 'no such page' })) as unknown as HttpFetch,
    });
    await expect(other.record(RUN)).rejects.toThrow(/404.*no such page/);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
