/** What a person could do by hand of what the plan has, with what it saves: batteries, cars and loads that the box does not switch itself. Pure. */
import type { DeviceOf, PlanDevice } from '../../../engine/dispatch/plan-devices.ts';
import { weeklySpans } from '../../../engine/dispatch/week-times.ts';
import { SLOT_MS } from '../../../engine/model/time.ts';
import type { AdviceContext, BatteryPlan, PlannedUse } from '../../../recommender/context.ts';
import { type PlannedDevice, type StoredPlan, slotIndex } from '../plans/stored.ts';

type Span = { from_ms: number; to_ms: number };
type Block = Span & { energy_kWh: number; cost: number };
type Course = {
  plan: StoredPlan;
  at_ms: (t: number) => number;
  /** What a kWh more costs in the slot: what is bought, or what is not fed in. */
  price: (t: number) => number;
  /** First slot that has not begun. */
  first: number;
};

/** An older plan is no advice. */
const FRESH_MS = 2 * 3_600_000;
/** Share of its strongest slot above which a device counts as running. */
const RUNNING = 0.1;
/** Blocks of one device that a sentence can name. */
const MOST_BLOCKS = 2;
/** Losses may be larger or smaller than the device says. */
const EFFICIENCY_RANGE = [-0.07, 0, 0.04] as const;
/** How much of the planned energy is needed in the end: least, expected, most. */
const ENERGY_RANGE = { measured: [0.8, 1, 1.1], assumed: [0.5, 1, 1.5] } as const;
const LEAST_SAVING = 0.1;

/** What the plan gives the advice; nothing where there is no fresh one. */
export function planFacts(
  plan: StoredPlan | null,
  devices: readonly PlanDevice[],
  now_ms: number,
  time_zone: string,
): Pick<AdviceContext, 'plan' | 'planned'> {
  if (!plan || now_ms - plan.made_ms > FRESH_MS || slotIndex(plan, now_ms) < 0) return {};
  const course: Course = {
    plan,
    at_ms: (t) => plan.from_ms + t * SLOT_MS,
    price: (t) => (plan.grid_W[t]! > 0 ? plan.import_price[t]! : plan.export_price[t]!),
    first: slotIndex(plan, now_ms) + 1,
  };
  const byHand = devices.filter((device) => !setByBox(device));
  const batteries = byHand.filter((device) => device.kind === 'battery');
  return {
    plan: batteries.length === 0 ? null : batteryPlan(course, batteries),
    planned: byHand.flatMap((device) =>
      device.kind === 'vehicle' || device.kind === 'load' ? (plannedUse(course, device, time_zone) ?? []) : [],
    ),
  };
}

/** The box writes its setpoints: nobody has to do anything. */
export const setByBox = ({ control }: PlanDevice): boolean => control.way !== 'none' && control.writing;

/** Limits of all batteries that people use by hand, together; null where the box sets all of them, or there is none. */
export function batteryLimits(devices: readonly PlanDevice[]) {
  const batteries = devices.filter((device) => device.kind === 'battery');
  const byHand = batteries.filter((device) => !setByBox(device));
  if (batteries.length === 0) return {};
  const sum = (of: (device: DeviceOf<'battery'>) => number) => byHand.reduce((total, one) => total + of(one), 0);
  const capacity_kWh = sum((one) => one.capacity_kWh);
  return {
    ...{ capacity_kWh, power_W: sum((one) => one.discharge_W) },
    reserve_percent: capacity_kWh > 0 ? sum((one) => one.reserve_percent * one.capacity_kWh) / capacity_kWh : 0,
    by_box: byHand.length === 0,
  };
}

function batteryPlan(course: Course, batteries: readonly DeviceOf<'battery'>[]): BatteryPlan | null {
  const own = batteries.flatMap(({ id }) => course.plan.devices.find((one) => one.id === id) ?? []);
  if (own.length === 0) return null;
  const power_W = own[0]!.power_W.map((_, t) => own.reduce((sum, one) => sum + one.power_W[t]!, 0));
  const charged = blocksOf(course, power_W, -1);
  const given = blocksOf(course, power_W, 1);
  const efficiency =
    batteries.reduce((sum, one) => sum + one.charge_efficiency * one.discharge_efficiency, 0) / batteries.length;
  let best: { charge: Block; discharge: Block; energy_kWh: number } | null = null;
  for (const charge of charged)
    for (const discharge of given.filter(({ from_ms }) => from_ms >= charge.to_ms)) {
      const energy_kWh = Math.min(charge.energy_kWh * efficiency, discharge.energy_kWh);
      if (energy_kWh > (best?.energy_kWh ?? 0)) best = { charge, discharge, energy_kWh };
    }
  if (!best) return null;
  const { charge, discharge, energy_kWh } = best;
  const [low, amount, high] = EFFICIENCY_RANGE.map((change) => {
    const taken_kWh = energy_kWh / Math.min(1, Math.max(0.3, efficiency + change));
    return energy_kWh * meanPrice(discharge) - taken_kWh * meanPrice(charge);
  }) as [number, number, number];
  const saving = { amount, low: Math.min(low, amount, high), high: Math.max(low, amount, high) };
  return { id: course.plan.id, charge: spanOf(charge), discharge: spanOf(discharge), energy_kWh, saving };
}

/** What the plan has of one device in its next stay or window, against all of it at once as soon as that begins. */
function plannedUse(
  course: Course,
  device: DeviceOf<'vehicle'> | DeviceOf<'load'>,
  time_zone: string,
): PlannedUse | null {
  const planned = course.plan.devices.find(({ id }) => id === device.id);
  if (!planned) return null;
  const end_ms = course.at_ms(planned.power_W.length);
  for (const stay of staysOf(device, course.at_ms(course.first), end_ms, time_zone)) {
    const inside = insideOf(course, planned, stay);
    const use_kWh = inside.reduce((sum, t) => sum + drawn_kWh(planned, t), 0);
    if (!(use_kWh > 0)) continue;
    const blocks = largest(blocksOf(course, onlyIn(planned.power_W, inside), -1));
    const most_W = device.kind === 'vehicle' ? device.charge_W : device.power_W;
    const instead = atOnce(course, inside, use_kWh, most_W);
    const cost = inside.reduce((sum, t) => sum + drawn_kWh(planned, t) * course.price(t), 0);
    const whole = instead.cost - cost;
    const soc_known = device.kind === 'load' || device.soc_meter !== null;
    const [low, amount, high] = ENERGY_RANGE[soc_known ? 'measured' : 'assumed'].map((share) => share * whole) as [
      number,
      number,
      number,
    ];
    if (amount < LEAST_SAVING || blocks.length === 0) return null;
    return {
      ...{ device: device.id, name: device.name, kind: device.kind, plan: course.plan.id },
      ...{ run: blocks.map(spanOf), instead: spanOf(instead), energy_kWh: use_kWh },
      ...{ until_ms: stay.to_ms, saving: { amount, low, high } },
    };
  }
  return null;
}

/** Stays of a car and windows of a load that lie ahead within the plan; one that runs counts from now on. */
function staysOf(
  device: DeviceOf<'vehicle'> | DeviceOf<'load'>,
  from_ms: number,
  to_ms: number,
  time_zone: string,
): Span[] {
  const spans =
    device.kind === 'vehicle'
      ? weeklySpans(
          device.stays,
          ({ weekdays, arrive, depart }) => ({ weekdays, from: arrive, to: depart }),
          from_ms,
          to_ms,
          time_zone,
        )
      : weeklySpans(device.windows, (window) => window, from_ms, to_ms, time_zone);
  return spans.map((span) => ({ from_ms: Math.max(from_ms, span.from_ms), to_ms: span.to_ms }));
}

function insideOf({ at_ms, first }: Course, { power_W }: PlannedDevice, { from_ms, to_ms }: Span): number[] {
  return [...power_W.keys()].filter((t) => t >= first && at_ms(t) >= from_ms && at_ms(t) + SLOT_MS <= to_ms);
}

const drawn_kWh = ({ power_W }: PlannedDevice, t: number): number => (Math.max(0, -power_W[t]!) * SLOT_MS) / 3.6e9;

const onlyIn = (power_W: readonly number[], inside: readonly number[]): number[] => {
  const kept = new Set(inside);
  return power_W.map((power, t) => (kept.has(t) ? power : 0));
};

/** The same energy from the first slot on at full power. */
function atOnce(course: Course, inside: readonly number[], energy_kWh: number, most_W: number): Block {
  const most_kWh = (most_W * SLOT_MS) / 3.6e9;
  let [left, cost, last] = [energy_kWh, 0, inside[0]!];
  for (const t of inside) {
    if (!(left > 1e-9)) break;
    const now_kWh = Math.min(most_kWh, left);
    cost += now_kWh * course.price(t);
    left -= now_kWh;
    last = t;
  }
  return { from_ms: course.at_ms(inside[0]!), to_ms: course.at_ms(last + 1), energy_kWh: energy_kWh - left, cost };
}

/** Slots in a row in which the power has that sign and is no trickle. */
function blocksOf(course: Course, power_W: readonly number[], sign: 1 | -1): Block[] {
  const strongest = power_W.reduce((most, power) => Math.max(most, sign * power), 0);
  const blocks: Block[] = [];
  for (let t = course.first; t < power_W.length; t++) {
    if (!(sign * power_W[t]! > RUNNING * strongest)) continue;
    const energy_kWh = (sign * power_W[t]! * SLOT_MS) / 3.6e9;
    const [from_ms, cost] = [course.at_ms(t), energy_kWh * course.price(t)];
    const before = blocks.at(-1);
    if (before?.to_ms === from_ms) {
      before.to_ms += SLOT_MS;
      before.energy_kWh += energy_kWh;
      before.cost += cost;
    } else blocks.push({ from_ms, to_ms: from_ms + SLOT_MS, energy_kWh, cost });
  }
  return blocks;
}

/** Those with most energy, in the order of time. */
function largest(blocks: readonly Block[]): Block[] {
  return blocks
    .toSorted((a, b) => b.energy_kWh - a.energy_kWh)
    .slice(0, MOST_BLOCKS)
    .sort((a, b) => a.from_ms - b.from_ms);
}

const meanPrice = ({ cost, energy_kWh }: Block): number => cost / energy_kWh;
const spanOf = ({ from_ms, to_ms }: Block): Span => ({ from_ms, to_ms });
