/**
 * The last look before anything is scored: whatever a rule proposed, an action that cannot be done or must not be done is
 * taken out here. It trusts no rule, so that a fault in one of them shows nobody what is infeasible.
 */
import { SLOT_MS } from '../../engine/model/time.ts';
import type { ActionDraft, ActionKind, AdviceContext } from '../action.ts';

/** Kinds whose windows only make sense where every slot of them has a price. */
const PRICED: ReadonlySet<ActionKind> = new Set(['shift_load', 'precondition', 'run_battery', 'charge_vehicles']);

/** @returns why the action must not be shown now, in a few words each; empty where it may. */
export function infeasibleBecause(draft: ActionDraft, context: AdviceContext): string[] {
  const slots = draft.evidence.slots ?? [];
  const faults: [boolean, string][] = [
    [draft.id === '' || draft.text.en === '' || draft.text.de === '', 'it has no words'],
    [!Number.isFinite(draft.stake), 'its stake is no number'],
    [draft.deadline_ms !== null && !(draft.deadline_ms > context.at_ms), 'its deadline has passed'],
    [draft.saving !== null && !sound(draft.saving, context), 'its saving is no range'],
    [slots.some(({ from_ms, to_ms }) => !(to_ms > from_ms && to_ms > context.at_ms)), 'its window has passed'],
    [PRICED.has(draft.kind) && slots.some((slot) => !priced(slot, context)), 'its window has no price'],
    [draft.kind === 'run_battery' && !batteryCan(draft, context), 'the battery cannot do it'],
    [
      draft.evidence.plan !== undefined && draft.kind !== 'run_battery' && !inTime(draft, context),
      'its time has passed',
    ],
    [draft.kind === 'precondition' && !comfortable(context), 'rooms would leave their comfort band'],
    [draft.kind === 'charge_vehicles' && context.chargers?.length === 0, 'there is no charging point'],
    [draft.kind === 'set_14a_module' && !((context.section_14a?.devices_W ?? 0) > 4200), '§ 14a is not for this site'],
    [draft.evidence.meter !== undefined && !context.meters.some(({ id }) => id === draft.evidence.meter), 'no meter'],
  ];
  return faults.flatMap(([wrong, why]) => (wrong ? [why] : []));
}

function sound({ amount, low, high, currency }: NonNullable<ActionDraft['saving']>, context: AdviceContext): boolean {
  return [low, amount, high].every(Number.isFinite) && low <= amount && amount <= high && currency === context.currency;
}

function priced({ from_ms, to_ms }: { from_ms: number; to_ms: number }, { prices }: AdviceContext): boolean {
  const known = prices.filter(({ at_ms, per_kWh }) => at_ms >= from_ms && at_ms < to_ms && per_kWh !== null);
  return known.length === (to_ms - from_ms) / SLOT_MS;
}

/** Charging comes first, the windows do not overlap, and a full battery is not charged right away. */
function batteryCan({ evidence }: ActionDraft, { at_ms, battery }: AdviceContext): boolean {
  const [charge, discharge] = evidence.slots ?? [];
  if (!battery || battery.by_box || !charge || !discharge || charge.to_ms > discharge.from_ms) return false;
  return !((battery.soc_percent ?? 0) >= 98 && charge.from_ms < at_ms + 3_600_000);
}

/** What the plan has of a device ends before the car leaves or the load's window closes. */
function inTime({ evidence }: ActionDraft, { planned = [], at_ms }: AdviceContext): boolean {
  const starts = (evidence.slots ?? []).map(({ from_ms }) => from_ms);
  const use = planned.find(({ run }) => run[0]?.from_ms === starts[0]);
  return use !== undefined && starts[0]! >= at_ms && use.run.every(({ to_ms }) => to_ms <= use.until_ms);
}

function comfortable({ climate }: AdviceContext): boolean {
  if (!climate) return false;
  const [low_C, high_C] = climate.comfort_C;
  const target_C = climate.room_C + (climate.mode === 'heat' ? 1 : -1);
  return Math.min(climate.room_C, target_C) >= low_C && Math.max(climate.room_C, target_C) <= high_C;
}
