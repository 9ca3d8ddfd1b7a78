/** Starting, stopping and being killed: the whole box as people run it. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Box, startBox } from '../../setup/box.ts';
import { copyTemplate } from '../../setup/database.ts';

/** The promise is 3 s on two idle cores; machines that build share theirs. */
const LATER_START_MS = 10_000;
const STOP_MS = 8000;
const MAIN = join(import.meta.dirname, '../../../gateway/main.ts');

let box: Box;
/** Homes of other boxes; each has its database already. */
const homes: string[] = [];
beforeAll(async () => {
  box = await startBox();
  for (let i = 0; i < 2; i++) {
    const home = await mkdtemp(join(tmpdir(), 'luna-life-'));
    homes.push(home);
    await copyTemplate(home);
  }
}, 90_000);
afterAll(async () => {
  await box?.remove();
  for (const home of homes) await rm(home, { recursive: true, force: true });
});

const readyz = async (one: Box) => (await fetch(`${one.url}/readyz`)).status;

/** A box that must not start: what it says and with which status it ends. */
async function refused(environment: Record<string, string>) {
  const env = {
    PATH: process.env.PATH,
    HOME: '/nonexistent',
    ...{ LUNA_HOST: '127.0.0.1', LUNA_PORT: '0', LUNA_MQTT_PORT: '0', LUNA_WEATHER: 'off', LUNA_LOG_LEVEL: 'error' },
    ...environment,
  };
  const begun = performance.now();
  const outcome = await promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, 'run'], {
    ...{ env, timeout: 40_000 },
  }).then(
    () => ({ code: 0, stderr: '' }),
    (error: { code: number | null; stderr: string }) => error,
  );
  return { status: outcome.code, said: outcome.stderr.trim(), took_ms: performance.now() - begun };
}

const postmasterOf = async (home: string): Promise<number | null> => {
  const text = await readFile(join(home, 'postgres/postmaster.pid'), 'utf8').catch(() => null);
  return text === null ? null : Number(text.split('\n')[0]);
};
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('the life of a box', () => {
  it('starts by itself, tells its address and the set-up link, and is ready before set-up', async () => {
    expect(box.url).toMatch(/^http:\/\/localhost:\d+$/);
    expect(box.setup_link).toContain(`${box.url}/setup?token=`);
    expect(await readyz(box)).toBe(200);
    const page = await fetch(box.setup_link!);
    expect(page.status).toBe(200);
    expect((await fetch(`${box.url}/setup?token=wrong`)).status).toBe(403);
  });

  it('refuses a second box in the same home, and the first goes on', async () => {
    const { status, said } = await refused({ LUNA_HOME: box.home });
    expect(status).toBe(1);
    expect(said).toBe(`luna: Another Luna runs in ${box.home}. Stop it first, or give another LUNA_HOME.`);
    expect(await readyz(box)).toBe(200);
  });

  it('says which port is taken, ends with status 1 and leaves no Postgres behind', async () => {
    const taken = { LUNA_PORT: new URL(box.url).port, LUNA_MQTT_PORT: String(box.mqtt_port) };
    for (const [name, port] of Object.entries(taken)) {
      const { status, said, took_ms } = await refused({ LUNA_HOME: homes[0]!, [name]: port });
      expect(status).toBe(1);
      expect(said).toMatch(/^luna: [^\n]+$/);
      expect(said).toContain(port);
      expect(said).toContain(name);
      expect(took_ms).toBeLessThan(LATER_START_MS);
      expect(await postmasterOf(homes[0]!)).toBeNull();
    }
  }, 60_000);

  it('ends on SIGTERM within 5 s with status 0, and starts again quickly with the same set-up link', async () => {
    const postmaster = await postmasterOf(box.home);
    const { took_ms, status } = await box.stop();
    expect(status).toBe(0);
    expect(took_ms).toBeLessThan(STOP_MS);
    expect(isAlive(postmaster!)).toBe(false);
    const again = await box.restart();
    expect(new URL(again.setup_link!).search).toBe(new URL(box.setup_link!).search);
    expect(again.start_ms).toBeLessThan(LATER_START_MS);
    process.stderr.write(
      `first start ${Math.round(box.start_ms)} ms, later start ${Math.round(again.start_ms)} ms, stop ${Math.round(took_ms)} ms\n`,
    );
    box = again;
  });

  it('closes in order when it is stopped while it starts', async () => {
    const env = {
      ...process.env,
      LUNA_HOME: homes[0]!,
      LUNA_PORT: '0',
      LUNA_MQTT_PORT: '0',
      LUNA_WEATHER: 'off',
    };
    const child = execFile(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, 'run'], { env });
    const ended = new Promise<number | null>((done) => child.once('exit', done));
    while ((await postmasterOf(homes[0]!)) === null && child.exitCode === null)
      await new Promise((done) => setTimeout(done, 10));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(await postmasterOf(homes[0]!)).toBeNull();
  });

  it('keeps every acknowledged reading when it is killed, twice, and needs no help to start again', async () => {
    const { key } = await box.lunaJson<{ key: string }>('key', 'create', '--role', 'analyst');
    const device = await box.lunaJson<{ id: string; username: string; password: string; topic: string }>(
      ...(['device', 'create', 'pump'] as const),
    );
    const sent = new Map<string, number>();
    for (let kill = 0; kill < 2; kill++) {
      await Promise.all([overMqtt(box, device, kill, sent), overHttp(box, key, kill, sent)]);
      const postmaster = await postmasterOf(box.home);
      await box.kill();
      expect(isAlive(postmaster!)).toBe(true);
      box = await box.restart();
      expect(await readyz(box)).toBe(200);
    }
    const path =
      '/api/v1/data/query?meter=pump&quantity=power_W&resolution=raw&from=2026-05-01T00:00:00Z&to=2026-05-03T00:00:00Z';
    const stored = async () => {
      const answer = await fetch(`${box.url}${path}`, { headers: { authorization: `Bearer ${key}` } });
      const { points } = (await answer.json()) as { points: { at: string; value: number; quality: string }[] };
      return points;
    };
    await expect.poll(async () => (await stored()).length, { timeout: 10_000 }).toBe(sent.size);
    const points = await stored();
    expect(new Map(points.map(({ at, value }) => [at, value]))).toEqual(sent);
    // Those of a past spring are marked late where a broker may have retained them.
    expect(points.filter(({ quality }) => quality !== 'ok' && quality !== 'late')).toEqual([]);
  }, 60_000);

  it('runs beside another box', async () => {
    const neighbour = await startBox({}, homes[1]);
    expect([await readyz(box), await readyz(neighbour)]).toEqual([200, 200]);
    const { key } = await box.lunaJson<{ key: string }>('key', 'create', '--role', 'admin');
    const headers = { authorization: `Bearer ${key}` };
    expect((await fetch(`${box.url}/api/v1/meters`, { headers })).status).toBe(200);
    expect((await fetch(`${neighbour.url}/api/v1/meters`, { headers })).status).toBe(401);
    await neighbour.stop();
  }, 30_000);
});

/** 40 readings, each acknowledged before the function ends. */
async function overMqtt(
  { mqtt_port }: Box,
  { username, password, topic }: { username: string; password: string; topic: string },
  round: number,
  sent: Map<string, number>,
): Promise<void> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${mqtt_port}`, { username, password, reconnectPeriod: 0 });
  await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      const at = new Date(Date.UTC(2026, 4, 1, round, 0, i)).toISOString();
      await client.publishAsync(topic, JSON.stringify({ at, power_W: 1000 * round + i }), { qos: 1 });
      sent.set(at, 1000 * round + i);
    }),
  );
  client.end(true);
}

async function overHttp({ url }: Box, key: string, round: number, sent: Map<string, number>): Promise<void> {
  await Promise.all(
    Array.from({ length: 40 }, async (_, i) => {
      const at = new Date(Date.UTC(2026, 4, 2, round, 0, i)).toISOString();
      const answer = await fetch(`${url}/api/v1/readings`, {
        ...{ method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' } },
        body: JSON.stringify({ meter: 'pump', at, power_W: 1000 * round + i }),
      });
      expect(answer.status).toBe(200);
      sent.set(at, 1000 * round + i);
    }),
  );
}
