/** A real QuestDB for tests: `describe.skipIf(!hasQuestdb)(…)`, then `await startQuestdb()`, at the end `stop()`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export type QuestdbServer = {
  http_port: number;
  pg_port: number;
  /** For `openQuestDbSeries`. */
  url: string;
  /** Its data, where `db` holds the tables. */
  folder: string;
  /** Rows of a statement over HTTP; rejects with what the server says is wrong. */
  sql(statement: string): Promise<unknown[][]>;
  /** Removes every table of the box. */
  wipe(): Promise<void>;
  /** Sends a signal; resolves when the process is gone where the signal ends it. */
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** After `kill`: on the same data and ports. */
  start(env?: Record<string, string>): Promise<void>;
  stop(): Promise<void>;
};

const jar = process.env.LUNA_TEST_QUESTDB_JAR;
const java = process.env.LUNA_TEST_JAVA;
export const hasQuestdb = Boolean(jar && java);
/** On a busy machine Java takes its time. */
const READY_MS = 150_000;

/** @param env further settings; commits are synced and tables can be suspended unless it says otherwise */
export async function startQuestdb(env: Record<string, string> = {}): Promise<QuestdbServer> {
  if (!jar || !java) throw new Error('no QuestDB: LUNA_TEST_QUESTDB_JAR and LUNA_TEST_JAVA are not set');
  const folder = mkdtempSync(join(tmpdir(), 'luna-questdb-'));
  const [http_port, pg_port, health_port] = await Promise.all([freePort(), freePort(), freePort()]);
  let server: ChildProcess | null = null;
  const killWithUs = () => server?.kill('SIGKILL');
  process.once('exit', killWithUs);
  const start = async (more: Record<string, string> = {}) => {
    server = launch(folder, [http_port, pg_port, health_port], { ...env, ...more });
    await untilReady(server, http_port, READY_MS);
  };
  const kill = async (signal: 'SIGKILL' | 'SIGTERM') => {
    if (server) await endProcess(server, signal);
    server = null;
  };
  const stop = async () => {
    process.off('exit', killWithUs);
    server?.kill('SIGCONT');
    await kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  const sql = (statement: string) => execute(http_port, statement);
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...{ http_port, pg_port, folder, sql, kill, start, stop },
    url: `questdb://127.0.0.1:${http_port}?pg=${pg_port}`,
    signal: (signal) => void server?.kill(signal),
    async wipe() {
      for (const [name] of await sql("select table_name from tables() where starts_with(table_name, 'luna_')"))
        await sql(`drop table ${name}`);
    },
  };
}

function launch(folder: string, [http, pg, health]: readonly number[], env: Record<string, string>): ChildProcess {
  const program = ['-Xms32m', '-Xmx256m', '-p', jar!, '-m', 'io.questdb/io.questdb.ServerMain', '-d', folder];
  return spawn(java!, program, {
    stdio: 'ignore',
    env: {
      ...process.env,
      QDB_HTTP_BIND_TO: `127.0.0.1:${http}`,
      QDB_PG_NET_BIND_TO: `127.0.0.1:${pg}`,
      QDB_HTTP_MIN_NET_BIND_TO: `127.0.0.1:${health}`,
      QDB_LINE_TCP_ENABLED: 'false',
      QDB_TELEMETRY_ENABLED: 'false',
      QDB_DEV_MODE_ENABLED: 'true',
      QDB_CAIRO_COMMIT_MODE: 'sync',
      ...env,
    },
  });
}

async function execute(port: number, statement: string, limit_ms = 60_000): Promise<unknown[][]> {
  const url = `http://127.0.0.1:${port}/exec?query=${encodeURIComponent(statement)}`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(limit_ms) });
  const { error, dataset = [] } = (await answer.json()) as { error?: string; dataset?: unknown[][] };
  if (error) throw new Error(error);
  return dataset;
}

async function untilReady(server: ChildProcess, port: number, limit_ms: number): Promise<void> {
  const deadline_ms = Date.now() + limit_ms;
  while (Date.now() < deadline_ms) {
    if (server.exitCode !== null) throw new Error(`QuestDB ended with code ${server.exitCode}`);
    try {
      await execute(port, 'select 1', 2_000);
      return;
    } catch {
      // not listening yet
    }
    await sleep(100);
  }
  throw new Error(`QuestDB was not ready within ${limit_ms / 1000} s`);
}

async function endProcess(server: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill(signal);
  const hard = setTimeout(() => server.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(hard);
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
