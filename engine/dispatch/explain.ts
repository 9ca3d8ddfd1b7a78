/** Why a device does in a slot what the plan says: a code and its values, for a sentence in the reader's language. */
import type { Plan, PlanInput } from './site.ts';

export type ReasonCode =
  | 'charges-cheap-before'
  | 'charges-for-departure'
  | 'charges-surplus'
  | 'discharges-dear'
  | 'discharges-peak'
  | 'waits-for-cheaper'
  | 'holds-for-later'
  | 'reduced'
  /** A person has set it. */
  | 'by-hand'
  | 'full'
  | 'empty'
  | 'runs';

export type Reason = {
  code: ReasonCode;
  device: string;
  power_W: number;
  /** What one more kWh would cost in this slot, everything considered, and what stored energy is worth. */
  marginal_per_kWh: number;
  stored_value_per_kWh: number;
  /** When what the reason speaks of happens (departure, the dear or cheap slot), or null. */
  at_ms: number | null;
};

const IDLE_W = 1;
const FULL = 0.999;

/** @returns the reason for device `id` in slot `t`. Throws RangeError where the plan has no such device or slot. */
export function explainSlot(input: PlanInput, plan: Plan, id: string, t: number): Reason {
  const device = plan.devices.find((one) => one.id === id);
  const power_W = device?.power_W[t];
  if (!device || power_W === undefined) throw new RangeError(`the plan has no device ${id} in slot ${t}`);
  const marginal_per_kWh = plan.marginal_per_kWh[t]!;
  const reason = (code: ReasonCode, at_ms: number | null = null): Reason => ({
    code,
    device: id,
    power_W,
    marginal_per_kWh,
    stored_value_per_kWh: device.stored_value_per_kWh[t]!,
    at_ms,
  });
  const slot_ms = input.slot_min * 60_000;
  const at = (slot: number) => input.from_ms + slot * slot_ms;
  const set = input.overrides?.some((one) => one.device === id && one.from_ms < at(t + 1) && one.to_ms > at(t));
  if (set) return reason('by-hand');
  if (power_W < -IDLE_W) {
    if (plan.grid_W[t]! <= 0 || input.generation_W[t]! > input.load_W[t]!) return reason('charges-surplus');
    const departure = nextDeparture(input, id, at(t));
    if (departure !== null) return reason('charges-for-departure', departure);
    if (device.kind !== 'battery') return reason('runs');
    return reason('charges-cheap-before', at(dearest(plan, t)));
  }
  if (power_W > IDLE_W) return isPeak(plan, input, t) ? reason('discharges-peak') : reason('discharges-dear');
  if (input.reductions.some((r) => r.devices.includes(id) && r.from_ms < at(t + 1) && r.to_ms > at(t)))
    return reason('reduced');
  const most = input.batteries.find((battery) => battery.id === id)?.max_kWh;
  if (most !== undefined && device.energy_kWh[t]! >= FULL * most) return reason('full');
  const least = input.batteries.find((battery) => battery.id === id)?.min_kWh;
  if (least !== undefined && device.energy_kWh[t]! <= least + (1 - FULL) * (most ?? 1)) return reason('empty');
  const next = device.power_W.findIndex((power, k) => k > t && Math.abs(power) > IDLE_W);
  if (next < 0) return reason('holds-for-later');
  return device.power_W[next]! < 0 ? reason('waits-for-cheaper', at(next)) : reason('holds-for-later', at(next));
}

function nextDeparture({ vehicles }: PlanInput, id: string, at_ms: number): number | null {
  const stay = vehicles.find((vehicle) => vehicle.id === id)?.stays.find(({ to_ms }) => to_ms > at_ms);
  return stay && stay.goal_kWh > 0 ? stay.to_ms : null;
}

/** The slot after `t` in which energy is dearest. */
function dearest({ marginal_per_kWh }: Plan, t: number): number {
  let best = t;
  for (let k = t + 1; k < marginal_per_kWh.length; k++) if (marginal_per_kWh[k]! > marginal_per_kWh[best]!) best = k;
  return best;
}

/** Whether a demand charge makes the slot dearer than its energy: its power is what the month's peak is made of. */
function isPeak(plan: Plan, input: PlanInput, t: number): boolean {
  const billed = input.demand.some(({ from_slot, to_slot }) => t >= from_slot && t < to_slot);
  return billed && plan.marginal_per_kWh[t]! > input.import_price[t]! + 1e-6;
}
