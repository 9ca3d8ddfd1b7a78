/** Runs named loads when the plan would, and moves a part of the rest from the dearest to the cheapest two hours of the coming day. */

import { localDate } from '../../engine/model/time.ts';
import type { ActionDraft, AdviceContext, Rule } from '../action.ts';
import { plannedUses } from '../planned.ts';
import { energyIn, extremes, measuredEnergy, type Window } from '../windows.ts';
import { type Format, inWords } from '../words.ts';

const SLOTS = 8;
const HORIZON_MS = 24 * 3_600_000;
/** Share of the load in the window that is assumed to be movable: least, expected, most. */
const MOVABLE = [0.05, 0.1, 0.2] as const;
/** Below this difference nobody would move anything. */
const MIN_SPREAD_PER_KWH = 0.03;
const MIN_SAVING = 0.2;

/** Eligible for each load of the plan that the box does not switch itself, and where `byPrice` finds windows. */
export const shiftLoad: Rule = (context) => [...plannedUses(context, 'load'), ...byPrice(context)];

/** Where prices differ enough, a load forecast covers the dear window, and the dear one is still to come. */
function byPrice(context: AdviceContext): ActionDraft[] {
  const found = extremes(context, SLOTS, HORIZON_MS);
  if (!found) return [];
  const { cheap, dear } = found;
  const spread = dear.mean_per_kWh - cheap.mean_per_kWh;
  const energy_kWh = energyIn(context.load, dear);
  if (spread < MIN_SPREAD_PER_KWH || energy_kWh === null || dear.from_ms <= context.at_ms) return [];
  const [low, amount, high] = MOVABLE.map((share) => share * energy_kWh * spread) as [number, number, number];
  if (amount < MIN_SAVING) return [];
  return [
    {
      id: `shift_load:${localDate(dear.from_ms, context.time_zone)}:${new Date(dear.from_ms).toISOString().slice(11, 16)}`,
      kind: 'shift_load',
      text: inWords(context, {
        en: (f) => `Move flexible load from ${f.window(dear)} to ${f.window(cheap)}.`,
        de: (f) => `Verschieben Sie flexible Last von ${f.window(dear)} auf ${f.window(cheap)}.`,
      }),
      why: inWords(context, {
        en: (f) =>
          `${timesDearer(cheap, dear, f.number)}A kWh costs ${f.money(dear.mean_per_kWh)} ${f.window(dear)} and ${f.money(cheap.mean_per_kWh)} in the cheaper window. ${f.number(energy_kWh)} kWh are forecast for the dear one; the saving assumes that ${f.number(MOVABLE[1] * 100)} % of it can move (range: ${f.number(MOVABLE[0] * 100)} to ${f.number(MOVABLE[2] * 100)} %).`,
        de: (f) =>
          `${timesDearer(cheap, dear, f.number, 'de')}Eine kWh kostet ${f.window(dear)} ${f.money(dear.mean_per_kWh)}, im günstigeren Fenster ${f.money(cheap.mean_per_kWh)}. Für das teure Fenster sind ${f.number(energy_kWh)} kWh vorhergesagt; die Ersparnis nimmt an, dass ${f.number(MOVABLE[1] * 100)} % davon verschiebbar sind (Spanne: ${f.number(MOVABLE[0] * 100)} bis ${f.number(MOVABLE[2] * 100)} %).`,
      }),
      saving: { amount, low, high, currency: context.currency },
      deadline_ms: Math.min(dear.from_ms, cheap.to_ms),
      evidence: { slots: [dear, cheap] },
      stake: amount,
      measure: measuredEnergy(context, 'load', [dear, cheap], (per_kWh) => -per_kWh),
      link: '/prices',
    },
  ];
}

/** `Electricity is 3 times dearer then. ` where the cheap price is above 0 and the factor worth saying. */
function timesDearer(cheap: Window, dear: Window, number: Format['number'], language: 'en' | 'de' = 'en'): string {
  const factor = dear.mean_per_kWh / cheap.mean_per_kWh;
  if (!(cheap.mean_per_kWh > 0.001) || factor < 1.5) return '';
  const times = number(factor, factor < 10 ? 1 : 0);
  return language === 'de' ? `Strom ist dann ${times}-mal so teuer. ` : `Electricity is ${times}× dearer then. `;
}
