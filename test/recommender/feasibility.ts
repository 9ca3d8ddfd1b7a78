/** What must hold of advice before anybody sees it, asked of the context itself and not of the catalogue's own mask. */
import { SLOT_MS } from '../../engine/model/time.ts';
import type { Action, ActionKind, AdviceContext } from '../../recommender/action.ts';

const MUST: Partial<Record<ActionKind, (action: Action, context: AdviceContext) => boolean>> = {
  shift_load: (action, context) =>
    action.evidence.plan === undefined
      ? action.evidence.slots!.length === 2 &&
        action.evidence.slots!.every((span) => countPriced(span, context.prices) === 8)
      : asPlanned(action, context),
  run_battery: ({ evidence, saving }, { battery, at_ms }) => {
    const [charge, discharge] = evidence.slots!;
    const full = battery?.soc_percent !== undefined && battery.soc_percent >= 98;
    return (
      battery !== null &&
      battery.by_box !== true &&
      charge!.to_ms <= discharge!.from_ms &&
      charge!.to_ms > at_ms &&
      saving!.amount > 0 &&
      !(full && charge!.from_ms < at_ms + 3_600_000)
    );
  },
  precondition: (_, { climate }) => {
    const after = climate!.room_C + (climate!.mode === 'heat' ? 1 : -1);
    return [climate!.room_C, after].every((C) => C >= climate!.comfort_C[0] && C <= climate!.comfort_C[1]);
  },
  lower_peak: (_, { peak }) => peak!.demand_charge_per_kW > 0,
  check_meter: ({ evidence }, { meters }) =>
    meters.some(
      ({ id, silent_since_ms, stuck_since_ms }) =>
        id === evidence.meter && (silent_since_ms !== null || stuck_since_ms !== null),
    ),
  charge_vehicles: (action, context) =>
    (context.chargers === undefined || context.chargers.length > 0) &&
    (action.evidence.plan === undefined || asPlanned(action, context)),
  change_tariff: ({ id, saving, deadline_ms }, { tariffs, at_ms }) =>
    id !== `change_tariff:${tariffs!.current.id}` && saving!.low > 0 && (deadline_ms === null || deadline_ms > at_ms),
  set_14a_module: ({ id }, { section_14a }) =>
    section_14a!.devices_W > 4200 && id !== `set_14a_module:${section_14a!.module}`,
  confirm_repair: ({ evidence }, { repairs, meters }) => {
    const repair = repairs!.find(({ id }) => id === evidence.repair)!;
    return repair.count > 0 && meters.some(({ id }) => id === repair.meter);
  },
};

/** It is of one of the plan's devices, whole, priced and over before the car leaves or the load's window closes. */
function asPlanned({ id, evidence, saving }: Action, { planned = [], prices, at_ms }: AdviceContext): boolean {
  const use = planned.find(({ device }) => id.split(':')[1] === device)!;
  const spans = evidence.slots!;
  return (
    evidence.plan === use.plan &&
    saving!.amount > 0 &&
    spans.every(
      (span) => span.from_ms >= at_ms && countPriced(span, prices) === (span.to_ms - span.from_ms) / SLOT_MS,
    ) &&
    spans.slice(0, -1).every(({ to_ms }) => to_ms <= use.until_ms)
  );
}

function countPriced(span: { from_ms: number; to_ms: number }, prices: AdviceContext['prices']): number {
  return prices.filter(({ at_ms, per_kWh }) => at_ms >= span.from_ms && at_ms < span.to_ms && per_kWh !== null).length;
}

/** Whether it could be done and may be: windows ahead and whole, a range for a saving, limits of battery and rooms kept. */
export function isFeasible(action: Action, context: AdviceContext): boolean {
  const { saving, deadline_ms, evidence } = action;
  const windows = (evidence.slots ?? []).every(
    ({ from_ms, to_ms }) => to_ms > context.at_ms && to_ms > from_ms && to_ms - from_ms <= 48 * SLOT_MS,
  );
  const range =
    saving === null || (saving.low <= saving.amount && saving.amount <= saving.high && Number.isFinite(saving.high));
  const sound = windows && range && (deadline_ms === null || deadline_ms > context.at_ms);
  return sound && (MUST[action.kind]?.(action, context) ?? true);
}
