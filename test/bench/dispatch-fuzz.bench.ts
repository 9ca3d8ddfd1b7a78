/** Plans of random sites, checked by an accounting of their own: nothing from nowhere, no broken limit unsaid. */
import { openHighs } from '../../engine/dispatch/highs.ts';
import { planSite } from '../../engine/dispatch/plan.ts';
import type { Plan, PlanInput } from '../../engine/dispatch/site.ts';
import { randomSite, seeded } from './dispatch/random-site.ts';
import { openProgress } from './load/state.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'plans of random sites: no exception, balance, every broken limit reported: --sites 10000 --seed 1 (--state FILE to go on after a stop)';

const KEEP_SITES = 100;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const sites = Number(options.sites ?? 10_000);
  const seed = Number(options.seed ?? 1);
  const fresh = { sites: 0, exceptions: 0, balance_max_W: 0, unreported_violations: 0 };
  const { state, save } = openProgress(options.state, `dispatch-fuzz --seed ${seed}`, fresh);
  const { mixed } = await openHighs();
  while (state.sites < sites) {
    const k = state.sites;
    const input = randomSite(seeded(seed * 100_003 + k));
    try {
      const { plan } = planSite(input, { mixed });
      state.balance_max_W = Math.max(state.balance_max_W, imbalance_W(input, plan));
      const unsaid = unreported(input, plan);
      state.unreported_violations += unsaid.length;
      if (unsaid.length > 0) progress(`site ${k}: ${unsaid.join(', ')}`);
    } catch (error) {
      state.exceptions++;
      progress(`site ${k}: ${(error as Error).message.slice(0, 200)}`);
    }
    state.sites++;
    if (state.sites % KEEP_SITES !== 0 && state.sites < sites) continue;
    save();
    progress(`${state.sites} of ${sites} sites`);
  }
  const { exceptions, balance_max_W, unreported_violations } = state;
  return {
    sites: state.sites,
    exceptions,
    balance_max_W: Number(balance_max_W.toExponential(2)),
    unreported_violations,
  };
}

/** Largest power that comes from nowhere: at the connection, and in each battery's energy from slot to slot. */
export function imbalance_W(input: PlanInput, plan: Plan): number {
  const hours = input.slot_min / 60;
  let most = 0;
  for (let t = 0; t < input.import_price.length; t++) {
    let sum = plan.grid_W[t]! + input.generation_W[t]! - plan.curtailed_W[t]! - input.load_W[t]!;
    for (const { power_W } of plan.devices) sum += power_W[t]!;
    most = Math.max(most, Math.abs(sum));
  }
  for (const battery of input.batteries) {
    const { power_W, energy_kWh } = plan.devices.find(({ id }) => id === battery.id)!;
    let energy = battery.energy_kWh;
    for (let t = 0; t < power_W.length; t++) {
      const kWh = (power_W[t]! / 1000) * hours;
      energy *= battery.keep_per_hour ** hours;
      energy -= kWh > 0 ? kWh / battery.discharge_efficiency : kWh * battery.charge_efficiency;
      most = Math.max(most, (Math.abs(energy - energy_kWh[t]!) * 1000) / hours);
    }
  }
  return most;
}

/** Limits that the plan breaks by more than a crumb and does not name for that time. */
export function unreported(input: PlanInput, plan: Plan): string[] {
  const slot_ms = input.slot_min * 60_000;
  const found: string[] = [];
  const check = (limit: string, id: string, t: number, over: number, crumb: number) => {
    const at = input.from_ms + t * slot_ms;
    const said = plan.gave_way.some((g) => g.limit === limit && g.id === id && g.from_ms <= at && g.to_ms > at);
    if (over > crumb && !said) found.push(`${limit} ${id} slot ${t} by ${over.toFixed(3)}`);
  };
  const limitAt = (limit: PlanInput['grid']['import_limit_W'], t: number) =>
    limit === null ? Infinity : typeof limit === 'number' ? limit : limit[t]!;
  for (let t = 0; t < input.import_price.length; t++) {
    check('import-limit', 'grid', t, plan.grid_W[t]! - limitAt(input.grid.import_limit_W, t), 5);
    check('export-limit', 'grid', t, -plan.grid_W[t]! - limitAt(input.grid.export_limit_W, t), 5);
    for (const battery of input.batteries) {
      const { power_W, energy_kWh } = plan.devices.find(({ id }) => id === battery.id)!;
      check('reserve', battery.id, t, battery.min_kWh - energy_kWh[t]!, 5e-3);
      check('overfull', battery.id, t, energy_kWh[t]! - battery.max_kWh, 5e-3);
      check('power', battery.id, t, Math.max(power_W[t]! - battery.discharge_W, -power_W[t]! - battery.charge_W), 1);
    }
    for (const reduction of input.reductions) {
      const at = input.from_ms + t * slot_ms;
      if (reduction.to_ms <= at || reduction.from_ms >= at + slot_ms) continue;
      const drawn = plan.devices
        .filter(({ id }) => reduction.devices.includes(id))
        .reduce((sum, { power_W }) => sum + Math.max(0, -power_W[t]!), 0);
      check('reduction', reduction.id, t, drawn - reduction.limit_W, 5);
    }
  }
  for (const vehicle of input.vehicles)
    for (const { from_ms, to_ms, goal_kWh } of vehicle.stays) {
      const [first, last] = [
        Math.ceil((from_ms - input.from_ms) / slot_ms),
        Math.floor((to_ms - input.from_ms) / slot_ms) - 1,
      ];
      if (last < first || last >= input.import_price.length) continue;
      const energy = plan.devices.find(({ id }) => id === vehicle.id)!.energy_kWh[last]!;
      check('departure-goal', vehicle.id, last, Math.min(goal_kWh, vehicle.capacity_kWh) - energy, 5e-3);
    }
  return found;
}
