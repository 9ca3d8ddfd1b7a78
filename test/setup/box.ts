/** Starts the whole box as people do (`luna run`), in a home of its own on free ports. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const START_MS = 180_000;
/** As `./luna` starts it. */
export const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4'];
export const NODE_ENVIRONMENT = { MALLOC_ARENA_MAX: '2' };

export type Box = {
  pid: number;
  home: string;
  url: string;
  mqtt_port: number;
  /** The one-time set-up link, while nobody has signed in. */
  setup_link: string | null;
  /** From start to ready. */
  start_ms: number;
  /** Everything the box wrote on standard error, for messages of failing tests. */
  said(): string;
  /** `luna <args>` against this box; resolves with what it printed. */
  luna(...args: string[]): Promise<string>;
  /** The same with --json, parsed. */
  lunaJson<Result>(...args: string[]): Promise<Result>;
  /** SIGTERM; resolves with the milliseconds it took and the exit status. */
  stop(): Promise<{ took_ms: number; status: number | null }>;
  /** SIGKILL of the process alone: what it started lives on, as after a crash. */
  kill(): Promise<void>;
  /** Starts again in the same home. */
  restart(environment?: Record<string, string>): Promise<Box>;
  /** Stops what runs and removes the home. */
  remove(): Promise<void>;
};

/** @param environment LUNA_… variables on top of the free ports. */
export async function startBox(environment: Record<string, string> = {}, home?: string): Promise<Box> {
  const folder = home ?? (await mkdtemp(join(tmpdir(), 'luna-box-')));
  const env = {
    ...clean(process.env),
    ...NODE_ENVIRONMENT,
    LUNA_HOST: '127.0.0.1',
    LUNA_PORT: '0',
    LUNA_MQTT_PORT: '0',
    LUNA_MQTTS_PORT: '0',
    LUNA_LOG_LEVEL: 'warn',
    LUNA_WEATHER: 'off',
    // A model that happens to run on this machine would write other answers.
    LUNA_OLLAMA_URL: '',
    ...environment,
    LUNA_HOME: folder,
  };
  const begun = performance.now();
  const child = spawn(process.execPath, [...NODE_FLAGS, join(ROOT, 'gateway/main.ts'), 'run'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  await ready(child, () => said);
  const start_ms = performance.now() - begun;
  const url = found(/ready: +(\S+)/, said);
  const luna = async (...args: string[]) =>
    (
      await run(process.execPath, ['--disable-warning=ExperimentalWarning', join(ROOT, 'gateway/main.ts'), ...args], {
        env,
      })
    ).stdout;
  return {
    ...{ pid: child.pid ?? 0, home: folder, url, start_ms, luna },
    mqtt_port: Number(found(/MQTT to: port (\d+)/, said)),
    setup_link: /(http\S+\/setup\?token=\S+)/.exec(said)?.[1] ?? null,
    said: () => said,
    lunaJson: async (...args) => JSON.parse(await luna(...args, '--json')),
    stop: () => end(child, 'SIGTERM'),
    kill: async () => {
      await end(child, 'SIGKILL');
    },
    restart: (more = {}) => startBox({ ...environment, ...more }, folder),
    remove: async () => {
      if (child.exitCode === null && child.signalCode === null) await end(child, 'SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Our own variables for tests and benches stay out of the box. */
function clean(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => !entry[0].startsWith('LUNA_') && entry[1] !== undefined,
    ),
  );
}

async function ready(child: ChildProcess, said: () => string): Promise<void> {
  const until = performance.now() + START_MS;
  while (!/MQTT to: port \d+/.test(said())) {
    const how = child.exitCode ?? child.signalCode;
    if (how !== null) throw new Error(`the box ended with ${how} before it was ready:\n${said()}`);
    if (performance.now() > until) {
      child.kill('SIGKILL');
      throw new Error(`the box was not ready within ${START_MS / 1000} s:\n${said()}`);
    }
    await new Promise((done) => setTimeout(done, 20));
  }
  // The set-up link follows in the same write.
  await new Promise((done) => setTimeout(done, 20));
}

async function end(
  child: ChildProcess,
  signal: 'SIGTERM' | 'SIGKILL',
): Promise<{ took_ms: number; status: number | null }> {
  if (child.exitCode !== null || child.signalCode !== null) return { took_ms: 0, status: child.exitCode };
  const begun = performance.now();
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
  return { took_ms: performance.now() - begun, status: child.exitCode };
}

function found(pattern: RegExp, text: string): string {
  const match = pattern.exec(text)?.[1];
  if (!match) throw new Error(`${pattern} is not in what the box said:\n${text}`);
  return match;
}
