/**
 * The clock of the box, and whether it may be believed (engine/quality/clock-trust.ts). Whoever asks `clock.now()` gets
 * the wall clock while it is trusted; when it jumps he gets the time that goes on evenly from before, from that very
 * question on, so that nothing in the box acts on a false time.
 *
 * Not asked: NTP (no client of our own), and the kernel's own idea of whether it is synchronised, which Node cannot
 * read; systemd's mark of it is looked at where there is one.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { diskFiles, writeWhole } from '../../connectors/journal/files.ts';
import type { Clock } from '../../engine/ports.ts';
import {
  believe,
  type ClockKept,
  type ClockReason,
  type ClockState,
  judgeStart,
  judgeTick,
  judgeWitnesses,
  STEP_MS,
  WITNESS_MS,
  type Witness,
} from '../../engine/quality/clock-trust.ts';

export type ClockReport = {
  trusted: boolean;
  reason: ClockReason | null;
  /** When doubt began, by the time that the box goes on with. */
  since_ms: number | null;
  /** What the box goes on with, and what the wall clock shows. */
  believed_ms: number;
  wall_ms: number;
};
export interface ClockWatch {
  /** What every part of the box asks. */
  readonly clock: Clock;
  /** Names this start of the machine. */
  readonly boot: string;
  trusted(): boolean;
  report(): ClockReport;
  /** Somebody told the time: a provider by the Date of its answer, or a device with a reading. */
  witness(source: string, kind: Witness['kind'], time_ms: number): void;
  /** A person says that the wall clock is right. */
  believe(): void;
  /** Reading of the counting clock at an instant that `clock.now()` gave not long ago. */
  monoOf(at_ms: number): number;
  /** The time as it is known now of an instant that `clock.now()` gave not long ago. */
  corrected(at_ms: number): number;
  /** Trust was lost or is back. */
  onChange(listener: (report: ClockReport) => void): () => void;
  start(): void;
  stop(): Promise<void>;
}

export type ClockWatchDeps = {
  home: string;
  log: Logger;
  clock: Clock;
  /** When the software was built; null where nobody knows. */
  built_ms: number | null;
  every_ms?: number;
  /** For parts that count on by themselves: told at the start, each minute and when trust changes. */
  onTime?: (believed_ms: number) => void;
};

const FILE = 'clock.json';
const EVERY_MS = 1000;
const KEEP_EVERY_MS = 60_000;
/** Where systemd's clients of NTP say that they have set the clock. */
const SYNCHRONISED = '/run/systemd/timesync/synchronized';
const MOST_WITNESSES = 64;
/** An answer that is under way when the time is set right was stamped with the time before. */
const UNDER_WAY_MS = 60_000;

/** The machine's own clocks. */
export function systemClock(): Clock {
  // Counts through sleep, unlike performance.now, which is cheaper to ask.
  let base_ms = uptime() * 1000 - performance.now();
  let asked_ms = performance.now();
  return {
    now: () => Date.now(),
    monotonic() {
      const now = performance.now();
      if (now - asked_ms > EVERY_MS / 2) {
        const slept_ms = uptime() * 1000 - now - base_ms;
        if (slept_ms > 1000) base_ms += slept_ms;
        asked_ms = now;
      }
      return base_ms + now;
    },
    boot: bootName(),
    hardware: process.platform !== 'linux' || existsSync('/sys/class/rtc/rtc0'),
  };
}

/** Where the machine does not name its start, each start of the process counts as one. */
function bootName(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return `process-${process.pid}-${Math.round(performance.timeOrigin)}`;
  }
}

/** When this software was put together, from the file that every release renews. */
export function builtAt(root: string): number | null {
  return statSync(join(root, 'package.json'), { throwIfNoEntry: false })?.mtimeMs ?? null;
}

/** `stored_ms` is the newest instant that the journal holds. A clock without a counting one beside it is believed. */
export async function openClockWatch(deps: ClockWatchDeps, stored_ms: () => number | null): Promise<ClockWatch> {
  const { home, log, clock: raw } = deps;
  await mkdir(home, { recursive: true });
  const mono = raw.monotonic ?? raw.now;
  const boot = raw.boot ?? 'injected';
  const kept = raw.monotonic ? await readKept(home) : null;
  const begin = {
    ...{ wall_ms: raw.now(), mono_ms: mono(), boot, kept, hardware_clock: raw.hardware ?? true },
    ...{ stored_ms: raw.monotonic ? stored_ms() : null, built_ms: raw.monotonic ? deps.built_ms : null },
  };
  let state = judgeStart(begin);
  let since_ms = state.trusted ? null : mono() + state.offset_ms;
  const witnesses: Witness[] = [];
  const listeners = new Set<(report: ClockReport) => void>();
  /** When the time to go on with was set right by more than a step. */
  let turned: { mono_ms: number; before_ms: number; after_ms: number } | null = null;
  let timer: NodeJS.Timeout | null = null;
  let keptAt_ms = Number.NEGATIVE_INFINITY;
  let writing: Promise<void> = Promise.resolve();

  function become(next: ClockState, mono_ms: number): void {
    if (next === state) return;
    const before = state;
    state = next;
    if (Math.abs(next.offset_ms - before.offset_ms) > STEP_MS)
      turned = { mono_ms, before_ms: before.offset_ms, after_ms: next.offset_ms };
    if (next.trusted === before.trusted) return;
    since_ms = next.trusted ? null : mono_ms + next.offset_ms;
    const told = report();
    log[next.trusted ? 'info' : 'warn'](
      { ...told },
      next.trusted ? 'the clock is trusted again' : 'the clock is not trusted',
    );
    if (next.trusted) keep();
    deps.onTime?.(Math.round(mono_ms + next.offset_ms));
    // Not inside the question that found it.
    setImmediate(() => {
      for (const listener of listeners) listener(report());
    });
  }

  function now(): number {
    if (!raw.monotonic) return raw.now();
    const [wall_ms, mono_ms] = [raw.now(), mono()];
    become(judgeTick(state, wall_ms, mono_ms), mono_ms);
    return state.trusted ? wall_ms : Math.round(mono_ms + state.offset_ms);
  }

  function report(): ClockReport {
    const { trusted, reason } = state;
    return {
      trusted,
      reason,
      since_ms: since_ms === null ? null : Math.round(since_ms),
      believed_ms: now(),
      wall_ms: raw.now(),
    };
  }

  /** What the next start measures the clock by. A false time must not get there. */
  function keep(): void {
    const mono_ms = mono();
    if (!raw.monotonic || !state.trusted) return;
    keptAt_ms = mono_ms;
    const text = JSON.stringify({ boot, offset_ms: state.offset_ms, newest_ms: Math.round(mono_ms + state.offset_ms) });
    writing = writing
      .then(() => writeWhole(diskFiles, home, join(home, FILE), [Buffer.from(text)]))
      .catch((error: unknown) => log.warn({ err: error }, 'the state of the clock could not be kept'));
  }

  function look(): void {
    now();
    const mono_ms = mono();
    if (!state.trusted && raw.monotonic && deps.clock.boot === bootName() && existsSync(SYNCHRONISED))
      become(believe(raw.now(), mono_ms), mono_ms);
    else if (state.trusted && mono_ms - keptAt_ms >= KEEP_EVERY_MS) {
      keep();
      deps.onTime?.(now());
    }
  }

  const clock: Clock = { ...raw, now };
  return {
    clock,
    boot,
    trusted() {
      now();
      return state.trusted;
    },
    report,
    witness(source, kind, time_ms) {
      if (!raw.monotonic || !Number.isFinite(time_ms)) return;
      const mono_ms = mono();
      const place = witnesses.findIndex((one) => one.source === source);
      if (place >= 0) witnesses.splice(place, 1);
      witnesses.push({ source, kind, time_ms, mono_ms });
      while (witnesses.length > MOST_WITNESSES || mono_ms - witnesses[0]!.mono_ms > WITNESS_MS) witnesses.shift();
      now();
      become(judgeWitnesses(state, raw.now(), mono_ms, witnesses), mono_ms);
    },
    believe() {
      witnesses.length = 0;
      become(believe(raw.now(), mono()), mono());
    },
    monoOf: (at_ms) => at_ms - state.offset_ms,
    corrected(at_ms) {
      if (!turned) return at_ms;
      const mono_ms = at_ms - turned.before_ms;
      const before_ms = turned.mono_ms - mono_ms;
      if (mono() - turned.mono_ms > UNDER_WAY_MS || before_ms < 0 || before_ms > UNDER_WAY_MS) return at_ms;
      return Math.round(mono_ms + turned.after_ms);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    start() {
      keep();
      if (raw.monotonic) deps.onTime?.(now());
      timer = setInterval(look, deps.every_ms ?? EVERY_MS);
      timer.unref();
    },
    async stop() {
      if (timer) clearInterval(timer);
      now();
      keep();
      await writing;
    },
  };
}

/** A file that is damaged is as none. */
async function readKept(home: string): Promise<ClockKept | null> {
  const text = await readFile(join(home, FILE), 'utf8').catch(() => null);
  try {
    const { boot, offset_ms, newest_ms } = JSON.parse(text ?? 'null') as ClockKept;
    return typeof boot === 'string' && Number.isFinite(offset_ms) && Number.isFinite(newest_ms)
      ? { boot, offset_ms, newest_ms }
      : null;
  } catch {
    return null;
  }
}
