/**
 * The control socket in LUNA_HOME takes the command line's commands while the box runs. Only the owner of the home may
 * open it (mode 600). Who opens it holds the home.
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ConfigError, type Fault, InvalidDataError } from '../engine/errors.ts';
import { lockHome } from './home-lock.ts';
import { describeError } from './http/api.ts';

export type Command = { name: string; args: Record<string, unknown> };
/** `text` is for people, `json` for `--json`; `failed` makes the exit status 1. */
export type CommandResult = { text: string; json: Record<string, unknown>; failed?: boolean };
/** A running box answers the probe at once. */
const ANSWER_WITHIN_MS = 5000;
export type RunCommand = (command: Command) => Promise<CommandResult>;

/** sockaddr_un holds 107 bytes; a longer home gets a short, private folder instead. */
export function socketPath(home: string): string {
  const inHome = join(home, 'luna.sock');
  if (Buffer.byteLength(inHome) < 100) return inHome;
  const dir = join(tmpdir(), `luna-${createHash('sha256').update(home).digest('hex').slice(0, 16)}`);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return join(dir, 'luna.sock');
}

/**
 * Takes the home for this process. Commands are answered with 503 until `serve` gave the function that runs them.
 * @throws ConfigError when another process holds it.
 */
export async function openControl(home: string): Promise<{ serve(run: RunCommand): void; close(): Promise<void> }> {
  const unlock = lockHome(home);
  const path = socketPath(home);
  // Whoever left it is gone, for the lock is ours.
  rmSync(path, { force: true });
  let run: RunCommand | null = null;
  const server = createServer(async (incoming, outgoing) => {
    const reply = (status: number, body: unknown) =>
      outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (!run) return reply(503, { detail: 'The box is still starting. Try again in a few seconds.' });
    try {
      reply(200, await run(JSON.parse(await text(incoming)) as Command));
    } catch (error) {
      const { status, detail, faults } = describeError(error);
      reply(status, { detail: status === 500 ? `${detail} (${(error as Error).message})` : detail, faults });
    }
  });
  await new Promise<void>((done, fail) => server.once('error', fail).listen(path, done)).catch((error: unknown) => {
    unlock();
    throw error;
  });
  server.once('close', unlock);
  chmodSync(path, 0o600);
  return {
    serve(handler) {
      run = handler;
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/**
 * Hands a command to the running box.
 * @returns null when no box runs in this home; rejects with the box's words when it refuses, and when it does not answer.
 */
export async function sendCommand(
  home: string,
  command: Command,
  timeout_ms = ANSWER_WITHIN_MS,
): Promise<CommandResult | null> {
  const path = socketPath(home);
  if (!existsSync(path) || !(await answers(path, timeout_ms))) return null;
  const { status, body } = await post(path, JSON.stringify(command));
  const reply = JSON.parse(body) as CommandResult & { detail?: string; faults?: Fault[] };
  if (status !== 200) {
    const detail = reply.detail ?? `The box answered ${status}.`;
    throw reply.faults?.length ? new InvalidDataError(detail, undefined, reply.faults) : new ConfigError(detail);
  }
  return reply;
}

function post(path: string, body: string): Promise<{ status: number; body: string }> {
  return new Promise((done, fail) => {
    const outgoing = request({ socketPath: path, method: 'POST', path: '/', timeout: 3_600_000 }, async (answer) => {
      done({ status: answer.statusCode ?? 0, body: await text(answer) });
    });
    outgoing.once('error', fail).end(body);
  });
}

/**
 * Whether a box is there: nobody listens on a socket that a killed one left.
 * @throws ConfigError when somebody holds the socket but does not answer in time.
 */
function answers(path: string, timeout_ms: number): Promise<boolean> {
  return new Promise((done, fail) => {
    const probe = request({ socketPath: path, method: 'GET', path: '/', timeout: timeout_ms }, (answer) => {
      answer.resume();
      done(true);
    });
    const silent = () =>
      new ConfigError(
        `A Luna holds ${path} but does not answer.`,
        'It is stopped or very busy: try again, or end that process first.',
      );
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const nobody = error.code === 'ECONNREFUSED' || error.code === 'ENOENT';
      return nobody ? done(false) : fail(silent());
    });
    probe.once('timeout', () => probe.destroy(new Error('timeout')));
    probe.end();
  });
}
