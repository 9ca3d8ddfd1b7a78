/** The appliance in containers, in a compose project of its own on loopback ports, by the script that people use. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../setup/questdb.ts';

const ROOT = join(import.meta.dirname, '../../..');
const SCRIPT = join(ROOT, 'compose/appliance.sh');
const PROJECT = 'luna-test';
/** A container that is started says that it is well by then, or the test fails. */
const WELL_WITHIN_MS = 600_000;
const LOOK_EVERY_MS = 200;

export type Part = { name: string; state: 'ok' | 'degraded' | 'down'; text: string };
export type Stack = {
  url: string;
  http_port: number;
  mqtt_port: number;
  image: string;
  /** A word of appliance.sh, with variables. */
  appliance(words: readonly string[], more?: Record<string, string>): Promise<string>;
  compose(...args: string[]): Promise<string>;
  /** `luna …` in the box's container, parsed. */
  lunaJson<Result>(...args: string[]): Promise<Result>;
  docker(...args: string[]): Promise<string>;
  /** Parts of the box as /readyz tells an admin; empty while it does not answer. */
  parts(key: string): Promise<Part[]>;
  /** Waits until the container says that it is well. */
  well(service: string): Promise<void>;
  /** A command of the engine failed: what the containers say. */
  logs(): Promise<string>;
  /** Removes containers, volumes, settings and backups. */
  remove(): Promise<void>;
};
export type StackOptions = { services: string; passages: string; image: string };

/** @returns why nothing can be run here; null where an engine answers */
export function engineMissing(): string | null {
  const { status } = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], { encoding: 'utf8' });
  return status === 0 ? null : 'no container engine answers (docker version; DOCKER_HOST)';
}

/** Its backups lie in a folder beside its settings, so that they outlive the volumes. */
export async function createStack({ services, passages, image }: StackOptions): Promise<Stack> {
  const folder = mkdtempSync(join(tmpdir(), 'luna-appliance-'));
  const [http_port, mqtt_port, mqtts_port] = [await freePort(), await freePort(), await freePort()];
  const file = join(folder, '.env');
  const example = readFileSync(join(ROOT, 'compose/.env.example'), 'utf8');
  writeFileSync(
    file,
    withValues(example, {
      ...{ LISTEN: '127.0.0.1', HTTP_PORT: http_port, MQTT_PORT: mqtt_port, MQTTS_PORT: mqtts_port },
      ...{ PASSAGES: passages, LUNA_IMAGE: image, BACKUPS: join(folder, 'backups') },
    }),
  );
  const environment = {
    ...process.env,
    ...{ COMPOSE_PROJECT_NAME: PROJECT, SERVICES: services, YES: '1', ENV_FILE: file, WAIT_S: '600' },
  };
  const url = `http://127.0.0.1:${http_port}`;
  const docker = (...args: string[]) => command('docker', args, environment);
  const appliance = (words: readonly string[], more: Record<string, string> = {}) =>
    command(SCRIPT, words, { ...environment, ...more });
  const compose = (...args: string[]) => appliance(['compose', ...args]);
  return {
    ...{ url, http_port, mqtt_port, image, docker, appliance, compose },
    async lunaJson(...args) {
      const program = ['node', '--disable-warning=ExperimentalWarning', 'gateway/main.ts'];
      return JSON.parse(await compose('exec', '-T', 'luna', ...program, ...args, '--json'));
    },
    async parts(key) {
      const headers = { authorization: `Bearer ${key}` };
      const answer = await fetch(`${url}/readyz`, { headers, signal: AbortSignal.timeout(10_000) }).catch(() => null);
      const told = (await answer?.json().catch(() => null)) as { parts?: Part[] } | null | undefined;
      return told?.parts ?? [];
    },
    async well(service) {
      const until_ms = performance.now() + WELL_WITHIN_MS;
      const id = (await compose('ps', '-q', service)).trim();
      while ((await docker('inspect', '-f', '{{.State.Health.Status}}', id)) !== 'healthy') {
        if (performance.now() > until_ms) throw new Error(`${service} is not well ${WELL_WITHIN_MS / 1000} s later`);
        await sleep(LOOK_EVERY_MS);
      }
    },
    logs: () => compose('logs', '--no-color', '--tail', '60').catch((error: Error) => error.message),
    async remove() {
      await appliance(['reset']).catch(() => {});
      // Its files belong to the users of the containers.
      await docker(
        'run',
        '--rm',
        '-u',
        '0:0',
        '-v',
        `${folder}:/all`,
        '--entrypoint',
        '/bin/sh',
        image,
        '-c',
        'rm -rf /all/backups',
      ).catch(() => {});
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Lines `NAME=…` with other values. @throws where the file has none of that name */
export function withValues(text: string, values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values).reduce((all, [name, value]) => {
    const line = new RegExp(`^${name}=.*$`, 'm');
    if (!line.test(all)) throw new Error(`.env.example has no ${name}`);
    return all.replace(line, () => `${name}=${value}`);
  }, text);
}

/** @returns its standard output. @throws Error with the end of what it said */
function command(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.once('error', fail);
    child.once('close', (code) =>
      code === 0 ? done(out.trim()) : fail(new Error(`${program} ${args.join(' ')}: ${(err || out).slice(-1500)}`)),
    );
  });
}
