/** Charges the battery in two cheap hours and discharges it in two dear ones after them, where the spread pays for the losses. */
import { localDate } from '../../engine/model/time.ts';
import type { ActionDraft, AdviceContext, Rule, Saving } from '../action.ts';
import type { BatteryState } from '../context.ts';
import { bestPair, measuredEnergy } from '../windows.ts';
import { type Format, inWords } from '../words.ts';

const SLOTS = 8;
const HOURS = SLOTS / 4;
const HORIZON_MS = 30 * 3_600_000;
/** Round-trip efficiency: cautious, expected, good. */
const EFFICIENCY = [0.8, 0.88, 0.93] as const;
/** Wear and risk that the spread has to beat, per kWh. */
const MIN_GAIN_PER_KWH = 0.03;

type Span = { from_ms: number; to_ms: number };

/**
 * Eligible with a battery whose usual daily energy is known, and where charging comes before discharging. Never more
 * energy than the battery's limits let through. A plan of the optimiser takes the place of the box's own windows.
 */
export const runBattery: Rule = (context) => {
  const { battery, plan } = context;
  if (!battery || battery.by_box) return [];
  if (plan) return byPlan(context, battery);
  const found = bestPair(context, SLOTS, HORIZON_MS, EFFICIENCY[1]);
  const energy_kWh = Math.min(battery.daily_kWh ?? 0, energyLimit(battery, HOURS));
  if (!(energy_kWh > 0) || !found) return [];
  const { cheap, dear } = found;
  // To give 1 kWh the battery takes 1 / efficiency kWh.
  const [low, amount, high] = EFFICIENCY.map(
    (share) => energy_kWh * (dear.mean_per_kWh - cheap.mean_per_kWh / share),
  ) as [number, number, number];
  if (amount / energy_kWh < MIN_GAIN_PER_KWH) return [];
  const saving = { amount, low, high, currency: context.currency };
  const why = inWords(context, {
    en: (f) =>
      `Charging costs ${f.money(cheap.mean_per_kWh)} a kWh, the grid ${f.money(dear.mean_per_kWh)} later. The saving is for ${f.number(energy_kWh)} kWh, what the battery usually gives in a day, after ${losses(f, 1)} % losses (range: ${losses(f, 2)} to ${losses(f, 0)} %).`,
    de: (f) =>
      `Laden kostet ${f.money(cheap.mean_per_kWh)} je kWh, das Netz später ${f.money(dear.mean_per_kWh)}. Die Ersparnis gilt für ${f.number(energy_kWh)} kWh, was die Batterie üblicherweise am Tag abgibt, nach ${losses(f, 1)} % Verlusten (Spanne: ${losses(f, 2)} bis ${losses(f, 0)} %).`,
  });
  return [draft(context, { charge: cheap, discharge: dear, saving, why })];
};

const losses = (f: Format, i: 0 | 1 | 2): string => f.number((1 - EFFICIENCY[i]) * 100);

/** kWh that one discharge can give at most; infinite where no limit is known. */
function energyLimit({ capacity_kWh, power_W, reserve_percent }: BatteryState, hours: number): number {
  const usable = capacity_kWh === undefined ? Infinity : capacity_kWh * (1 - (reserve_percent ?? 0) / 100);
  return Math.min(usable, power_W === undefined ? Infinity : (power_W / 1000) * hours);
}

function byPlan(context: AdviceContext, battery: BatteryState): ActionDraft[] {
  const { id, charge, discharge, energy_kWh, saving } = context.plan!;
  const hours = (discharge.to_ms - discharge.from_ms) / 3_600_000;
  const within = energy_kWh > 0 && energy_kWh <= energyLimit(battery, hours);
  const feasible = charge.from_ms >= context.at_ms && charge.to_ms <= discharge.from_ms && within;
  if (!feasible || !(saving.amount > 0)) return [];
  const why = inWords(context, {
    en: (f) =>
      `The plan moves ${f.number(energy_kWh)} kWh this way. The saving is against a battery at rest, by the plan's prices (range: of its losses).`,
    de: (f) =>
      `Der Plan verschiebt so ${f.number(energy_kWh)} kWh. Die Ersparnis gilt gegenüber einer ruhenden Batterie, mit den Preisen des Plans (Spanne: die ihrer Verluste).`,
  });
  return [draft(context, { charge, discharge, saving: { ...saving, currency: context.currency }, why, plan: id })];
}

type Parts = { charge: Span; discharge: Span; saving: Saving; why: ActionDraft['why']; plan?: string };

function draft(context: AdviceContext, { charge, discharge, saving, why, plan }: Parts): ActionDraft {
  return {
    id: `run_battery:${localDate(charge.from_ms, context.time_zone)}`,
    kind: 'run_battery',
    text: inWords(context, {
      en: (f) => `Charge the battery ${f.window(charge)} and use it ${f.window(discharge)}.`,
      de: (f) => `Laden Sie die Batterie ${f.window(charge)} und nutzen Sie sie ${f.window(discharge)}.`,
    }),
    why,
    saving,
    deadline_ms: charge.to_ms,
    evidence: { slots: [charge, discharge], ...(plan === undefined ? {} : { plan }) },
    stake: saving.amount,
    measure: measuredEnergy(context, 'battery', [charge, discharge], (per_kWh) => per_kWh),
    link: plan === undefined ? '/prices' : '/plan',
  };
}
