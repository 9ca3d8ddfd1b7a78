/** What a plant goes through: it runs, its gateways fail in turn and come back, then one device of each is dead. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../../engine/random.ts';
import { FAULTS, type FaultKind } from '../../connectors/meters/modbus/faults.ts';
import { openPlant, type Plant } from './plant.ts';

export type Trial = {
  gateways: number;
  /** Devices behind each gateway. */
  units: number;
  period_s: number;
  seed: number;
  hold_s: number;
  /** Rounds of faults, each with one kind a gateway. */
  rounds: number;
  fault_s: number;
  dead_s: number;
  faults?: readonly FaultKind[];
};
export type TrialResult = {
  devices: number;
  gateways: number;
  rate_held_pct: number;
  wrong_values: number;
  recovery_max_s: number;
  neighbour_cost_pct: number;
  cpu_pct: number;
};

/** Longer than this nobody waits for a device to come back. */
const GIVE_UP_S = 30;

export async function runTrial(trial: Trial, progress: (line: string) => void): Promise<TrialResult> {
  const random = createRandom(trial.seed);
  const plant = await openPlant(trial);
  try {
    await waitFor(plant, all(plant), plant.now_ms());
    const before = process.cpuUsage();
    const held = await rates(plant, all(plant), trial.hold_s, trial.period_s);
    const { user, system } = process.cpuUsage(before);
    progress(`without faults ${held.toFixed(1)} % of the rate`);
    let recovery_s = 0;
    const kinds = shuffled(trial.faults ?? FAULTS, random);
    for (let round = 0; round < trial.rounds; round++) {
      for (const [g, gateway] of plant.gateways.entries())
        gateway.fault = kinds[(round * plant.gateways.length + g) % kinds.length]!;
      const named = plant.gateways.map(({ fault }) => fault);
      await sleep(trial.fault_s * 1000);
      for (const gateway of plant.gateways) gateway.fault = null;
      const took = await waitFor(plant, all(plant), plant.now_ms());
      recovery_s = Math.max(recovery_s, took.seconds);
      progress(
        `${named.join(', ')}: back after ${took.seconds.toFixed(1)} s${took.last}; wrong ${plant.wrong().length}`,
      );
    }
    for (const gateway of plant.gateways) gateway.dead.add(1 + Math.floor(random() * trial.units));
    const neighbours = all(plant).filter(([g, unit]) => !plant.gateways[g]!.dead.has(unit));
    const beside = await rates(plant, neighbours, trial.dead_s, trial.period_s);
    progress(`beside a dead device ${beside.toFixed(1)} % of the rate`);
    for (const gateway of plant.gateways) gateway.dead.clear();
    const back = await waitFor(plant, all(plant), plant.now_ms());
    for (const line of plant.wrong().slice(0, 5)) progress(line);
    return {
      ...{ devices: trial.gateways * trial.units, gateways: trial.gateways, rate_held_pct: rounded(held) },
      wrong_values: plant.wrong().length,
      recovery_max_s: rounded(Math.max(recovery_s, back.seconds)),
      neighbour_cost_pct: rounded(Math.max(0, held - beside)),
      cpu_pct: rounded((user + system) / 1e4 / trial.hold_s),
    };
  } finally {
    await plant.close();
  }
}

type Which = readonly (readonly [gateway: number, unit: number])[];

function all(plant: Plant): Which {
  return plant.gateways.flatMap((_, g) => plant.units.map((unit) => [g, unit] as const));
}

/** Good rounds of these devices within the time, in percent of those due. */
async function rates(plant: Plant, which: Which, seconds: number, period_s: number): Promise<number> {
  const count = () => which.reduce((sum, [g, unit]) => sum + plant.rounds(g, unit).count, 0);
  const [before, begun] = [count(), performance.now()];
  await sleep(seconds * 1000);
  const due = ((performance.now() - begun) / 1000 / period_s) * which.length;
  return Math.min(100, (100 * (count() - before)) / due);
}

/** Seconds until each of these has a good round that began after `since_ms`. */
async function waitFor(plant: Plant, which: Which, since_ms: number): Promise<{ seconds: number; last: string }> {
  const missing = () => which.filter(([g, unit]) => plant.rounds(g, unit).last_ms <= since_ms);
  let last = '';
  for (;;) {
    const left = missing();
    const seconds = (plant.now_ms() - since_ms) / 1000;
    if (left.length === 0 || seconds > GIVE_UP_S) return { seconds, last };
    last = ` (last ${left[0]!.join('-')})`;
    await sleep(20);
  }
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function rounded(value: number): number {
  return Number(value.toFixed(2));
}
