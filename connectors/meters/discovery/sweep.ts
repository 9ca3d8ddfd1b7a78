/** Which of many addresses accept a TCP connection. Bounded in number, rate and time; nothing is sent. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type Target = { host: string; port: number };
export type SweepOptions = {
  signal: AbortSignal;
  /** Longest wait for one connection. */
  timeout_ms?: number;
  /** Connections that may be under way at once, and begun in a second. */
  most_at_once?: number;
  most_per_s?: number;
  onDone?: () => void;
};

/** Resolves when all were tried or the signal ended it. `onOpen` is told as they are found and waited for. */
export async function sweep(
  targets: readonly Target[],
  onOpen: (target: Target) => Promise<void>,
  options: SweepOptions,
): Promise<void> {
  const { signal, timeout_ms = 500, most_at_once = 64, most_per_s = 200, onDone = () => undefined } = options;
  const waiting = targets.values();
  const begun = performance.now();
  let started = 0;
  const worker = async () => {
    for (const target of waiting) {
      if (signal.aborted) return;
      const due_ms = (started++ * 1000) / most_per_s - (performance.now() - begun);
      if (due_ms > 0) await sleep(due_ms, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      if (await accepts(target, timeout_ms)) await onOpen(target);
      onDone();
    }
  };
  await Promise.all(Array.from({ length: Math.min(most_at_once, targets.length) }, worker));
}

function accepts({ host, port }: Target, timeout_ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (is: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(is);
    };
    const timer = setTimeout(() => done(false), timeout_ms);
    socket.once('connect', () => done(true));
    socket.on('error', () => done(false));
  });
}
