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
  stop(): Promise<void>;
};

const jar = process.env.LUNA_TEST_QUESTDB_JAR;
const java = process.env.LUNA_TEST_JAVA;
export const hasQuestdb = Boolean(jar && java);

export async function startQuestdb(): Promise<QuestdbServer> {
  if (!jar || !java) throw new Error('no QuestDB: LUNA_TEST_QUESTDB_JAR and LUNA_TEST_JAVA are not set');
  const folder = mkdtempSync(join(tmpdir(), 'luna-questdb-'));
  const [http_port, pg_port, health_port] = await Promise.all([freePort(), freePort(), freePort()]);
  const server = spawn(
    java,
    ['-Xms32m', '-Xmx256m', '-p', jar, '-m', 'io.questdb/io.questdb.ServerMain', '-d', folder],
    {
      stdio: 'ignore',
      env: {
        ...process.env,
        QDB_HTTP_BIND_TO: `127.0.0.1:${http_port}`,
        QDB_PG_NET_BIND_TO: `127.0.0.1:${pg_port}`,
        QDB_HTTP_MIN_NET_BIND_TO: `127.0.0.1:${health_port}`,
        QDB_LINE_TCP_ENABLED: 'false',
        QDB_TELEMETRY_ENABLED: 'false',
      },
    },
  );
  const killWithUs = () => server.kill('SIGKILL');
  process.once('exit', killWithUs);
  const stop = async () => {
    process.off('exit', killWithUs);
    await endProcess(server);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(server, http_port, 60_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return { http_port, pg_port, stop };
}

async function untilReady(server: ChildProcess, port: number, limit_ms: number): Promise<void> {
  const deadline_ms = Date.now() + limit_ms;
  while (Date.now() < deadline_ms) {
    if (server.exitCode !== null) throw new Error(`QuestDB ended with code ${server.exitCode}`);
    try {
      const url = `http://127.0.0.1:${port}/exec?query=select%201`;
      const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) });
      if (answer.ok) return;
    } catch {
      // not listening yet
    }
    await sleep(100);
  }
  throw new Error(`QuestDB was not ready within ${limit_ms / 1000} s`);
}

async function endProcess(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  const hard = setTimeout(() => server.kill('SIGKILL'), 5_000);
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
