/** Charges the battery in two cheap hours and discharges it in two dear ones after them, where the spread pays for the losses. */
import { localDate } from '../../engine/model/time.ts';
import type { Rule } from '../action.ts';
import { bestPair } from '../windows.ts';
import { inWords } from '../words.ts';

const SLOTS = 8;
const HORIZON_MS = 30 * 3_600_000;
/** Round-trip efficiency: cautious, expected, good. */
const EFFICIENCY = [0.8, 0.88, 0.93] as const;
/** Wear and risk that the spread has to beat, per kWh. */
const MIN_GAIN_PER_KWH = 0.03;

/** Eligible with a battery whose usual daily energy is known, and where charging comes before discharging. */
export const runBattery: Rule = (context) => {
  const energy_kWh = context.battery?.daily_kWh;
  const found = bestPair(context, SLOTS, HORIZON_MS, EFFICIENCY[1]);
  if (!energy_kWh || !found) return [];
  const { cheap, dear } = found;
  // To give 1 kWh the battery takes 1 / efficiency kWh.
  const [low, amount, high] = EFFICIENCY.map(
    (share) => energy_kWh * (dear.mean_per_kWh - cheap.mean_per_kWh / share),
  ) as [number, number, number];
  if (amount / energy_kWh < MIN_GAIN_PER_KWH) return [];
  return [
    {
      id: `run_battery:${localDate(cheap.from_ms, context.time_zone)}`,
      kind: 'run_battery',
      text: inWords(context, {
        en: (f) => `Charge the battery ${f.window(cheap)} and use it ${f.window(dear)}.`,
        de: (f) => `Laden Sie die Batterie ${f.window(cheap)} und nutzen Sie sie ${f.window(dear)}.`,
      }),
      why: inWords(context, {
        en: (f) =>
          `Charging costs ${f.money(cheap.mean_per_kWh)} a kWh, the grid ${f.money(dear.mean_per_kWh)} later. The saving is for ${f.number(energy_kWh)} kWh, what the battery usually gives in a day, after ${f.number((1 - EFFICIENCY[1]) * 100)} % losses (range: ${f.number((1 - EFFICIENCY[2]) * 100)} to ${f.number((1 - EFFICIENCY[0]) * 100)} %).`,
        de: (f) =>
          `Laden kostet ${f.money(cheap.mean_per_kWh)} je kWh, das Netz später ${f.money(dear.mean_per_kWh)}. Die Ersparnis gilt für ${f.number(energy_kWh)} kWh, was die Batterie üblicherweise am Tag abgibt, nach ${f.number((1 - EFFICIENCY[1]) * 100)} % Verlusten (Spanne: ${f.number((1 - EFFICIENCY[2]) * 100)} bis ${f.number((1 - EFFICIENCY[0]) * 100)} %).`,
      }),
      saving: { amount, low, high, currency: context.currency },
      deadline_ms: cheap.to_ms,
      link: '/prices',
    },
  ];
};
