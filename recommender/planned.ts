/** Advice to charge a car or to run a load by hand when the plan would. */
import { localDate } from '../engine/model/time.ts';
import type { ActionDraft, AdviceContext } from './action.ts';
import type { PlannedUse } from './context.ts';
import { measuredEnergy } from './windows.ts';
import { inWords } from './words.ts';

const KIND_OF = { vehicle: 'charge_vehicles', load: 'shift_load' } as const;

/** One for each device of that kind whose planned time is still to come; the id holds for a day. */
export function plannedUses(context: AdviceContext, kind: PlannedUse['kind']): ActionDraft[] {
  return (context.planned ?? [])
    .filter((use) => use.kind === kind && feasible(use, context.at_ms))
    .map((use) => draft(context, use));
}

function feasible({ run, instead, saving, energy_kWh, until_ms }: PlannedUse, at_ms: number): boolean {
  const ahead = run.length > 0 && run.every(({ from_ms, to_ms }) => from_ms >= at_ms && to_ms <= until_ms);
  return ahead && instead.from_ms >= at_ms && energy_kWh > 0 && saving.amount > 0;
}

function draft(context: AdviceContext, use: PlannedUse): ActionDraft {
  const { device, name, run, instead, energy_kWh, until_ms, saving, plan } = use;
  const kind = KIND_OF[use.kind];
  const vehicle = use.kind === 'vehicle';
  return {
    id: `${kind}:${device}:${localDate(run[0]!.from_ms, context.time_zone)}`,
    kind,
    text: inWords(context, {
      en: (f) => `${vehicle ? 'Charge' : 'Run'} ${name} ${f.windows(run)}.`,
      de: (f) => `${name}: ${f.windows(run)} ${vehicle ? 'laden' : 'laufen lassen'}.`,
    }),
    why: inWords(context, {
      en: (f) =>
        `The plan has ${f.number(energy_kWh)} kWh for it ${vehicle ? `before it leaves at ${f.time(until_ms)}` : `until ${f.time(until_ms)}`}. The saving is against ${vehicle ? 'charging' : 'running'} ${f.window(instead)}, as soon as it could (range: less or more energy than planned).`,
      de: (f) =>
        `Der Plan sieht dafür ${f.number(energy_kWh)} kWh vor, ${vehicle ? `vor der Abfahrt um ${f.time(until_ms)}` : `bis ${f.time(until_ms)}`}. Die Ersparnis gilt gegenüber ${f.window(instead)}, sobald es ginge (Spanne: weniger oder mehr Energie als geplant).`,
    }),
    saving: { ...saving, currency: context.currency },
    deadline_ms: run[0]!.from_ms,
    evidence: { slots: [...run, instead], plan },
    stake: saving.amount,
    measure: measuredEnergy(context, 'load', [...run, instead], (per_kWh) => -per_kWh),
    link: '/plan',
  };
}
