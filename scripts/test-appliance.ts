/**
 * `make test-appliance`: the appliance for real where a container engine answers, in a project of its own. Prints the
 * figures as one JSON object on the last line. Options: `--services luna` (only those, with what they depend on),
 * `--passages embedded`, `--keep` (leaves it running), `--without upgrade`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const ROOT = join(import.meta.dirname, '..');
const HTTP_PORT = 28_080;
const PAGES = 40;
const STORES = ['questdb', 'postgres', 'minio'] as const;
const BACK_WITHIN_MS = 30_000;

const { values } = parseArgs({
  options: {
    services: { type: 'string', default: 'luna' },
    passages: { type: 'string', default: 'embedded' },
    keep: { type: 'boolean', default: false },
    without: { type: 'string', default: '' },
  },
});
const environment = {
  ...process.env,
  COMPOSE_PROJECT_NAME: 'luna-test',
  SERVICES: values.services,
  YES: '1',
  ENV_FILE: '',
};

type Figures = Record<string, number | null>;

async function main(): Promise<number> {
  const engine = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], { encoding: 'utf8' });
  if (engine.status !== 0) {
    console.log(
      'skipped: no container engine answers (DOCKER_HOST). The static checks of the appliance are in `make test`.',
    );
    return 0;
  }
  environment.ENV_FILE = settings();
  const figures: Figures = {};
  try {
    await measure(figures);
    console.log(JSON.stringify(figures));
    return 0;
  } catch (error) {
    console.error(`FAILED: ${(error as Error).message}`);
    spawnSync(join(ROOT, 'compose/appliance.sh'), ['logs'], { env: environment, stdio: 'inherit' });
    return 1;
  } finally {
    if (!values.keep) await appliance('reset').catch(() => {});
  }
}

async function measure(figures: Figures): Promise<void> {
  if (!values.without.includes('build')) await docker('build', '-q', '-t', 'luna-iems:0.1.0', ROOT);
  figures.image_mb = Math.round(Number(await docker('image', 'inspect', '-f', '{{.Size}}', 'luna-iems:0.1.0')) / 1e6);
  await promtool();
  figures.healthy_s = await seconds(() => appliance('up'));
  const key = (JSON.parse(await luna('key', 'create', '--role', 'admin', '--json')) as { key: string }).key;
  figures.idle_rss_mb = await residentMegabytes();
  figures.page_p95_ms = await pages(key);
  let sent = await push(key, 200);
  figures.recover_max_s = 0;
  for (const store of STORES) {
    const took_s = await seconds(() =>
      killed(store, key, async () => (sent += store === 'postgres' ? 0 : await push(key, 50))),
    );
    figures.recover_max_s = Math.max(figures.recover_max_s, Math.round(took_s));
    console.error(`${store} was killed and came back: ${took_s.toFixed(1)} s`);
  }
  await appliance('backup');
  figures.restore_s = await seconds(() => appliance('restore'));
  if (!values.without.includes('upgrade')) {
    await docker('tag', 'luna-iems:0.1.0', 'luna-iems:next');
    const refused = await seconds(() =>
      appliance('upgrade', { TO: 'luna-iems:next', SMOKE: 'fail' }).then(
        () => Promise.reject(new Error('an upgrade that fails its smoke test counted as done')),
        () => undefined,
      ),
    );
    figures.rollback_s = refused;
  }
  figures.lost = sent - (await stored(key));
  if (figures.lost !== 0) throw new Error(`${figures.lost} acknowledged readings are lost`);
  await appliance('down');
}

/** Free ports, on this machine alone. */
function settings(): string {
  const file = join(mkdtempSync(join(tmpdir(), 'luna-appliance-')), '.env');
  const lines = readFileSync(join(ROOT, 'compose/.env.example'), 'utf8');
  const own = { LISTEN: '127.0.0.1', HTTP_PORT, MQTT_PORT: 21_883, MQTTS_PORT: 28_883, PASSAGES: values.passages };
  const text = Object.entries(own).reduce(
    (all, [name, value]) => all.replace(new RegExp(`^${name}=.*$`, 'm'), `${name}=${value}`),
    lines,
  );
  writeFileSync(file, text);
  return file;
}

async function promtool(): Promise<void> {
  const rules = join(ROOT, 'compose/prometheus');
  await docker(
    'run',
    '--rm',
    '-v',
    `${rules}:/rules:ro`,
    '--entrypoint',
    'promtool',
    'prom/prometheus:v3.5.3',
    'test',
    'rules',
    '/rules/rules.test.yml',
  );
}

async function residentMegabytes(): Promise<number> {
  const text = await luna('support', '/tmp/support.json').then(() =>
    compose('exec', '-T', 'luna', 'cat', '/tmp/support.json'),
  );
  return Math.round((JSON.parse(text) as { machine: { resident_bytes: number } }).machine.resident_bytes / 1e6);
}

const url = (path: string) => `http://127.0.0.1:${HTTP_PORT}${path}`;
const authorized = (key: string) => ({ authorization: `Bearer ${key}`, 'content-type': 'application/json' });

async function pages(key: string): Promise<number> {
  const took: number[] = [];
  for (let n = 0; n < PAGES; n++) {
    const begun = performance.now();
    const answer = await fetch(url('/api/v1/devices'), { headers: authorized(key) });
    if (!answer.ok) throw new Error(`/api/v1/devices answered ${answer.status}`);
    await answer.arrayBuffer();
    took.push(performance.now() - begun);
  }
  return Math.round(took.sort((a, b) => a - b)[Math.floor(0.95 * PAGES)] ?? 0);
}

let instant_ms = Date.now() - 3_600_000;
/** @returns how many were acknowledged */
async function push(key: string, count: number): Promise<number> {
  await luna('device', 'create', 'appliance').catch(() => {});
  const from_ms = instant_ms;
  instant_ms += 1000 * count;
  const readings = Array.from({ length: count }, (_, n) => ({
    meter: 'appliance',
    at: new Date(from_ms + 1000 * n).toISOString(),
    power_W: 100,
  }));
  const answer = await fetch(url('/api/v1/readings'), {
    method: 'POST',
    headers: authorized(key),
    body: JSON.stringify({ readings }),
  });
  if (!answer.ok) throw new Error(`readings were refused: ${answer.status} ${await answer.text()}`);
  return count;
}

async function stored(key: string): Promise<number> {
  const metrics = await (await fetch(url('/metrics'), { headers: authorized(key) })).text();
  return [...metrics.matchAll(/^luna_readings_stored\{[^}]*\} (\d+)/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
}

/** Kills one store, works on meanwhile, and waits until everything is ready again by itself. */
async function killed(store: string, key: string, meanwhile: () => Promise<unknown>): Promise<void> {
  await compose('kill', '-s', 'KILL', store);
  await meanwhile();
  // A container that was killed by hand is not restarted by the engine: as after a power cut, it is started again.
  await compose('start', store);
  const until_ms = performance.now() + 4 * BACK_WITHIN_MS;
  for (;;) {
    const answer = await fetch(url('/readyz'), { headers: authorized(key) }).catch(() => null);
    const { parts = [] } = (answer ? await answer.json() : {}) as { parts?: { state: string }[] };
    if (parts.length > 0 && parts.every(({ state }) => state === 'ok')) return;
    if (performance.now() > until_ms)
      throw new Error(`the box is not whole again after ${store} was killed: ${JSON.stringify(parts)}`);
    await sleep(500);
  }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return Math.round((performance.now() - begun) / 100) / 10;
}

const appliance = (word: string, more: Record<string, string> = {}) =>
  command(join(ROOT, 'compose/appliance.sh'), [word], more);
const compose = (...args: string[]) => command(join(ROOT, 'compose/appliance.sh'), ['compose', ...args]);
const luna = (...args: string[]) =>
  compose('exec', '-T', 'luna', 'node', '--disable-warning=ExperimentalWarning', 'gateway/main.ts', ...args);
const docker = (...args: string[]) => command('docker', args);

/** @returns its standard output. @throws Error with what it said */
function command(program: string, args: string[], more: Record<string, string> = {}): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { env: { ...environment, ...more }, stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.once('error', fail);
    child.once('exit', (code) =>
      code === 0 ? done(out.trim()) : fail(new Error(`${program} ${args.join(' ')}: ${(err || out).slice(-800)}`)),
    );
  });
}

// Last: everything above is made by then.
process.exitCode = await main();
