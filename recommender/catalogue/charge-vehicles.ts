/** Charges electric vehicles when the plan would, or without one in a window that is far cheaper than the mean of the coming day. */
import { localDate } from '../../engine/model/time.ts';
import type { ActionDraft, AdviceContext, Rule } from '../action.ts';
import { plannedUses } from '../planned.ts';
import { extremes, meanPrice, measuredEnergy } from '../windows.ts';
import { inWords } from '../words.ts';

const SLOTS = 12;
const HORIZON_MS = 30 * 3_600_000;
/** One vehicle's charge: a short trip, a usual one, nearly empty. */
const CHARGE_KWH = [10, 30, 50] as const;
/** The window must cost at most this share of the mean. */
const CHEAP = 0.6;

/** Eligible unless the site has no charging point: by the plan of each car that the box does not charge itself; otherwise where three hours in a row cost at most 60 % of the mean of all known prices, or less than nothing. */
export const chargeVehicles: Rule = (context) => {
  const planned = plannedUses(context, 'vehicle');
  return planned.length > 0 ? planned : byPrice(context);
};

function byPrice(context: AdviceContext): ActionDraft[] {
  const found = extremes(context, SLOTS, HORIZON_MS);
  const mean = meanPrice(context);
  // No charging point is another fact than none that is known of.
  if (!found || mean === null || context.chargers?.length === 0) return [];
  const { cheap } = found;
  if (cheap.mean_per_kWh > Math.max(0, CHEAP * mean)) return [];
  const [low, amount, high] = CHARGE_KWH.map((kWh) => kWh * (mean - cheap.mean_per_kWh)) as [number, number, number];
  return [
    {
      id: `charge_vehicles:${localDate(cheap.from_ms, context.time_zone)}`,
      kind: 'charge_vehicles',
      text: inWords(context, {
        en: (f) => `Charge electric vehicles ${f.window(cheap)}.`,
        de: (f) => `Laden Sie Elektrofahrzeuge ${f.window(cheap)}.`,
      }),
      why: inWords(context, {
        en: (f) =>
          `A kWh costs ${f.money(cheap.mean_per_kWh)} then, against ${f.money(mean)} on average. The saving is for one vehicle with ${CHARGE_KWH[1]} kWh (range: ${CHARGE_KWH[0]} to ${CHARGE_KWH[2]} kWh).`,
        de: (f) =>
          `Eine kWh kostet dann ${f.money(cheap.mean_per_kWh)} statt ${f.money(mean)} im Mittel. Die Ersparnis gilt für ein Fahrzeug mit ${CHARGE_KWH[1]} kWh (Spanne: ${CHARGE_KWH[0]} bis ${CHARGE_KWH[2]} kWh).`,
      }),
      saving: { amount, low, high, currency: context.currency },
      deadline_ms: cheap.to_ms,
      evidence: { slots: [cheap] },
      stake: amount,
      measure: measuredEnergy(context, 'load', [cheap], (per_kWh) => mean - per_kWh),
      link: '/prices',
    },
  ];
}
