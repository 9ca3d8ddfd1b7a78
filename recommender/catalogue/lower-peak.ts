/** Warns before the grid connection draws more than ever this month, where a kW more costs money (Leistungspreis). */
import { localDate, SLOT_MS } from '../../engine/model/time.ts';
import type { AdviceContext, Rule } from '../action.ts';
import { inWords } from '../words.ts';

const HORIZON_MS = 4 * 3_600_000;
const MIN_EXCESS_W = 500;
/** Share of the excess that people avoid: least, expected, most. */
const AVOIDED = [0.3, 0.6, 1] as const;

/** Eligible where the forecast of the next four hours lies 500 W above the month's peak and a kW has a price. */
export const lowerPeak: Rule = (context) => {
  const { peak } = context;
  const found = highestSoon(context);
  if (!peak || !found || !(peak.demand_charge_per_kW > 0)) return [];
  const yearly = peak.period === 'year';
  const excess_W = found.power_W - peak.month_peak_W;
  if (!(excess_W >= MIN_EXCESS_W)) return [];
  const whole = (excess_W / 1000) * peak.demand_charge_per_kW;
  const [low, amount, high] = AVOIDED.map((share) => share * whole) as [number, number, number];
  const slot = { from_ms: found.at_ms, to_ms: found.at_ms + SLOT_MS };
  return [
    {
      id: `lower_peak:${localDate(found.at_ms, context.time_zone)}`,
      kind: 'lower_peak',
      text: inWords(context, {
        en: (f) =>
          `Keep ${f.number(excess_W / 1000, 1)} kW off the grid at ${f.time(found.at_ms)}: a new peak of the ${yearly ? 'year' : 'month'} is near.`,
        de: (f) =>
          `Nehmen Sie um ${f.time(found.at_ms)} ${f.number(excess_W / 1000, 1)} kW vom Netz: eine neue ${yearly ? 'Jahresspitze' : 'Monatsspitze'} droht.`,
      }),
      why: inWords(context, {
        en: (f) =>
          `${f.number(found.power_W / 1000, 1)} kW are forecast; the ${yearly ? 'year' : 'month'}'s highest quarter hour is ${f.number(peak.month_peak_W / 1000, 1)} kW. A kW more costs ${f.money(peak.demand_charge_per_kW)}. The saving assumes that ${f.number(AVOIDED[1] * 100)} % of the excess is avoided (range: ${f.number(AVOIDED[0] * 100)} to ${f.number(AVOIDED[2] * 100)} %).`,
        de: (f) =>
          `${f.number(found.power_W / 1000, 1)} kW sind vorhergesagt; die höchste Viertelstunde des ${yearly ? 'Jahres' : 'Monats'} hat ${f.number(peak.month_peak_W / 1000, 1)} kW. Ein kW mehr kostet ${f.money(peak.demand_charge_per_kW)}. Die Ersparnis nimmt an, dass ${f.number(AVOIDED[1] * 100)} % davon vermieden werden (Spanne: ${f.number(AVOIDED[0] * 100)} bis ${f.number(AVOIDED[2] * 100)} %).`,
      }),
      saving: { amount, low, high, currency: context.currency },
      deadline_ms: slot.to_ms,
      evidence: { slots: [slot] },
      stake: excess_W,
      measure: {
        kind: 'peak',
        from_ms: slot.from_ms - 2 * SLOT_MS,
        to_ms: slot.to_ms + 2 * SLOT_MS,
        expected_W: found.power_W,
        gain_per_kW: peak.demand_charge_per_kW,
      },
      link: '/forecasts?series=load',
    },
  ];
};

/** The slot of the next hours with the highest forecast load less generation, of those that have not begun. */
function highestSoon({ at_ms, load, generation }: AdviceContext): { at_ms: number; power_W: number } | null {
  const given = new Map(generation.map((slot) => [slot.at_ms, slot.power_W]));
  let highest: { at_ms: number; power_W: number } | null = null;
  for (const slot of load) {
    if (slot.at_ms <= at_ms || slot.at_ms > at_ms + HORIZON_MS) continue;
    const power_W = slot.power_W - Math.max(0, given.get(slot.at_ms) ?? 0);
    if (!highest || power_W > highest.power_W) highest = { at_ms: slot.at_ms, power_W };
  }
  return highest;
}
