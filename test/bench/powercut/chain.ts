/** Life after life over one folder, each begun on what a power cut left of the one before. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../engine/random.ts';
import { cutPower, type DiskImage } from './disk-model.ts';
import { writeImage } from './in-process.ts';
import type { Found, LifeOrder } from './life.ts';
import { parseTrace, recording } from './trace.ts';

/** A life after it has said what it found. */
const LIFE_MS = { least: 20, most: 900 };
const START_MS = 90_000;

export type Cut = Found & { acknowledged: number; lost: number };
export type Chain = {
  /** One life that ends with the power, and the start after it. */
  cut(): Promise<Cut>;
  end(): Promise<void>;
};

/** @param recorder the library that records writes */
export async function openChain(recorder: string, random: Random): Promise<Chain> {
  const home = await mkdtemp(join(tmpdir(), 'luna-powercut-'));
  const dir = join(home, 'box');
  const log = join(home, 'trace');
  const owed = new Set<number>();
  let image: DiskImage = new Map();
  let first = 0;
  let known = 0;

  /** Lives until it is killed. @returns what it found at its start */
  async function live(): Promise<Found> {
    await rm(dir, { recursive: true, force: true });
    await rm(log, { force: true });
    await writeImage(dir, image);
    const order: LifeOrder = { dir, seed: Math.floor(random() * 2 ** 32), first };
    const child = fork(join(import.meta.dirname, 'life.ts'), [JSON.stringify(order)], {
      env: { ...process.env, ...recording(recorder, dir, log) },
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    try {
      const found = await firstMessage(child);
      await sleep(LIFE_MS.least + random() * (LIFE_MS.most - LIFE_MS.least));
      return found;
    } finally {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
  }
  /** Takes the power away at a moment of the life that ended. @returns how many readings it had acknowledged by then */
  async function takePower(): Promise<number> {
    const operations = existsSync(log) ? parseTrace(await readFile(log)) : [];
    const until = Math.floor(operations.length * (1 - random() ** 2)) + (random() < 0.3 ? 1 : 0);
    const happened = operations.slice(0, until);
    let acknowledged = 0;
    for (const one of happened)
      if (one.op === 'acknowledge') {
        owed.add(one.number);
        acknowledged++;
      }
    for (const one of operations) if (one.op === 'acknowledge') first = Math.max(first, one.number);
    first += 10_000;
    image = cutPower(image, happened, random);
    return acknowledged;
  }
  function missing(found: Found): number {
    const stored = new Set(found.stored);
    let lost = 0;
    for (const n of owed)
      if (!stored.has(n)) {
        lost++;
        owed.delete(n);
      }
    return lost;
  }
  let begun = false;
  return {
    async cut() {
      if (!begun) await live();
      begun = true;
      const acknowledged = await takePower();
      const found = await live();
      const duplicated = Math.max(0, found.duplicated - known);
      known = Math.max(known, found.duplicated);
      return { ...found, duplicated, acknowledged, lost: missing(found) };
    },
    end: () => rm(home, { recursive: true, force: true }),
  };
}

async function firstMessage(child: ChildProcess): Promise<Found> {
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`a life ended by itself with ${code ?? signal}`);
  });
  const late = sleep(START_MS, undefined, { ref: false }).then(() => {
    throw new Error(`a life found nothing within ${START_MS / 1000} s`);
  });
  const [{ found }] = (await Promise.race([once(child, 'message'), ended, late])) as [{ found: Found }];
  ended.catch(() => {});
  return found;
}
