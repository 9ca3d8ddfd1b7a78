/** The demo's process as the box sees it: started, asked, ended; never left behind. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Logger } from 'pino';
import { UnavailableError } from '../../../engine/errors.ts';
import type { Reading } from '../../../engine/model/reading.ts';
import type { Credential } from '../../demo/mqtt-devices.ts';
import type { DemoCommand, DemoReport } from '../../demo/protocol.ts';

export type DemoProcess = {
  modbus_port: number;
  price_port: number;
  urls: Readonly<Record<string, string>>;
  /** Hands over the past, a day at a time; the next one comes when `take` has resolved. */
  history(
    from_ms: number,
    to_ms: number,
    take: (readings: Reading[], done: number, total: number) => Promise<void>,
  ): Promise<void>;
  publish(url: string, credentials: readonly Credential[]): Promise<void>;
  close(): Promise<void>;
};

const ANSWER_MS = 60_000;
const CLOSE_MS = 2000;

/** @param onDeath called when the process ends though nobody closed it */
export async function openDemoProcess(
  start: { seed: number; started_ms: number; modbus_port: number; price_port: number },
  log: Logger,
  onDeath: (process: DemoProcess) => void,
): Promise<DemoProcess> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', '..', 'demo', 'main.ts')], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, NODE_OPTIONS: process.env.NODE_OPTIONS },
  });
  child.stderr.on('data', (chunk: Buffer) => log.warn({ demo: chunk.toString().trim() }, 'the demo process says'));
  // writing to a process that is gone is told by its end
  child.stdin.on('error', () => {});
  const reports = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let closing = false;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));

  async function next(): Promise<DemoReport> {
    const timeout = AbortSignal.timeout(ANSWER_MS);
    const late = new Promise<never>((_, reject) =>
      timeout.addEventListener('abort', () => reject(new UnavailableError('The demo process does not answer.'))),
    );
    const { value, done } = await Promise.race([reports.next(), late]);
    if (done) throw new UnavailableError('The demo process ended.', 'Start the demo again.');
    const report = JSON.parse(value) as DemoReport;
    if (report.kind === 'failed') throw new UnavailableError(`The demo process failed: ${report.text}`);
    return report;
  }
  async function ask<Kind extends DemoReport['kind']>(command: DemoCommand, kind: Kind) {
    child.stdin.write(`${JSON.stringify(command)}\n`);
    const report = await next();
    if (report.kind !== kind) throw new UnavailableError(`The demo process answers ${report.kind} to ${command.kind}.`);
    return report as DemoReport & { kind: Kind };
  }
  async function close(): Promise<void> {
    closing = true;
    child.stdin.end();
    const forced = setTimeout(() => child.kill('SIGKILL'), CLOSE_MS);
    await gone;
    clearTimeout(forced);
  }

  try {
    const { modbus_port, price_port, urls } = await ask({ kind: 'open', ...start }, 'ready');
    const running: DemoProcess = {
      modbus_port,
      price_port,
      urls,
      async history(from_ms, to_ms, take) {
        child.stdin.write(`${JSON.stringify({ kind: 'history', from_ms, to_ms } satisfies DemoCommand)}\n`);
        for (let report = await next(); report.kind !== 'history-end'; report = await next())
          if (report.kind === 'readings') await take(report.readings, report.done, report.total);
      },
      async publish(url, credentials) {
        await ask({ kind: 'mqtt', url, credentials }, 'publishing');
      },
      close,
    };
    void gone.then(() => {
      if (!closing) onDeath(running);
    });
    return running;
  } catch (error) {
    await close();
    throw error;
  }
}
