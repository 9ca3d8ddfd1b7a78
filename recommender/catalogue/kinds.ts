/** The catalogue of advice as data: each kind with its effort, what it is worth and its eligibility function. */
import type { ActionKind, Rule, Words } from '../action.ts';
import { changeTariff } from './change-tariff.ts';
import { chargeVehicles } from './charge-vehicles.ts';
import { checkBaseLoad } from './check-base-load.ts';
import { checkMeter } from './check-meter.ts';
import { confirmRepair } from './confirm-repair.ts';
import { inspectGeneration } from './inspect-generation.ts';
import { lowerPeak } from './lower-peak.ts';
import { precondition } from './precondition.ts';
import { readPassage } from './read-passage.ts';
import { runBattery } from './run-battery.ts';
import { section14a } from './section-14a.ts';
import { shiftLoad } from './shift-load.ts';
import { useSurplus } from './use-surplus.ts';

export type KindSpec = {
  kind: ActionKind;
  name: Words;
  /** Minutes of a person's work, about. */
  effort_min: number;
  /** 0 … 1: what an accepted one is worth where no meter can tell; null: the meters tell. */
  worth: number | null;
  /** What the rule baseline holds one without a saving for, in money of the site. */
  rule_money: number;
  eligible: Rule;
};

/** In the order in which equals are shown. */
export const KINDS: readonly KindSpec[] = [
  kind('lower_peak', [10, null, 0], lowerPeak, ['Lower the peak now', 'Spitze jetzt senken']),
  kind('check_meter', [20, 0.6, 8], checkMeter, ['Check a meter', 'Zähler prüfen']),
  kind('shift_load', [15, null, 0], shiftLoad, ['Shift load', 'Last verschieben']),
  kind('run_battery', [10, null, 0], runBattery, ['Use the battery', 'Batterie nutzen']),
  kind('precondition', [5, null, 0], precondition, ['Heat or cool ahead', 'Vorheizen oder vorkühlen']),
  kind('charge_vehicles', [10, null, 0], chargeVehicles, ['Charge vehicles', 'Fahrzeuge laden']),
  kind('use_surplus', [10, null, 0], useSurplus, ['Use solar surplus', 'Solarüberschuss nutzen']),
  kind('check_base_load', [45, null, 0], checkBaseLoad, ['Check the night', 'Nachtlast prüfen']),
  kind('inspect_generation', [60, null, 0], inspectGeneration, ['Look at the solar plant', 'Solaranlage ansehen']),
  kind('confirm_repair', [5, 0.4, 3], confirmRepair, ['Confirm repairs', 'Reparaturen bestätigen']),
  kind('read_passage', [5, 0.4, 1], readPassage, ['Read the rules', 'Regeln lesen']),
  kind('change_tariff', [90, 0.8, 0], changeTariff, ['Change the tariff', 'Tarif wechseln']),
  kind('set_14a_module', [60, 0.6, 0], section14a, ['§ 14a module', '§-14a-Modul']),
];

export const KIND: Readonly<Record<ActionKind, KindSpec>> = Object.fromEntries(
  KINDS.map((spec) => [spec.kind, spec]),
) as Record<ActionKind, KindSpec>;

type Facts = [effort_min: number, worth: number | null, rule_money: number];

function kind(kind: ActionKind, facts: Facts, eligible: Rule, [en, de]: [string, string]): KindSpec {
  const [effort_min, worth, rule_money] = facts;
  return { kind, name: { en, de }, effort_min, worth, rule_money, eligible };
}
