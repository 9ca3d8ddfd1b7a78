/** Moves flexible load into hours in which more is produced than used, because feeding in brings less than buying costs. */
import { localDate, SLOT_MS } from '../../engine/model/time.ts';
import type { AdviceContext, Rule } from '../action.ts';
import { meanPrice, measuredEnergy } from '../windows.ts';
import { inWords } from '../words.ts';

const SLOTS = 8;
const HORIZON_MS = 24 * 3_600_000;
const MIN_SURPLUS_KWH = 4;
const MIN_SAVING = 0.5;
/** Share of the surplus that finds a use: least, expected, most. */
const USED = [0.1, 0.3, 0.7] as const;

/** Eligible where two hours of forecast generation exceed the forecast load by 4 kWh and buying costs more than feeding in brings. */
export const useSurplus: Rule = (context) => {
  const mean = meanPrice(context);
  const found = largestSurplus(context);
  if (mean === null || !found || found.surplus_kWh < MIN_SURPLUS_KWH) return [];
  // Without a known feed-in tariff it brings nothing.
  const gain = mean - (context.feed_in_per_kWh ?? 0);
  const [low, amount, high] = USED.map((share) => share * found.surplus_kWh * gain) as [number, number, number];
  if (amount < MIN_SAVING) return [];
  return [
    {
      id: `use_surplus:${localDate(found.from_ms, context.time_zone)}`,
      kind: 'use_surplus',
      text: inWords(context, {
        en: (f) => `Run what can wait ${f.window(found)}, when there is solar power to spare.`,
        de: (f) => `Lassen Sie, was warten kann, ${f.window(found)} laufen: Dann ist Solarstrom übrig.`,
      }),
      why: inWords(context, {
        en: (f) =>
          `${f.number(found.surplus_kWh)} kWh more are forecast to be produced than used. Bought from the grid a kWh costs ${f.money(mean)}. The saving assumes that ${f.number(USED[1] * 100)} % of it is used (range: ${f.number(USED[0] * 100)} to ${f.number(USED[2] * 100)} %).`,
        de: (f) =>
          `Es werden voraussichtlich ${f.number(found.surplus_kWh)} kWh mehr erzeugt als verbraucht. Aus dem Netz kostet eine kWh ${f.money(mean)}. Die Ersparnis nimmt an, dass ${f.number(USED[1] * 100)} % davon genutzt werden (Spanne: ${f.number(USED[0] * 100)} bis ${f.number(USED[2] * 100)} %).`,
      }),
      saving: { amount, low, high, currency: context.currency },
      deadline_ms: found.to_ms,
      evidence: { slots: [{ from_ms: found.from_ms, to_ms: found.to_ms }] },
      stake: found.surplus_kWh,
      measure: measuredEnergy(context, 'load', [found], () => gain),
      link: '/forecasts?series=generation',
    },
  ];
};

type Surplus = { from_ms: number; to_ms: number; mean_per_kWh: number; surplus_kWh: number };

/** The two hours of the coming day in which generation exceeds load by most energy, without holes in either forecast. */
function largestSurplus({ at_ms, load, generation }: AdviceContext): Surplus | null {
  const used = new Map(load.map((slot) => [slot.at_ms, slot.power_W]));
  const given = new Map(generation.map((slot) => [slot.at_ms, slot.power_W]));
  let largest: Surplus | null = null;
  for (const { at_ms: from_ms } of generation) {
    if (from_ms <= at_ms || from_ms > at_ms + HORIZON_MS) continue;
    let surplus_kWh = 0;
    for (let i = 0; i < SLOTS; i++) {
      const slot_ms = from_ms + i * SLOT_MS;
      // NaN where either forecast has a hole: compares as smaller.
      const over_W = (given.get(slot_ms) ?? Number.NaN) - (used.get(slot_ms) ?? Number.NaN);
      surplus_kWh += (Math.max(0, over_W) * SLOT_MS) / 3.6e9;
    }
    if (surplus_kWh > (largest?.surplus_kWh ?? 0))
      largest = { from_ms, to_ms: from_ms + SLOTS * SLOT_MS, mean_per_kWh: 0, surplus_kWh };
  }
  return largest;
}
