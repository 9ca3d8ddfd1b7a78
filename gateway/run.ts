/**
 * `luna run`: takes the home, assembles the box, starts it, tells the address, and closes it on SIGTERM or SIGINT.
 * Also one command of the command line in a box without listeners, where none runs.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Logger } from 'pino';
import { assemble } from './assemble.ts';
import { refuseUnfinished } from './backup/restore.ts';
import { runCommand } from './commands.ts';
import type { Config } from './config.ts';
import { type Command, type CommandResult, openControl } from './control.ts';
import { greetingOf, type Listening, lanAddresses } from './greeting.ts';
import { createLifecycle, type Lifecycle } from './lifecycle.ts';
import { createLog } from './log.ts';
import type { Services } from './services.ts';
import { openTracing } from './tracing.ts';

/** Closing ends within this, whatever hangs (the promise to whoever stops the box is 5 s). */
const CLOSE_DEADLINE_MS = 4800;

/** Resolves once the box serves; the process then lives until a signal. Rejects when it cannot start, with nothing left running. */
export async function runBox(config: Config): Promise<void> {
  await refuseUnfinished(config.home);
  const log = createLog(config.log_level);
  mkdirSync(config.home, { recursive: true, mode: 0o700 });
  const control = await openControl(config.home);
  let lifecycle: Lifecycle | null = null;
  const starting = start();
  closeOnSignal(log, async () => {
    // A signal during the start waits for its end, so that no server is left behind half started.
    await starting.catch(() => {});
    const late = (await lifecycle?.close()) ?? [];
    await control.close();
    return late;
  });
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'));
  try {
    await starting;
  } catch (error) {
    await control.close();
    // What should still hang must not keep a box alive that does not serve.
    setTimeout(() => process.exit(1), CLOSE_DEADLINE_MS).unref();
    throw error;
  }

  async function start(): Promise<void> {
    const { otlp_url: url, otlp_share: share } = config;
    const tracing = await openTracing({ url, share, version: version() }, log);
    const { services, parts, address } = await assemble(config, log, { listen: true });
    lifecycle = createLifecycle([{ name: 'traces', close: () => tracing.close() }, ...parts], log);
    await lifecycle.start();
    keepHeapsSmall();
    control.serve((command) => runCommand(services, command));
    await greet(services, address());
  }
}

/**
 * From here on V8 collects garbage rather than let its heaps grow: a sixth less memory while the box catches up after an
 * outage. Not before, since a start is in a hurry; and an older V8 does not know it.
 */
function keepHeapsSmall(): void {
  if (Number.parseInt(process.versions.v8, 10) >= 13) setFlagsFromString('--memory-saver-mode');
}

/** @param close resolves with what it went on without */
function closeOnSignal(log: Logger, close: () => Promise<string[]>): void {
  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'closing');
    // An exit waits for threads, and a store that hangs holds its thread: only a kill is sure to end in time. Whatever
    // was not closed is made for that.
    const end = () => process.kill(process.pid, 'SIGKILL');
    setTimeout(end, CLOSE_DEADLINE_MS).unref();
    const late = await close();
    if (late.length > 0) end();
    process.exit(0);
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
}

/** Opens the same services without listeners, runs the command and closes them again. */
export async function runOnce(config: Config, command: Command): Promise<CommandResult> {
  await refuseUnfinished(config.home);
  mkdirSync(config.home, { recursive: true, mode: 0o700 });
  const control = await openControl(config.home);
  // Standard output belongs to the command's result.
  const log = createLog(config.log_level === 'info' ? 'warn' : config.log_level, 2);
  try {
    const { services, parts } = await assemble(config, log, { listen: false });
    const lifecycle = createLifecycle(parts, log);
    await lifecycle.start();
    try {
      return await runCommand(services, command);
    } finally {
      await lifecycle.close();
    }
  } finally {
    await control.close();
  }
}

/** The address, and until someone has signed in the one-time set-up link. For people, so not as a log line. */
async function greet({ config, access }: Services, listening: Omit<Listening, 'host'>): Promise<void> {
  const { public_url, host } = config;
  const token = await access.setupToken();
  process.stderr.write(greetingOf({ ...listening, host }, { public_url, lan: lanAddresses(), token }));
}

function version(): string {
  const text = readFileSync(join(import.meta.dirname, '../package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
