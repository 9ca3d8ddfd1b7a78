/** What the broker promises, at full count: conformance, a frozen subscriber, a thousand clients that come back at once, rights. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { BEHAVIOURS, failures } from '../gateway/broker/conformance.ts';
import { compareFrozen } from '../gateway/broker/frozen.ts';
import { createFleet } from '../gateway/broker/reconnect.ts';
import { checkRights } from '../gateway/broker/rights.ts';
import { makeDevices, makeHome, makeKey, makeSite, type RunningBox, removeHome, startBox } from './load/box.ts';
import { comparePushed, drained } from './load/compare.ts';
import { type LoadClient, quantile } from './load/protocol.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'MQTT: conformance, a frozen subscriber, clients that all come back, rights: --cases 100000 --clients 1000 --seconds 10 --seed 1';

const DAY_MS = 86_400_000;
const LIMIT_S = 30;
const OTHERS = 5;

type Progress = (line: string) => void;

export async function run(options: BenchOptions, progress: Progress): Promise<BenchResult> {
  const cases = Number(options.cases ?? 100_000);
  const clients = Number(options.clients ?? 1000);
  const seconds = Number(options.seconds ?? 10);
  const seed = Number(options.seed ?? 1);
  const onBox = await measureBox({ clients, seconds }, progress);
  let told = 0;
  const { leaks, cases: rights_cases } = await checkRights({ cases, seed }, (done) => {
    if (done - told < 5000) return;
    told = done;
    progress(`rights: ${done} of ${cases} cases`);
  });
  for (const leak of leaks.slice(0, 20)) progress(`leak: ${leak}`);
  return { seed, ...onBox, rights_cases, leaks: leaks.length };
}

async function measureBox({ clients, seconds }: { clients: number; seconds: number }, progress: Progress) {
  const home = await makeHome();
  let box: RunningBox | null = null;
  try {
    box = await startBox(home);
    const key = await makeKey(home);
    await makeSite(box.url, key);
    const few = await makeDevices(home, OTHERS + 2, 'few');
    const failed = await measureConformance(box.mqtt_port, few[0]!);
    for (const failure of failed) progress(`conformance: ${failure}`);
    const conformance_passed = BEHAVIOURS.length - failed.length;
    progress(`conformance: ${conformance_passed} of ${BEHAVIOURS.length}`);
    const [frozen, ...others] = few.slice(1).map((device) => ({ ...device, base: `meters/${device.client_id}/` }));
    const { dropped, ...waits } = await compareFrozen(box.mqtt_port, frozen!, others, seconds);
    const [frozen_p99_ms, calm_p99_ms] = [p99(waits.frozen_ms), p99(waits.calm_ms)];
    progress(
      `frozen subscriber: dropped ${dropped} times, others' p99 ${frozen_p99_ms} ms of ${waits.frozen_ms.length}; ` +
        `without it ${calm_p99_ms} ms of ${waits.calm_ms.length}`,
    );
    const devices = await makeDevices(home, clients, 'storm');
    const start = async () => {
      box = await startBox(home);
    };
    const storm = await measureStorm(() => box!, { key, devices, start }, progress);
    return { conformance_passed, frozen_p99_ms, calm_p99_ms, ...storm };
  } catch (error) {
    progress(box?.output() ?? 'the box did not start');
    throw error;
  } finally {
    await box?.stop();
    await removeHome(home);
  }
}

function measureConformance(port: number, { username, password, client_id }: LoadClient): Promise<string[]> {
  const dial = () => connect(port, '127.0.0.1');
  return failures({ dial, username, password, base: `meters/${client_id}/`, foreign: 'test/nosubscribe' });
}

const p99 = (waits_ms: readonly number[]) => Number(quantile(waits_ms, 0.99).toFixed(1));

type Storm = { key: string; devices: LoadClient[]; start: () => Promise<void> };

/**
 * All connections break at once, then the box is killed and starts again. The worse of both counts; the seconds begin
 * when the connections break, so those after the kill hold the start of the box.
 * @throws when nothing was acknowledged
 */
async function measureStorm(box: () => RunningBox, { key, devices, start }: Storm, progress: Progress) {
  const base_ms = Date.now() - DAY_MS;
  const fleet = createFleet(() => box().mqtt_port, devices, base_ms);
  await fleet.connect(LIMIT_S);
  fleet.publish();
  const came: { back: number; seconds: number }[] = [];
  for (const [what, cut, mend] of [
    ['a break of the network', async () => fleet.drop(), async () => {}],
    ['kill -9 of the box', () => box().kill(), start],
  ] as const) {
    await sleep(2000);
    await cut();
    const [back] = await Promise.all([fleet.connect(LIMIT_S), mend()]);
    progress(`after ${what}: ${back.back} of ${devices.length} back in ${back.seconds.toFixed(2)} s`);
    came.push(back);
  }
  await sleep(2000);
  const sent = await fleet.end();
  const acknowledged = sent.reduce((sum, { contiguous, others }) => sum + contiguous + others.length, 0);
  if (acknowledged < devices.length)
    throw new Error(`${acknowledged} readings of ${devices.length} clients were acknowledged: this proves nothing`);
  await drained(box().url, key);
  const { lost, duplicated } = await comparePushed(box().url, key, base_ms, sent);
  if (duplicated > 0) throw new Error(`${duplicated} readings are in the store twice`);
  return {
    reconnected: Math.min(...came.map(({ back }) => back)),
    reconnect_s: Number(Math.max(...came.map(({ seconds }) => seconds)).toFixed(2)),
    ...{ acknowledged, lost },
  };
}
