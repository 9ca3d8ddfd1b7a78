/**
 * The control socket in LUNA_HOME: it makes sure that one process at a time holds a home, and takes the command
 * line's commands while the box runs. Only the owner of the home may open it (mode 600).
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ConfigError } from '../engine/errors.ts';
import { describeError } from './http/api.ts';

export type Command = { name: string; args: Record<string, unknown> };
/** `text` is for people, `json` for `--json`. */
export type CommandResult = { text: string; json: Record<string, unknown> };
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
  const path = socketPath(home);
  if (existsSync(path)) {
    if (await answers(path))
      throw new ConfigError(`Another Luna runs in ${home}.`, 'Stop it first, or give another LUNA_HOME.');
    rmSync(path, { force: true });
  }
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
  await new Promise<void>((done, fail) => server.once('error', fail).listen(path, done));
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
 * @returns null when no box runs in this home; rejects with the box's words when it refuses.
 */
export async function sendCommand(home: string, command: Command): Promise<CommandResult | null> {
  const path = socketPath(home);
  if (!existsSync(path) || !(await answers(path))) return null;
  const { status, body } = await post(path, JSON.stringify(command));
  const reply = JSON.parse(body) as CommandResult & { detail?: string };
  if (status !== 200) throw new ConfigError(reply.detail ?? `The box answered ${status}.`);
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

function answers(path: string): Promise<boolean> {
  return new Promise((done) => {
    const probe = request({ socketPath: path, method: 'GET', path: '/', timeout: 2000 }, (answer) => {
      answer.resume();
      done(true);
    });
    probe.once('error', () => done(false)).once('timeout', () => probe.destroy());
    probe.end();
  });
}
